// Owns a decision over the real facts of a file and the imagined ones of a subject.
// It must not know rules: it only answers what the policy asks for.

internal import AccessModel
internal import Glibc
internal import ObjectInformation
internal import PolicyDecision
internal import PolicyLanguage
internal import ProcFS
internal import SystemCalls

/// A file that cannot be looked at.
struct SimulationFailure: Error {
  let path: String
  let reason: String
}

struct Simulation {
  private let facts = Facts()
  private let objects: ObjectInformation
  private let subjects: SimulatedSubjectInformation
  private let content: SimulatedContent
  /// Held open while it is looked at.
  private let object: SharedDescriptor

  init(
    _ subject: SimulatedSubject, object path: String, _ operation: Operation, interpreters: [Interpreter],
    content: SimulatedContent
  ) throws(SimulationFailure) {
    self.content = content
    let mounts = MountTable()
    mounts.replace(with: try Self.mounts())
    objects = ObjectInformation(mounts: mounts, room: OpenRoom())
    object = try SharedDescriptor(path)
    let program = try SharedDescriptor(subject.executable)
    let programFacts = Facts()
    programFacts.begin(pid: 1, operation: .open, objectHandle: program.number)
    objects.fetch([.objectStatus, .objectPath, .objectContent], into: programFacts)
    subjects = SimulatedSubjectInformation(subject, program: programFacts.object, interpreters: interpreters)
    facts.begin(pid: 1, operation: operation, objectHandle: object.number)
  }

  /// What the policy says. A mechanism that is off is taken as on: the question is what it would say.
  func decide(_ mechanism: Mechanism, _ rules: RuleSet, _ settings: PolicySettings) -> SimulationReport {
    var settings = settings
    let isOff = settings[mechanism].mode == .off
    if isOff { settings[mechanism].mode = .enforce }
    let policy = Policy(rules: rules, settings: settings)
    objects.fetch([.objectStatus, .objectPath, .objectContent], into: facts)
    var isWatched = true
    if mechanism == .open { isWatched = policy.matchesAnchor(facts.object.path) }
    var decision: Decision?
    var isData = false
    decisions: while isWatched {
      switch policy.decide(mechanism, facts) {
      case .needs(let groups):
        objects.fetch(groups, into: facts)
        content.fetch(groups, into: facts)
        subjects.fetch(groups, into: facts)
      case .final(let final):
        decision = final
        break decisions
      case .data:
        isData = true
        break decisions
      }
    }
    return SimulationReport(
      mechanism: mechanism, facts: facts, decision: decision, isOff: isOff, isData: isData, isWatched: isWatched,
      trace: decision == nil ? [] : policy.trace(mechanism, facts), trustProblem: content.problem)
  }

  private static func mounts() throws(SimulationFailure) -> [MountEntry] {
    let path = "/proc/self/mountinfo"
    do throws(Errno) {
      let text = try Descriptor.open(path, O_RDONLY).readAll(limit: 64 << 20)
      return text.withUnsafeBytes { MountInfo.parse($0).entries }
    } catch {
      throw SimulationFailure(path: path, reason: error.description)
    }
  }
}

/// An open file that several values look at.
private final class SharedDescriptor {
  private let owned: Descriptor
  var number: Int32 { owned.rawValue }

  init(_ path: String) throws(SimulationFailure) {
    do throws(Errno) {
      owned = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      guard try FileStatus.of(descriptor: owned.rawValue).isRegular else { throw .invalid }
    } catch {
      throw SimulationFailure(path: path, reason: error == .invalid ? "not a regular file" : error.description)
    }
  }
}

/// Nobody waits for this thread.
struct OpenRoom: WaitingRoom {
  func enter() -> Bool { true }
  func leave() {}
}
