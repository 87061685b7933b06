// Owns the daemon's life from the first check to the last line: set-up in order, signals, watchdog, ordered end.
// It must not hold policy words: Daemon does.

import AccessModel
import AuditResponse
import Configuration
import ControlProtocol
import ControlSocket
import DecisionRecord
import FanotifyEnforcement
import Journal
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import StallGuard
import SystemCalls
import TrailSinks

/// Why the daemon does not start: a sentence for the administrator.
struct StartRefused: Error {
  let text: String
  /// 2 where another start will not do better until somebody has mended what it reads.
  var status: Int32 = 1
}

final class Service {
  private let arguments: Arguments
  private let signals: Descriptor
  private let lock: StateLock
  private let daemon: Daemon
  private let control: ControlServer
  private let watchdog: Watchdog?
  private let pulse: Pulse
  private let pulseThread: Thread
  private let takeover: Takeover
  /// The daemon that this one takes over from, until it has ended.
  private var predecessor: Predecessor?
  private let keepsSocket: Bool
  /// A reload was asked for while another process was to take over.
  private var owesReload = false

  /// Sets everything up, marks last. A failure leaves no mark, no socket and no file behind: each part takes itself
  /// away when it goes.
  init(_ arguments: Arguments, _ predecessor: Predecessor? = nil) throws {
    self.arguments = arguments
    self.predecessor = predecessor
    signals = try Signals.descriptor(for: [Signals.terminate, Signals.interrupt, Signals.hangup])
    try Signals.makeInterrupting()
    let commandLineMode = KernelCommandLine.mode()
    let loaded: LoadedPolicy
    do throws(LoadedPolicy.Refused) {
      // The one that is to be taken over from goes on with the last good policy, if need be.
      loaded =
        predecessor == nil
        ? try LoadedPolicy.loadForStart(arguments, override: commandLineMode)
        : try LoadedPolicy.load(arguments, override: commandLineMode)
    } catch {
      throw StartRefused(text: error.rendered + "liliumd does not start with these errors.\n", status: 2)
    }
    Console.error(loaded.warnings.map(\.rendered).joined())
    if let refused = loaded.replaces {
      Console.error(refused.rendered + "liliumd: starts with the policy that was last in force instead\n")
    }
    try Preflight.check()
    do throws(Errno) { pulse = Pulse(try StallGuard()) } catch {
      throw StartRefused(text: "liliumd: cannot start its guard: \(error)\n")
    }
    lock = try StateLock(folder: arguments.state, inherited: predecessor?.takeState())
    daemon = try Daemon(arguments, loaded, commandLineMode: commandLineMode, predecessor: predecessor)
    let settings = loaded.configuration.control
    let socket = arguments.socket ?? settings.socket
    keepsSocket = predecessor?.offer.socket == socket && ControlServer.isSocket(socket)
    takeover = try Takeover(daemon, stateDescriptor: lock.descriptor, socket: socket)
    control = try Self.serve(
      daemon, takeover, at: socket, settings, inherited: keepsSocket ? predecessor?.takeControl() : nil,
      serves: predecessor == nil)
    watchdog = Notify.watchdogInterval().map(Watchdog.init)
    do throws(Errno) { pulseThread = try pulse.start(daemon) } catch {
      if keepsSocket { control.leaveSocket() }
      control.stop()
      throw StartRefused(text: "liliumd: a thread cannot be started: \(error)\n")
    }
    guardAnswers(loaded.configuration)
    do throws(DoorError) { try daemon.start() } catch {
      if keepsSocket { control.leaveSocket() }
      control.stop()
      _ = daemon.doors.closeAll()
      pulse.stop()
      throw StartRefused(text: "liliumd: \(error)\n")
    }
    Preflight.harden()
    if predecessor == nil { daemon.recordStart(after: nil) }
    if lock.wasLeft { daemon.trail.append(.loss(what: "killed-before", count: 1)) }
  }

  private func guardAnswers(_ configuration: Configuration) {
    pulse.guardAnswers(within: configuration.isGuarded ? configuration.answerDeadlineMilliseconds : nil)
  }

  private static func serve(
    _ daemon: Daemon, _ takeover: Takeover, at path: String, _ settings: ControlSettings,
    inherited: consuming Descriptor?, serves: Bool
  ) throws -> ControlServer {
    let group = settings.group.isEmpty ? nil : ProcessSetup.groupID(named: settings.group)
    let relay = WatchRelay(daemon.trail) { daemon.forgetAllows() }
    let server = try ControlServer(
      path: path, group: group, inherited: inherited, serves: serves, watchersChanged: { relay.watchers($0) },
      handler: { request, peer in
        request == .takeover ? takeover.answer() : daemon.answer(request, from: peer)
      })
    relay.connect(to: server)
    takeover.connect(to: server)
    return server
  }

