// Owns whether liliumd itself is protected: while any mechanism enforces, where the kernel's BPF LSM can, as a service.
// It must not deny anything: programs in the kernel do. It is changed by one thread at a time.

import AccessModel
import BPFLSM
import ControlProtocol
import DecisionRecord
import FanotifyEnforcement
import LSMEnforcement
import ProcFS
import Synchronization
import SystemCalls
import TrailSinks

final class SelfProtection: Sendable {
  private struct State: Sendable {
    var running: LSMGuard?
    /// Of those that are there.
    var files: [FileIdentity] = []
    /// Why there is none where one is wanted.
    var problem: String?
    var successor: Int32?
    var predecessor: Int32?
  }

  private let trail: Trail
  private let doors: Doors
  private let paths: [String]
  private let state = Mutex(State())
  /// Ends liliumd where it stands still; 0 for none.
  private let watcher = Atomic<Int32>(0)

  /// `folders` are those whose content nobody else changes.
  init(trail: Trail, doors: Doors, folders: [String]) {
    self.trail = trail
    self.doors = doors
    paths = folders + Self.controls
  }

  /// Files by which a whole control group is stopped or ended, without a signal that a hook would see.
  private static var controls: [String] {
    guard let group = ownGroup, group != "/" else { return [] }
    return ["cgroup.kill", "cgroup.freeze", "memory.max", "memory.high", "cpu.max"].map {
      "/sys/fs/cgroup\(group)/\($0)"
    }
  }

  private static var ownGroup: String? {
    unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      guard let count = try? unsafe ProcessFile.cgroup.read(pid: ProcessSetup.processID, into: room) else { return nil }
      let path = unsafe ControlGroup.path(in: UnsafeRawBufferPointer(rebasing: room[..<count]))
      return unsafe path.map { unsafe String(decoding: $0, as: UTF8.self) }
    }
  }

  /// Where nothing can protect it, liliumd goes on, and `status` says why.
  func change(isWanted: Bool) {
    guard isWanted else { return close() }
    // Not the whole survey where no mechanism needed it: a start has to be quick.
    let report = doors.calls.sensing.known ?? LSMReport.list()
    state.withLock { state in
      state.problem = SenseChoice.firstFailure(report)
      guard state.problem == nil, state.running == nil else { return }
      let names = HostNames()
      state.files = paths.compactMap { names.file(at: Array((resolvedPath($0) ?? $0).utf8)) }
      do throws(LSMReport.Fault) {
        let guarding = try LSMGuard(ward(state)) { [trail] in trail.append(.tamperingDenied($0)) }
        do throws(Errno) { try guarding.start() } catch { throw LSMReport.Fault(error: error) }
        state.running = guarding
      } catch {
        state.problem = "the kernel refuses the programs: \(SenseChoice.words(of: error))"
      }
    }
    refresh()
  }

  /// Tells the kernel of processes and maps that came and went.
  func refresh() { state.withLock { renew(&$0) } }

  /// The same, unless programs are being loaded: whoever feeds the watchdog must not wait for that.
  func refreshUnlessBusy() { state.withLockIfAvailable { renew(&$0) } }

  private func renew(_ state: inout State) {
    guard let running = state.running else { return }
    do throws(Errno) { try running.protect(ward(state)) } catch { state.problem = "a map cannot be written: \(error)" }
  }

  private func ward(_ state: State) -> Ward {
    Ward(
      processes: [ProcessSetup.processID, watcher.load(ordering: .acquiring)].filter { $0 > 0 },
      kin: [state.successor, state.predecessor].compactMap { $0 }, writers: doors.unasked.processes,
      maps: doors.calls.hooks.door?.mapIDs ?? [], files: state.files)
  }

  /// The process that ends this one where it stands still.
  func isWatched(by pid: Int32) {
    guard watcher.exchange(pid, ordering: .acquiringAndReleasing) != pid else { return }
    refresh()
  }

  /// A daemon that takes over may do what this one may; nil where that came to nothing.
  func setSuccessor(_ pid: Int32?) {
    state.withLock { $0.successor = pid }
    refresh()
  }

  /// The daemon that is taken over from; nil once it has ended.
  func setPredecessor(_ pid: Int32?) {
    state.withLock { $0.predecessor = pid }
    refresh()
  }

  func close() {
    let running = state.withLock { state in
      defer { (state.running, state.problem) = (nil, nil) }
      return state.running
    }
    running?.stop()
  }

  /// By name; zeroes left out.
  var losses: [String: UInt64] {
    guard let counts = state.withLock({ $0.running?.counts }) else { return [:] }
    let named = [("guard-events", counts.lostEvents), ("guard-malformed", counts.malformed)]
    return Dictionary(uniqueKeysWithValues: named.filter { $0.1 > 0 })
  }

  /// Nil while it is not wanted.
  var status: StatusReport.Protection? {
    state.withLock { state in
      guard state.running != nil || state.problem != nil else { return nil }
      var status = StatusReport.Protection()
      status.isOn = state.running != nil
      status.problem = state.problem
      status.missingHooks = state.running?.missing ?? []
      return status
    }
  }
}
