// Owns the daemon's life from the first check to the last line: set-up in order, signals, watchdog, ordered end.
// It must not hold policy words: Daemon does.

import AccessModel
import Configuration
import ControlProtocol
import ControlSocket
import FanotifyEnforcement
import Journal
import PolicyDecision
import PolicyLanguage
import ReferenceMonitor
import StallGuard
import SystemCalls

/// Why the daemon does not start: a sentence for the administrator.
struct StartRefused: Error {
  let text: String
}

final class Service {
  private let arguments: Arguments
  private let signals: Descriptor
  private let lock: StateLock
  private let daemon: Daemon
  private let control: ControlServer
  private let watchdog: Watchdog?
  private let isWatched: Bool
  private let pulse: Pulse
  private let pulseThread: Thread

  /// Sets everything up, marks last. A failure leaves no mark, no socket and no file behind: each part takes itself
  /// away when it goes.
  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    signals = try Signals.descriptor(for: [Signals.terminate, Signals.interrupt, Signals.hangup])
    try Signals.makeInterrupting()
    let commandLineMode = KernelCommandLine.mode()
    let loaded: LoadedPolicy
    do throws(LoadedPolicy.Refused) {
      loaded = try LoadedPolicy.loadForStart(arguments, override: commandLineMode)
    } catch {
      throw StartRefused(text: error.rendered + "liliumd does not start with these errors.\n")
    }
    Console.error(loaded.warnings.map(\.rendered).joined())
    if let refused = loaded.replaces {
      Console.error(refused.rendered + "liliumd: starts with the policy that was last in force instead\n")
    }
    try Preflight.check()
    do throws(Errno) { pulse = Pulse(try StallGuard()) } catch {
      throw StartRefused(text: "liliumd: cannot start its guard: \(error)\n")
    }
    lock = try StateLock(folder: arguments.state)
    daemon = try Daemon(arguments, loaded, commandLineMode: commandLineMode)
    control = try Self.serve(daemon, arguments, loaded.configuration.control)
    watchdog = Notify.watchdogInterval().map(Watchdog.init)
    isWatched = watchdog != nil
    do throws(Errno) { pulseThread = try pulse.start(daemon) } catch {
      control.stop()
      throw StartRefused(text: "liliumd: a thread cannot be started: \(error)\n")
    }
    guardAnswers(loaded.configuration)
    do throws(DoorError) { try daemon.start() } catch {
      control.stop()
      _ = daemon.doors.closeAll()
      pulse.stop()
      throw StartRefused(text: "liliumd: \(error)\n")
    }
    Preflight.harden()
  }

  private func guardAnswers(_ configuration: Configuration) {
    pulse.guardAnswers(within: configuration.isGuarded ? configuration.answerDeadlineMilliseconds : nil)
  }

  private static func serve(
    _ daemon: Daemon, _ arguments: Arguments, _ settings: ControlSettings
  ) throws -> ControlServer {
    let path = arguments.socket ?? settings.socket
    let group = settings.group.isEmpty ? nil : ProcessSetup.groupID(named: settings.group)
    let relay = WatchRelay(daemon.trail) { daemon.forgetAllows() }
    let server = try ControlServer(
      path: path, group: group, watchersChanged: { relay.watchers($0) },
      handler: { request, peer in daemon.answer(request, from: peer) })
    relay.connect(to: server)
    return server
  }

  /// Runs until a signal asks for the end. The exit status.
  func run() -> Int32 {
    Notify.ready()
    announce()
    let pause = watchdog?.pause ?? 1000
    var cause: String?
    while cause == nil {
      _ = try? waitForEvents([(signals.rawValue, PollEvents.input)], milliseconds: min(1000, pause))
      while let signal = try? Signals.read(signals) {
        if signal == Signals.hangup { reload() } else { cause = signal == Signals.interrupt ? "SIGINT" : "SIGTERM" }
      }
      guardAnswers(daemon.snapshot.loaded.configuration)
      daemon.expireOverrides()
      daemon.trust.loadIfChanged()
      watchdog?.feed(daemon)
    }
    return stop(cause ?? "")
  }

  private func reload() {
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
  private func stop(_ cause: String) -> Int32 {
    Notify.stopping()
    control.stop()
    let status = daemon.finish(cause)
    pulse.stop()
    pulseThread.join()
    lock.remove()
    if arguments.foreground, arguments.output ?? .pretty != .none {
      if arguments.output == .json { Console.error(Summary.text(status)) } else { Console.output(Summary.text(status)) }
    }
    return 0
  }
}
