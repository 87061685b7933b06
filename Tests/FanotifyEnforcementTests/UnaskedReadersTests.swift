// Owns which processes are let read unasked, and what ends that: another program, an execution, an end.

import Glibc
import SystemCalls
import Testing

@testable import FanotifyEnforcement

@Suite(.enabled(if: isAdministrator)) struct UnaskedReadersTests {
  private let readers = UnaskedReaders()

  @Test func whoIsAdmittedReadsAndNobodyElse() throws {
    let (admitted, other) = (try Child("exec sleep 60", until: "sleep"), try Child("exec sleep 60", until: "sleep"))
    #expect(!readers.contains(pid: admitted.pid))
    #expect(readers.admit(pid: admitted.pid))
    #expect(readers.contains(pid: admitted.pid) && readers.contains(pid: admitted.pid))
    #expect(!readers.contains(pid: other.pid))
    readers.drop(pid: other.pid)
    #expect(readers.contains(pid: admitted.pid))
  }

  /// The listener drops it at the event; the next program may be one that nobody asks about.
  @Test func anExecutionEndsIt() throws {
    let child = try Child("exec sleep 60", until: "sleep")
    #expect(readers.admit(pid: child.pid))
    readers.drop(pid: child.pid)
    #expect(!readers.contains(pid: child.pid))
    #expect(readers.admit(pid: child.pid) && readers.contains(pid: child.pid), "it may ask again")
  }

  @Test func anotherProgramIsNotTheOneThatWasAdmitted() throws {
    // The shell runs until it gets the signal.
    let child = try Child("trap 'exec sleep 60' USR1; while :; do read -t 0.05 x <> <(:); done", until: "bash")
    #expect(readers.admit(pid: child.pid))
    #expect(readers.contains(pid: child.pid))
    try child.become("sleep")
    #expect(!readers.contains(pid: child.pid))
    #expect(!readers.contains(pid: child.pid))
  }

  @Test func anEndEndsIt() throws {
    let child = try Child("exec sleep 60", until: "sleep")
    #expect(readers.admit(pid: child.pid))
    kill(child.pid, SIGKILL)
    for _ in 0..<500 where readers.contains(pid: child.pid) { Clock.sleep(nanoseconds: 2_000_000) }
    #expect(!readers.contains(pid: child.pid))
    #expect(!readers.admit(pid: child.pid), "it has ended, though its number is not free yet")
  }

  /// A number may have become another's between the question and the admission.
  @Test(arguments: [
    "exec setpriv --bounding-set=-sys_admin --inh-caps=-all sleep 60",
    "exec setpriv --reuid=65534 --clear-groups sleep 60", "exec unshare --user --map-root-user sleep 60",
  ])
  func onlyAdministratorsAreAdmitted(_ command: String) throws {
    let child = try Child(command, until: "sleep")
    #expect(!readers.admit(pid: child.pid))
    #expect(!readers.contains(pid: child.pid))
  }

  @Test func numbersThatAreNobodys() {
    for pid: Int32 in [0, -1, .min, .max] {
      #expect(!readers.admit(pid: pid))
      #expect(!readers.contains(pid: pid))
    }
  }

  @Test func thereIsRoomForSoMany() throws {
    let children = try (0..<UnaskedReaders.most).map { _ in try Child("exec sleep 60", until: "sleep") }
    for child in children { #expect(readers.admit(pid: child.pid)) }
    let another = try Child("exec sleep 60", until: "sleep")
    #expect(!readers.admit(pid: another.pid))
    #expect(readers.admit(pid: children[0].pid), "it is among them already")
    kill(children[1].pid, SIGKILL)
    for _ in 0..<500 where readers.contains(pid: children[1].pid) { Clock.sleep(nanoseconds: 2_000_000) }
    #expect(readers.admit(pid: another.pid))
  }
}

/// A child that is ended with its owner.
private final class Child: Sendable {
  let pid: Int32

  /// Waits until the child runs the program of this name.
  init(_ command: String, until program: String) throws {
    pid = try ChildProcess.start("/bin/bash", ["bash", "-c", command])
    try wait(for: program)
  }

  func become(_ program: String) throws {
    kill(pid, SIGUSR1)
    try wait(for: program)
  }

  private func wait(for program: String) throws {
    let name = Array("/\(program)".utf8)
    for _ in 0..<2500 {
      if let exe = try? readLink("/proc/\(pid)/exe"), exe.suffix(name.count) == name[...] { return }
      Clock.sleep(nanoseconds: 2_000_000)
    }
    try #require(Bool(false), "the child does not run \(program)")
  }

  deinit { ChildProcess.end(pid) }
}

/// Whether these tests run as root of the host, and with what they need.
private let isAdministrator: Bool = {
  var status = [UInt8](repeating: 0, count: 16384)
  guard let file = try? Descriptor.open("/proc/self/status", 0),
    let count = try? status.withUnsafeMutableBytes({ try readDescriptor(file.rawValue, $0) })
  else { return false }
  let text = String(decoding: status.prefix(count), as: UTF8.self)
  let line = text.split(separator: "\n").first { $0.hasPrefix("CapEff:\t") } ?? ""
  let set = UInt64(line.dropFirst("CapEff:\t".count), radix: 16) ?? 0
  let namespace = try? FileStatus.of(path: "/proc/self/ns/user").inode
  let tools = ["bash", "setpriv", "unshare"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }
  return geteuid() == 0 && set & 1 << 21 != 0 && namespace == 0xEFFF_FFFD && tools
}()