  /// Runs until a signal asks for the end. The exit status.
  func run() -> Int32 {
    if let predecessor { takeOver(from: predecessor) }
    Notify.ready()
    announce()
    let pause = min(1000, watchdog?.pause ?? 1000)
    while true {
      if takeover.successor == nil { watchdog?.feed(daemon) }
      let inputs = [signals.rawValue, takeover.handedOver.descriptor].map { ($0, PollEvents.input) }
      _ = try? waitForEvents(inputs, milliseconds: pause)
      if let successor = takeover.successor { return leave(to: successor) }
      while let signal = try? Signals.read(signals) {
        if signal == Signals.hangup { owesReload = true } else { return stop(on: signal) }
      }
      if let configuration = daemon.configurationUnlessBusy { guardAnswers(configuration) }
      if owesReload, !takeover.isUnderWay { reload() }
      daemon.expireOverrides()
      daemon.trust.loadIfChanged()
      daemon.protection.refreshUnlessBusy()
      if predecessor?.hasEnded() == true { settle() }
    }
  }

  /// From here on the host relies on this daemon.
  private func takeOver(from predecessor: Predecessor) {
    let state = predecessor.awaitEnd(keepsSocket: keepsSocket)
    lock.own()
    if let state { daemon.doors.unasked.keep(only: Set(state.readers)) }
    daemon.recordStart(after: predecessor.offer.pid)
    do throws(Errno) { try control.serve() } catch {
      Console.error("liliumd: warning: the control socket is not served: a thread cannot be started: \(error)\n")
    }
  }

  /// The daemon before this one is gone, and what it alone needed with it.
  private func settle() {
    predecessor = nil
    daemon.doors.calls.kinship.end(at: Clock.realtime())
    daemon.doors.relatives.keep(only: [])
    daemon.doors.calls.endSharing()
    daemon.protection.setPredecessor(nil)
  }

  private func reload() {
    owesReload = false
    Notify.reloading()
    if case .failure(let refused) = daemon.reload() {
      Console.error(refused.text + "liliumd: the new policy was refused; the running one goes on\n")
    }
    Notify.ready()
    announce()
  }

  private func announce() {
    let settings = daemon.monitor.policy.settings
    let on = Mechanism.allCases.filter { settings[$0].mode != .off }.map { "\($0.name)=\(settings[$0].mode.name)" }
    let origin =
      (daemon.commandLineMode.map { " (lilium.mode=\($0.name) on the kernel command line)" } ?? "")
      + (daemon.snapshot.loaded.replaces == nil ? "" : " (last good policy: the present one cannot be used)")
    Notify.status((on.isEmpty ? "every mechanism is off" : on.joined(separator: " ")) + origin)
    guard arguments.foreground else { return }
    let marked = daemon.doors.execDoor?.coverage.marked.count ?? 0
    Console.error(
      "\(daemonVersionLine): \(on.isEmpty ? "every mechanism is off" : on.joined(separator: ", ")); "
        + "\(daemon.snapshot.loaded.policy.rules.rules.count) rules, \(marked) \(marked == 1 ? "file system" : "file systems") marked. Ctrl-C ends it.\n"
    )
    if let mode = daemon.commandLineMode {
      Console.error("liliumd: lilium.mode=\(mode.name) on the kernel command line overrides every mode\n")
    }
  }

  /// Marks go first, then everything that waits is answered, then the trail is written out.
  private func stop(on signal: Int32) -> Int32 {
    guard takeover.cancel() else { return takeover.successor.map { leave(to: $0, passing: signal) } ?? 0 }
    Notify.stopping()
    control.stop()
    let status = daemon.finish(signal == Signals.interrupt ? "SIGINT" : "SIGTERM")
    pulse.stop()
    pulseThread.join()
    lock.remove()
    if arguments.foreground, arguments.output ?? .pretty != .none {
      if arguments.output == .json { Console.error(Summary.text(status)) } else { Console.output(Summary.text(status)) }
    }
    return 0
  }

  /// Another process guards the host. What this one was told meanwhile is for that one; the manager no longer listens to
  /// this one.
  private func leave(to successor: Successor, passing signal: Int32? = nil) -> Int32 {
    control.stop()
    _ = daemon.finish("takeover", leaving: true)
    pulse.stop()
    pulseThread.join()
    lock.leave()
    var passed = [signal, owesReload ? Signals.hangup : nil].compactMap { $0 }
    while let signal = try? Signals.read(signals) { passed.append(signal) }
    for signal in passed { try? successor.process.signal(signal) }
    return 0
  }
}
