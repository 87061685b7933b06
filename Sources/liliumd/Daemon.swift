// Owns the running daemon: what it is made of, changes of policy and mode, and their order.
// It must not decide a request, and nothing of it runs on the answer path.

import AccessModel
import Configuration
import ControlProtocol
import DecisionRecord
import FanotifyEnforcement
import Integrity
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import SubjectInformation
import Synchronization
import SystemCalls
import TrailSinks
import TrustDatabase

final class Daemon: Sendable {
  /// What was loaded and what was changed since.
  struct State: Sendable {
    var loaded: LoadedPolicy
    var loadedAt: Int64
    /// Modes that were set at run time; `until` in nanoseconds of the monotonic clock, which nobody sets; nil for no end.
    var overrides: [Mechanism: (mode: Mode, until: Int64?)] = [:]
    var lastReloadError: String?
  }

  let arguments: Arguments
  let commandLineMode: Mode?
  let trail: Trail
  let monitor: Monitor
  let doors: Doors
  let information: InformationFactory
  let trust: TrustKeeper
  let protection: SelfProtection
  let startedAt = Clock.monotonic()
  /// The second since the epoch that the records' ids begin with.
  let recordSecond: Int64
  /// Held for the whole of a change, so that changes do not mix.
  private let state: Mutex<State>

  init(
    _ arguments: Arguments, _ loaded: LoadedPolicy, commandLineMode: Mode?, predecessor: Predecessor? = nil
  ) throws {
    let overrides = predecessor?.overrides(at: Int64(Clock.monotonic())) ?? [:]
    var settings = loaded.policy.settings
    for (mechanism, override) in overrides { settings[mechanism].mode = override.mode }
    // Ids must differ from those of a daemon that began in the same second.
    recordSecond = max(Clock.realtime() / 1_000_000_000, (predecessor?.offer.recordSecond ?? 0) + 1)
    self.arguments = arguments
    self.commandLineMode = commandLineMode
    let log = loaded.configuration.log
    trail = try Trail(
      idPrefix: String(recordSecond, radix: 36), settings: TrailSettings(log),
      sinks: try Sinks.make(arguments, log), capacity: log.queue)
    let trust = TrustKeeper(folder: "\(arguments.state)/trust", trail: trail)
    self.trust = trust
    let information = try InformationFactory(interpreters: loaded.configuration.interpreters, trust: trust.base)
    self.information = information
    monitor = Monitor(
      policy: loaded.policy.withSettings(settings), trail: trail, monotonic: { Clock.monotonic() },
      realtime: { Clock.realtime() },
      makeInformation: { mechanism, room in information.make(for: mechanism, room: room) })
    doors = Doors(
      monitor: monitor, trail: trail, information: information, stateFolder: arguments.state, predecessor: predecessor)
    protection = SelfProtection(trail: trail, doors: doors, folders: Self.ownFolders(arguments, loaded.configuration))
    if let predecessor { protection.setPredecessor(predecessor.offer.pid) }
    state = Mutex(
      State(
        loaded: loaded, loadedAt: Clock.realtime(), overrides: overrides, lastReloadError: loaded.replaces?.rendered))
    trail.policyChanged(ruleCount: loaded.policy.rules.rules.count)
  }

  /// Where nobody else has anything to write.
  private static func ownFolders(_ arguments: Arguments, _ configuration: Configuration) -> [String] {
    let socket = arguments.socket ?? configuration.control.socket
    let folder = socket.lastIndex(of: "/").map { String(socket[..<$0]) } ?? ""
    // A folder that others share stays theirs.
    return [arguments.state] + (folder.hasSuffix("/lilium") ? [folder] : [])
  }

  /// Opens the doors that the configuration wants open. The trust database comes first: from the first mark on it is
  /// asked.
  func start() throws(DoorError) {
    let loaded = state.withLock { $0.loaded }
    information.integrity.replace(with: loaded.configuration.integrity)
    do throws(Errno) { _ = try information.memory?.start() } catch {
      throw DoorError(mechanism: .exec, reason: "a thread cannot be started: \(error)")
    }
    trust.forgets { [weak self] in self?.forgetAllows() }
    do throws(TrustStoreError) { _ = try trust.load() } catch  where loaded.policy.readsTrust {
      Console.error("liliumd: warning: \(error.sentence); \(error.remedy)\n")
    } catch {}
    try doors.change(to: monitor.policy, loaded.configuration)
    protect(loaded.configuration)
  }

  /// The host relies on this daemon from now on.
  func recordStart(after predecessor: Int32?) {
    trail.append(
      .started(
        DaemonStart(
          version: daemonVersion, pid: ProcessSetup.processID, settings: monitor.policy.settings,
          policy: snapshot.loaded.identity, commandLineMode: commandLineMode, predecessor: predecessor)))
    let loaded = snapshot.loaded
    if let refused = loaded.replaces {
      trail.append(.policyRefused(diagnostics: refused.findings.map(\.rendered), running: loaded.identity))
    }
    keep(loaded)
  }

  /// A daemon in the foreground belongs to its terminal.
  private func protect(_ configuration: Configuration) {
    guard !arguments.foreground else { return }
    let settings = monitor.policy.settings
    let enforces = Mechanism.allCases.contains { settings[$0].mode == .enforce }
    protection.change(isWanted: enforces && configuration.protectsItself)
  }

