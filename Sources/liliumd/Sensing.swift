// Owns by what system calls are sensed: what the kernel was found to offer, and what follows for the policy in force.
// It must not open a door.

import AccessModel
import BPFLSM
import ControlProtocol
import LSMEnforcement
import PolicyDecision
import Synchronization
import SystemCalls

final class Sensing: Sendable {
  private let survey: @Sendable () -> LSMReport
  private let surveyed = Mutex<LSMReport?>(nil)
  private let chosen = Mutex(SenseChoice())

  /// `survey` finds out what the kernel offers; it may take a moment, and is asked no more once all is well.
  init(survey: @escaping @Sendable () -> LSMReport) { self.survey = survey }

  /// What the policy's mechanisms are sensed by. An error where this host cannot honour a mode: then all stays as it is.
  func choose(_ policy: Policy) throws(DoorError) -> SenseChoice {
    let asked = policy.settings.mayAskKernel
    let report = asked.isEmpty ? LSMReport(isInList: false, list: "") : find()
    // What follows where the kernel cannot be asked at all needs no look at the rules.
    let unaskable = report.isUsable ? policy.kernelProgram(asked).refusals : []
    let choice = SenseChoice(policy.settings, report, unaskable: unaskable)
    if let refusal = choice.refusals.first {
      throw DoorError(mechanism: refusal.mechanism, reason: "\(refusal.message): \(refusal.remedy)")
    }
    chosen.withLock { $0 = choice }
    return choice
  }

  /// What the kernel offers, as it was found out last.
  var report: LSMReport { surveyed.withLock { $0 } ?? LSMReport(isInList: false, list: "") }

  /// Nil while nobody has asked.
  var known: LSMReport? { surveyed.withLock { $0 } }

  /// As it was chosen last.
  var choice: SenseChoice { chosen.withLock { $0 } }

  /// Tried once some mechanism may be sensed so, and again while the kernel refuses.
  func find() -> LSMReport {
    surveyed.withLock { surveyed in
      if let surveyed, surveyed.isUsable || !surveyed.isInList { return surveyed }
      let report = survey()
      surveyed = report
      return report
    }
  }

  /// Nil while nobody has asked.
  var status: StatusReport.BPF? {
    surveyed.withLock { $0 }.map { report in
      var status = StatusReport.BPF()
      status.isInList = report.isInList
      status.list = report.list
      status.load = report.load.map(SenseChoice.words)
      status.denial = report.denial.map(SenseChoice.words)
      status.missingHooks = report.namesOfMissingHooks
      return status
    }
  }
}
