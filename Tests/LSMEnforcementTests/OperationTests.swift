// Holds what an event says of the call, its object and its target.

import AccessModel
import CBPFLSM
import SystemCalls
import Testing

@testable import LSMEnforcement

private func texts(_ list: [[UInt8]]) -> [String] { list.map { String(decoding: $0, as: UTF8.self) } }
private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("Calls in events") struct OperationTests {
  private func call(_ mechanism: Mechanism, _ change: @escaping (inout lil_event) -> Void) throws -> TrailEntry {
    try #require(taken(event(mechanism, change))).facts
  }

  @Test func aRequestIsTheHooksOwn() throws {
    var found = try call(.ptrace) { _ in }.call
    #expect(text(found.name) == "ptrace" && text(found.architecture) == "x86_64")
    #expect(text(found.request) == "PTRACE_ATTACH" && found.requestNumber == 16)
    // No result is made up, and no audit event there was.
    #expect(found.result == nil && !found.succeeded && found.serial == 0)
    found = try call(.ptrace) { $0.tell([LIL_REQUEST: 0x4206]) }.call
    #expect(text(found.request) == "PTRACE_SEIZE")
    found = try call(.ioctl) {
      $0.call(54, [3, 0xdead, 0], on: 0x4000_0003)
      $0.tell([LIL_REQUEST: 0x5412])
    }.call
    #expect(text(found.request) == "TIOCSTI" && text(found.architecture) == "i386" && text(found.name) == "ioctl")
  }

  /// A hook may be reached by a call that Lilium asks nobody for, by a number that nobody knows, and by x32.
  @Test func callsByOtherWays() throws {
    let memory = try call(.ptrace) {
      $0.call(257, [3, 4])
      $0.tell([LIL_REQUEST: 0])
    }.call
    #expect(text(memory.name) == "openat" && memory.request.isEmpty, "0 is PTRACE_TRACEME where ptrace(2) is called")
    let unknown = try call(.module) { $0.call(.max, on: 0) }
    #expect(unknown.call.name.isEmpty && unknown.present.contains(.call) && unknown.call.flags.isEmpty)
    #expect(text(try call(.mprotect) { $0.call(10 | 0x4000_0000, [0, 1, 4]) }.call.name) == "mprotect")
    let process = try call(.ptrace) { $0.call(311, [99]) }.call
    #expect(text(process.name) == "process_vm_writev" && process.request.isEmpty)
  }

  @Test func protectionAndFlags() throws {
    var found = try call(.mprotect) { $0.call(9, [0, 4096, 7, 0x22]) }.call
    #expect(texts(found.protection) == ["PROT_READ", "PROT_WRITE", "PROT_EXEC"])
    #expect(texts(found.flags) == ["MAP_PRIVATE", "MAP_ANONYMOUS"])
    // The old mmap of i386 has its arguments in memory; the hook saw what they came to.
    found = try call(.mprotect) {
      $0.call(90, [0xbfff_0006, 7, 7, 0x22], on: 0x4000_0003)
      $0.tell([LIL_PROTECTION: 6, LIL_FLAGS: 0x22])
    }.call
    #expect(texts(found.protection) == ["PROT_WRITE", "PROT_EXEC"])
    #expect(texts(found.flags) == ["MAP_PRIVATE", "MAP_ANONYMOUS"])
    #expect(texts(try call(.mount) { $0.call(165, [0, 0, 0, 0x1000]) }.call.flags) == ["MS_BIND"])
    #expect(try call(.module) { $0.call(175, [1, 8192]) }.call.size == 8192)
  }

  @Test func namespaces() throws {
    var found = try call(.clone) { $0.call(272, [0x1002_0000]) }
    #expect(texts(found.call.namespaces) == ["mount", "user"] && found.present.contains(.callNamespaces))
    #expect(texts(found.call.flags) == ["CLONE_NEWNS", "CLONE_NEWUSER"])
    // clone3 has its flags in memory; the hook tells them.
    found = try call(.clone) {
      $0.call(435, [0xffff_1234, 88])
      $0.tell([LIL_FLAGS: 0x1000_0100, LIL_NAMESPACES: 0x1000_0000])
    }
    #expect(texts(found.call.namespaces) == ["user"] && texts(found.call.flags) == ["CLONE_VM", "CLONE_NEWUSER"])
    found = try call(.clone) { $0.call(435, [0xffff_1234, 88]) }
    #expect(!found.present.contains(.callNamespaces))
  }

  @Test func theObjectIsWhatTheKernelTold() throws {
    let file = FileIdentity(device: DeviceNumber(major: 0, minor: 0xf_fffe), inode: 9)
    var surroundings = MemorySurroundings()
    surroundings.files[MemorySurroundings.key(1234, 2, file, 3)] = SeenPath(
      path: Array("/dev/pts/0".utf8), isVerified: true)
    let raw = event(.ioctl) {
      $0.call(16, [3, 0x5412])
      $0.start = 2 * (1_000_000_000 / UInt64(Clock.ticksPerSecond))
      $0.tell([
        LIL_REQUEST: 0x5412, LIL_OBJECT_DEV: 0xf_fffe, LIL_OBJECT_INO: 9, LIL_OBJECT_OWNER: 1000,
        LIL_OBJECT_MODE: 0o120_4620, LIL_FSTYPE_LOW: 0x7374_7076_6564, LIL_FSTYPE_HIGH: 0,
      ])
    }
    let found = try #require(taken(raw, surroundings)).facts
    #expect(found.object.identity == file && found.object.owner == 1000 && found.object.mode == 0o4620)
    #expect(text(found.object.fileSystemType) == "devpts")
    #expect(text(found.object.path) == "/dev/pts/0" && found.object.pathVerified)
    #expect(found.present.isSuperset(of: [.objectIdentity, .objectPermissions, .objectFileSystem, .objectPath]))
    #expect(!found.present.contains(.objectStatus), "size, group and links were not told")
    // Of other calls the first argument is no descriptor of the object.
    let module = event(.module) {
      $0.call(175, [3, 4096])
      $0.start = 2 * (1_000_000_000 / UInt64(Clock.ticksPerSecond))
      $0.tell([LIL_OBJECT_DEV: 0xf_fffe, LIL_OBJECT_INO: 9])
    }
    #expect(try #require(taken(module, surroundings)).facts.present.contains(.objectPath) == false)
  }

  @Test func namesOfModulesAndFileSystems() throws {
    let module = try call(.module) {
      $0.call(313, [3, 0, 1])
      fill(&$0.name, "dummy".utf8)
    }
    #expect(text(module.call.module) == "dummy" && module.present.contains(.callModule))
    #expect(
      !module.present.contains(.objectFileSystem) && texts(module.call.flags) == ["MODULE_INIT_IGNORE_MODVERSIONS"])
    let mount = try call(.mount) {
      $0.call(165)
      fill(&$0.name, "fuse.sshfs-of-a-long-name".utf8)
      $0.tell([LIL_FSTYPE_LOW: 0x6573_7566, LIL_FSTYPE_HIGH: 0])
    }
    #expect(text(mount.object.fileSystemType) == "fuse.sshfs-of-a-long-name" && !mount.present.contains(.callModule))
    // A text that fills its place has no NUL behind it.
    let long = try call(.module) { fill(&$0.name, repeatElement(0x61, count: 64)) }
    #expect(long.call.module.count == 64)
    let words = try call(.mount) { $0.tell([LIL_FSTYPE_LOW: 0x6867_6665_6463_6261, LIL_FSTYPE_HIGH: 0x6a69]) }
    #expect(text(words.object.fileSystemType) == "abcdefghij")
  }

  @Test func theTargetIsTheTracedProcess() throws {
    let file = FileIdentity(device: DeviceNumber(major: 8, minor: 2), inode: 7)
    var surroundings = MemorySurroundings()
    surroundings.programs[MemorySurroundings.key(99, 5, file)] = SeenPath(
      path: Array("/usr/sbin/sshd".utf8), isVerified: false)
    let raw = event {
      fill(&$0.target_comm, "sshd".utf8)
      $0.target_start = 5 * (1_000_000_000 / UInt64(Clock.ticksPerSecond))
      $0.tell([LIL_TARGET_PID: 99, LIL_TARGET_UID: 33, LIL_TARGET_DEV: 8 << 20 | 2, LIL_TARGET_INO: 7])
    }
    let found = try #require(taken(raw, surroundings)).facts
    #expect(found.target.pid == 99 && found.target.uid == 33 && text(found.target.comm) == "sshd")
    #expect(text(found.target.executable) == "/usr/sbin/sshd" && !found.target.executableVerified)
    #expect(found.present.isSuperset(of: [.targetStatus, .targetExecutable]))
    let gone = try #require(taken(raw)).facts
    #expect(gone.present.contains(.targetStatus) && !gone.present.contains(.targetExecutable))
  }
}
