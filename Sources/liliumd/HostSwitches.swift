// Owns setting the sysctls that keep `enforce` where Lilium itself cannot prevent, and telling whether they are set.
// It must not take one back: most are one-way, and what the host was locked by is not undone behind its back.

import AccessModel
import DecisionRecord
import ProcFS
import SystemCalls
import TrailSinks

struct HostSwitches {
  private let switches: [(mechanism: Mechanism, hostSwitch: HostSwitch)]

  init(_ switches: [Mechanism: HostSwitch]) {
    self.switches = switches.map { (mechanism: $0.key, hostSwitch: $0.value) }
      .sorted { $0.mechanism.rawValue < $1.mechanism.rawValue }
  }

  /// Before anything else is changed: most can never be taken back.
  func check() throws(DoorError) {
    for (mechanism, hostSwitch) in switches where !hostSwitch.isSet {
      do throws(Errno) { try hostSwitch.sysctl.checkWritable() } catch {
        throw Self.refusal(mechanism, hostSwitch, error)
      }
    }
  }

  func set(_ trail: Trail) throws(DoorError) {
    for (mechanism, hostSwitch) in switches where !hostSwitch.isSet {
      do throws(Errno) { try hostSwitch.sysctl.write(hostSwitch.value) } catch {
        throw Self.refusal(mechanism, hostSwitch, error)
      }
      let end = hostSwitch.isOneWay ? "until the next boot" : "until somebody changes it"
      trail.append(
        .sensingChanged(
          SensingChange(
            what: "sysctl-set", detail: "\(hostSwitch.text): nobody is allowed \(mechanism.name) \(end)",
            isProblem: false)))
    }
  }

  private static func refusal(_ mechanism: Mechanism, _ hostSwitch: HostSwitch, _ error: Errno) -> DoorError {
    DoorError(
      mechanism: mechanism,
      reason: "on_unpreventable.\(mechanism.name) = \"sysctl\": \(hostSwitch.text) cannot be set: \(error); set it to "
        + "\"contain\", or mode.\(mechanism.name) to \"audit\"")
  }
}

extension HostSwitch {
  var sysctl: Sysctl { Sysctl(name) }
  var isSet: Bool { (try? sysctl.read()) == value }
}
