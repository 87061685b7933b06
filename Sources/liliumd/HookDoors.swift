// Owns the doors at the kernel's LSM hooks: opened when a policy first wants one, limited to the scope that is set.
// It must not choose who is sensed so: Sensing does. It is changed by one thread at a time, under the daemon's lock.

import AccessModel
import BPFLSM
import Configuration
import Glibc
import LSMEnforcement
import PolicyDecision
import PolicyLanguage
import Synchronization
import SystemCalls

final class HookDoors: Sendable {
  private struct Open: Sendable {
    let door: LSMDoor<Monitor>
    let scope: [String]
  }

  private let monitor: Monitor
  private let opened = Mutex<Open?>(nil)

  init(monitor: Monitor) { self.monitor = monitor }

  var door: LSMDoor<Monitor>? { opened.withLock { $0?.door } }

  /// Guards these mechanisms by the policy, and no others. A door for another scope opens before the old one closes.
  func change(
    to policy: Policy, _ configuration: Configuration, of mechanisms: MechanismSet, _ report: LSMReport
  ) throws(DoorError) {
    guard let first = mechanisms.members.first else { return close() }
    let scope = configuration.scope.controlGroups
    let before = opened.withLock { $0 }
    let door: LSMDoor<Monitor>
    if let before, before.scope == scope {
      door = before.door
    } else {
      door = try open(scope, report, for: first)
    }
    do throws(Errno) {
      try door.guardDoors(
        mechanisms, policy.kernelProgram(mechanisms), policy.settings, rules: policy.rules.rules.map(\.reference),
        logging: configuration.log.allows ? mechanisms : [])
    } catch {
      if before?.door !== door { door.stop() }
      throw DoorError(mechanism: first, reason: "the kernel refuses a program or its policy: \(error)")
    }
    opened.withLock { $0 = Open(door: door, scope: scope) }
    if let before, before.door !== door { before.door.stop() }
  }

  private func open(
    _ scope: [String], _ report: LSMReport, for mechanism: Mechanism
  ) throws(DoorError) -> LSMDoor<Monitor> {
    let groups = ControlGroups(try scope.map { path throws(DoorError) in try Self.group(path, for: mechanism) })
    let hooks = Set(report.hooks.filter(\.isPresent).map(\.name))
    do throws(LSMReport.Fault) {
      let door = try LSMDoor(hooks: hooks, limitedTo: groups.numbers, recorder: monitor)
      do throws(Errno) { try door.start() } catch { throw LSMReport.Fault(error: error) }
      return door
    } catch {
      let words = SenseChoice.words(of: error)
      throw DoorError(mechanism: mechanism, reason: "the kernel refuses Lilium's programs: \(words)")
    }
  }

  private static func group(_ path: String, for mechanism: Mechanism) throws(DoorError) -> Int32 {
    let folder = "/sys/fs/cgroup\(path)"
    let number = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if number >= 0 { return number }
    throw DoorError(
      mechanism: mechanism,
      reason: "scope.cgroups: \(path): \(Errno(errno)) (\(folder)); make the control group first, or leave it out")
  }

  /// Detaches the programs and records what they had decided.
  func close() {
    let door = opened.withLock { opened in
      defer { opened = nil }
      return opened?.door
    }
    door?.stop()
  }

  /// By name; zeroes left out.
  var losses: [String: UInt64] {
    guard let counts = door?.counts else { return [:] }
    let named = [
      ("bpf-events", counts.lostEvents), ("bpf-without-policy", counts.withoutPolicy),
      ("bpf-malformed", counts.malformed),
    ]
    return Dictionary(uniqueKeysWithValues: named.filter { $0.1 > 0 })
  }
}

/// Open folders of control groups; the kernel holds what it was given, so that they are closed afterwards.
private final class ControlGroups {
  let numbers: [Int32]
  init(_ numbers: [Int32]) { self.numbers = numbers }
  deinit { for number in numbers { Glibc.close(number) } }
}
