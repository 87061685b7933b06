// Owns the tripwire of `liliumctl doctor`: a harmless call of each mechanism that is on must reach the daemon.
// It must not make the calls in this process, nor take another process's call for its own without saying so.

internal import AccessModel
internal import ControlProtocol
internal import ControlSocket
internal import SystemCalls

struct Tripwire {
  /// Starts a process that makes the call of a mechanism, with a request where that is ioctl.
  typealias Start = (Mechanism, UInt64) throws(Errno) -> TripwireChild

  let socket: String
  /// What of ioctl(2) is sensed.
  let ioctl: RequestFilter
  /// In which a record must arrive, in nanoseconds. It begins when the process that made the call has ended: a slow
  /// host takes its time to start one.
  let patience: UInt64
  let start: Start

  /// In which such a process must end.
  private static let longestCall: UInt64 = 60_000_000_000
  /// After so many milliseconds of silence somebody looks whether one has ended.
  private static let step: Int32 = 50

  init(
    socket: String, ioctl: RequestFilter, patience: UInt64 = 10_000_000_000,
    start: @escaping Start = TripwireChild.start
  ) {
    self.socket = socket
    self.ioctl = ioctl
    self.patience = patience
    self.start = start
  }

  func run() -> [HostCheck] {
    do throws(ControlFailure) {
      let client = try ControlClient(path: socket)
      guard case .status(let before) = try client.ask(.status) else { return [Self.idle("liliumd does not say")] }
      let guarded = before.mechanisms.filter { $0.mechanism.isCall && $0.mode != .off }
      guard !guarded.isEmpty else { return [Self.idle("no mechanism that is a system call is on")] }
      // There the capability of who runs doctor opens the door, and a denial was provoked already.
      let armed = guarded.filter { $0.sensor != .bpf }.map(\.mechanism)
      guard !armed.isEmpty else { return [Self.idle("the BPF LSM senses every system call that is on")] }
      let watcher = try ControlClient(path: socket)
      guard case .watching = try watcher.ask(.watch(WatchFilter())) else { return [Self.idle("liliumd does not say")] }
      var checks = try trip(armed, watcher)
      // Another connection: one that was silent for as long as a slow host needs is closed.
      if checks.count < armed.count, case .status(let after) = try ControlClient(path: socket).ask(.status) {
        for mechanism in armed where checks[mechanism] == nil { checks[mechanism] = judge(mechanism, before, after) }
      }
      return armed.compactMap { checks[$0] }
    } catch {
      return [Self.idle("liliumd cannot be asked at \(socket)")]
    }
  }

  private static func idle(_ why: String) -> HostCheck { HostCheck("tripwire", .information, "not tried: \(why)") }

  /// A call that has not arrived yet.
  private struct Call {
    let mechanism: Mechanism
    let child: TripwireChild
    /// When it is too late.
    var limit: UInt64
    var hasEnded = false
  }

  /// Makes all calls at once and reads until each has arrived or its time is over. What has not arrived is left out.
  private func trip(
    _ armed: [Mechanism], _ watcher: ControlClient
  ) throws(ControlFailure) -> [Mechanism: HostCheck] {
    var checks: [Mechanism: HostCheck] = [:]
    var waiting: [Int32: Call] = [:]
    var children: [TripwireChild] = []
    let begun = Clock.monotonic()
    defer { for child in children { child.end() } }
    for mechanism in armed {
      guard let request = request(of: mechanism) else {
        checks[mechanism] = Self.check(mechanism, .information, "not tried: no rule names a request")
        continue
      }
      do throws(Errno) {
        let child = try start(mechanism, request)
        children.append(child)
        waiting[child.pid] = Call(mechanism: mechanism, child: child, limit: Clock.monotonic() + Self.longestCall)
      } catch {
        let why = "not tried: no process could be started (\(error))"
        checks[mechanism] = Self.check(mechanism, .information, why)
      }
    }
    while !waiting.isEmpty {
      do throws(ControlFailure) {
        // The daemon has hung up.
        guard let line = try watcher.nextLine(milliseconds: Self.step) else { break }
        if let pid = Self.caller(line, among: waiting), let call = waiting.removeValue(forKey: pid) {
          let milliseconds = (Clock.monotonic() - begun) / 1_000_000
          checks[call.mechanism] = Self.check(
            call.mechanism, .available, "the call arrived as a record after \(milliseconds) ms")
        }
      } catch .silent {}
      for call in dropLate(&waiting) where !call.hasEnded {
        checks[call.mechanism] = Self.check(
          call.mechanism, .missing, "the process that makes the call did not end within 60 s")
      }
    }
    return checks
  }

  /// Takes out the calls whose time is over.
  private func dropLate(_ waiting: inout [Int32: Call]) -> [Call] {
    let now = Clock.monotonic()
    for (pid, call) in waiting where !call.hasEnded && call.child.hasEnded {
      waiting[pid]?.hasEnded = true
      waiting[pid]?.limit = now + patience
    }
    let late = waiting.filter { $0.value.limit <= now }
    for pid in late.keys { waiting[pid] = nil }
    return Array(late.values)
  }

  /// The child whose record this is, of its own mechanism.
  private static func caller(_ line: [UInt8], among waiting: [Int32: Call]) -> Int32? {
    guard let record = try? ControlLine.decodeValue(line), record["kind"]?.string == "decision" else { return nil }
    guard case .integer(let number)? = record["subject"]?["pid"], let pid = Int32(exactly: number) else { return nil }
    guard let mechanism = waiting[pid]?.mechanism, record["mechanism"]?.string == mechanism.name else { return nil }
    return pid
  }

  /// A record may have been held back; the daemon counts every decision, of whosever call.
  private func judge(_ mechanism: Mechanism, _ before: StatusReport, _ after: StatusReport) -> HostCheck {
    let (earlier, later) = (Self.decisions(mechanism, before), Self.decisions(mechanism, after))
    guard later > earlier else {
      return Self.check(
        mechanism, .missing,
        "no record within \(patience / 1_000_000_000) s: see above what hides audit records, and liliumctl status")
    }
    return Self.check(
      mechanism, .available,
      "no record, but the daemon counted \(later - earlier) more, the call or others: records are held back")
  }

  private static func decisions(_ mechanism: Mechanism, _ report: StatusReport) -> UInt64 {
    report.decisions.filter { $0.mechanism == mechanism }.reduce(0) { $0 &+ $1.count }
  }

  private static func check(_ mechanism: Mechanism, _ state: HostCheck.State, _ detail: String) -> HostCheck {
    HostCheck("tripwire \(mechanism.name)", state, needed: true, detail)
  }

  /// Nil where nothing of the mechanism is sensed.
  private func request(of mechanism: Mechanism) -> UInt64? {
    guard mechanism == .ioctl, case .numbers(let numbers) = ioctl else { return 0 }
    return numbers.first
  }
}