  /// A state folder that cannot be written takes away the way back, and nothing else.
  private func keep(_ loaded: LoadedPolicy) {
    do throws(Errno) { try loaded.keep(in: arguments.state) } catch {
      Console.error(
        "liliumd: warning: cannot keep a copy of the policy in \(arguments.state)/policy: \(error); "
          + "a start with a broken policy would fall back to an older one\n")
    }
  }

  var snapshot: State { state.withLock { $0 } }

  /// Nil while a change is under way: whoever feeds the watchdog must not wait for it.
  var configurationUnlessBusy: Configuration? { state.withLockIfAvailable { $0.loaded.configuration } }

  /// Loads everything anew and puts it in force, or keeps what runs and says why.
  func reload() -> Result<LoadedPolicy, ReloadRefused> {
    state.withLock { state in
      do {
        let loaded = try LoadedPolicy.load(arguments, override: commandLineMode)
        let sinks = arguments.foreground ? nil : try Sinks.make(arguments, loaded.configuration.log)
        try put(loaded, loaded.policy, running: state.loaded)
        trail.replaceSettings(TrailSettings(loaded.configuration.log))
        if let sinks { trail.replaceSinks(sinks) }
        information.interpreters.replace(with: loaded.configuration.interpreters)
        information.integrity.replace(with: loaded.configuration.integrity)
        _ = try? trust.load()
        state.loaded = loaded
        state.loadedAt = Clock.realtime()
        state.overrides = [:]
        state.lastReloadError = nil
        keep(loaded)
        trail.append(
          .policyLoaded(
            identity: loaded.identity, rules: loaded.policy.rules.rules.count,
            warnings: loaded.warnings.map(\.rendered)))
        return .success(loaded)
      } catch {
        let sentences = (error as? LoadedPolicy.Refused)?.findings.map(\.rendered) ?? ["\(error)\n"]
        state.lastReloadError = sentences.joined()
        trail.append(.policyRefused(diagnostics: sentences, running: state.loaded.identity))
        return .failure(ReloadRefused(text: sentences.joined()))
      }
    }
  }

  struct ReloadRefused: Error {
    let text: String
  }

  /// Doors first: what cannot be opened must leave the running policy alone. A door that opens asks the policy that
  /// still runs, where its mechanism is off, and so allows until the new one is in force.
  private func put(_ loaded: LoadedPolicy, _ policy: Policy, running: LoadedPolicy) throws(DoorError) {
    let opened = policy.withSettings(Self.union(monitor.policy.settings, policy.settings))
    do throws(DoorError) { try doors.change(to: opened, loaded.configuration) } catch {
      // Coverage and doors as the running policy has them, not as far as the refused one came.
      try? doors.change(to: monitor.policy, running.configuration)
      throw error
    }
    monitor.policy = policy
    trail.policyChanged(ruleCount: policy.rules.rules.count)
    try doors.change(to: policy, loaded.configuration)
    protect(loaded.configuration)
    // What the kernel was given rests on the policy before.
    forgetAllows()
  }

  /// Takes back every allow that the kernel was given: from now on each file is asked about again.
  func forgetAllows() {
    information.memory?.forgetAll()
    monitor.reconsiderData()
  }

  /// Every mechanism that is on in either.
  private static func union(_ old: PolicySettings, _ new: PolicySettings) -> PolicySettings {
    var both = new
    for mechanism in Mechanism.allCases where new[mechanism].mode == .off && old[mechanism].mode != .off {
      both[mechanism] = old[mechanism]
      both[mechanism].mode = .audit
    }
    return both
  }

  /// Sets a mode at run time; with `seconds` the configured one comes back by itself.
  func setMode(_ mechanism: Mechanism, _ mode: Mode, seconds: Int?, uid: UInt32?) throws(DoorError) -> Int64? {
    let until = seconds.map { Int64(Clock.monotonic()) + Int64($0) * 1_000_000_000 }
    try change(mechanism, mode, override: (mode, until), uid: uid)
    return until.map(Self.realTime)
  }

  /// When a time of the monotonic clock is by the host's clock, as far as that goes on as it does now.
  static func realTime(_ monotonic: Int64) -> Int64 { Clock.realtime() + monotonic - Int64(Clock.monotonic()) }

  /// Brings configured modes back whose time has come; later, where a change is under way: who asks must not wait.
  func expireOverrides() {
    let now = Int64(Clock.monotonic())
    let due = state.withLockIfAvailable { state in
      state.overrides.filter { ($0.value.until ?? .max) <= now }.map(\.key)
    }
    guard let due else { return }
    for mechanism in due {
      let configured = state.withLock { $0.loaded.policy.settings[mechanism].mode }
      try? change(mechanism, configured, override: nil, uid: nil)
    }
  }

  private func change(
    _ mechanism: Mechanism, _ mode: Mode, override: (mode: Mode, until: Int64?)?, uid: UInt32?
  ) throws(DoorError) {
    let failed: DoorError? = state.withLock { state in
      let running = monitor.policy
      var settings = running.settings
      let before = settings[mechanism].mode
      settings[mechanism].mode = mode
      do throws(DoorError) { try put(state.loaded, running.withSettings(settings), running: state.loaded) } catch {
        return error
      }
      state.overrides[mechanism] = override
      trail.append(
        .modeChanged(mechanism: mechanism, from: before, to: mode, until: override?.until.map(Self.realTime), uid: uid))
      return nil
    }
    if let failed { throw failed }
  }
}
