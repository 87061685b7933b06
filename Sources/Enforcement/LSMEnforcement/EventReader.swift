// Owns the way of an event of the kernel's programs to the trail: what it says, what is looked up for it, who gets it.
// It must not decide, and must not read a ring buffer: its caller does.

public import AccessModel
public import CBPFLSM
internal import ProcFS
internal import SystemCalls

/// Hands the kernel's decisions to the reference monitor. For one thread.
public final class EventReader<Recorder: DecisionRecorder>: EventTaker {
  private let recorder: Recorder
  private let policies: PolicyGenerations
  private let surroundings: any EventSurroundings
  private let facts = Facts()

  public convenience init(recorder: Recorder, policies: PolicyGenerations) {
    self.init(recorder: recorder, policies: policies, surroundings: ProcessSight())
  }

  init(recorder: Recorder, policies: PolicyGenerations, surroundings: any EventSurroundings) {
    self.recorder = recorder
    self.policies = policies
    self.surroundings = surroundings
  }

  /// Counts and records the decision. False where the event is none that Lilium's programs write: it is to be counted as
  /// malformed. Does not block.
  public func take(_ raw: lil_event) -> Bool {
    guard let event = LSMEvent(raw, policies) else { return false }
    recorder.record(event.decision, effect: event.effect, time: event.raw.decidedAt, of: event.pid, on: facts) {
      facts in
      event.describe(in: facts)
      lookUp(event, facts)
      // What nobody could tell.
      facts.markUnknown(facts.missing(of: FactSet.subject.union(.object).union(.ofCall).union(.targetExecutable)))
    }
    return true
  }

  private func lookUp(_ event: LSMEvent, _ facts: Facts) {
    surroundings.lookUpSubject(of: event.raw, pid: event.pid, facts)
    if let start = event.raw.startTicks { lookUpOpenFile(event, start, facts) }
    let told = event.raw.facts
    if facts.present.contains(.targetStatus), let start = event.raw.targetStartTicks,
      let file = told.file(LIL_TARGET_DEV, LIL_TARGET_INO),
      let program = surroundings.program(of: facts.target.pid, startedAt: start, file)
    {
      facts.target.executable = program.path
      facts.target.executableVerified = program.isVerified
      facts.markPresent(.targetExecutable)
    }
  }

  /// The path of the file behind the descriptor that a module or device call was given.
  private func lookUpOpenFile(_ event: LSMEvent, _ start: UInt64, _ facts: Facts) {
    guard facts.present.contains(.objectIdentity),
      ["finit_module", "ioctl", "kexec_file_load"].contains(where: { facts.call.name.elementsEqual($0.utf8) })
    else { return }
    let descriptor = Int32(truncatingIfNeeded: event.raw.arguments.0)
    guard let file = surroundings.openFile(descriptor, of: event.pid, startedAt: start, facts.object.identity) else {
      return
    }
    facts.object.path = file.path
    facts.object.pathVerified = file.isVerified
    facts.markPresent(.objectPath)
  }
}
