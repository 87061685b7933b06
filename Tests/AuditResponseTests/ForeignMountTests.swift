// Holds that a mount call of nobody knows whom is never said to be about a mount of the host.
// It must not answer a request: that would take a mount of the host away.

import AccessModel
import SystemCalls
import Testing

@testable import AuditNetlink
@testable import AuditResponse

@Suite("Mounts of callers that are gone")
struct ForeignMountTests {
  private final class Chronicle: SubjectChronicle {
    func capabilitiesSet(pid: Int32, effective: CapabilitySet, permitted: CapabilitySet) {}
    func namespacesChanged(pid: Int32) {}
    func livedInInitialMountNamespace(_ facts: Facts) -> Bool { false }
  }

  /// The record says no mount namespace: the place may be anybody's, and here it is not the host's /proc.
  @Test func theirMountsAreNotLookedForAmongTheHosts() throws {
    var sensor = CallSensor(plan: SensingPlan([(.mount, .all)]), chronicle: Chronicle(), mounts: try MountLedger())
    var line = RecordText(call: .mount).naming([#""/proc""#])
    line.pid = .max
    line.time = Clock.realtime()
    guard case .request(let request) = sensor.sense(try line.record(), received: 5) else {
      Issue.record("a mount is a request")
      return
    }
    let facts = Facts()
    facts.begin(pid: line.pid, operation: .call)
    request.describe(into: facts)
    #expect(!facts.object.pathVerified, "\(String(decoding: facts.object.path, as: UTF8.self))")
    #expect(!facts.present.contains(.objectFileSystem) && !facts.present.contains(.callSource))
  }
}
