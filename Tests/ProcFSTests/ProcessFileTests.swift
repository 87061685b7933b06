// The readers against this process itself: what they say must be what the C library says.

import Glibc
import ProcFS
import SystemCalls
import Testing

@Suite struct ProcessFileTests {
  private let own = getpid()

  private func content(_ file: ProcessFile, _ pid: Int32) throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    let count = try buffer.withUnsafeMutableBytes { try file.read(pid: pid, into: $0) }
    return Array(buffer[..<count])
  }

  private func link(_ file: ProcessFile) throws -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try buffer.withUnsafeMutableBytes { try file.readLink(pid: own, into: $0) }
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  @Test func ownStatusAgreesWithTheCLibrary() throws {
    var status = ProcessStatus()
    #expect(try reading(content(.status, own)) { status.read($0) })
    #expect(status.parent == getppid())
    #expect(status.uids.real == getuid() && status.uids.effective == geteuid())
    #expect(status.gids.real == getgid() && status.gids.effective == getegid())
    var groups = [gid_t](repeating: 0, count: 65536)
    let count = getgroups(65536, &groups)
    #expect(status.groups.sorted() == groups[..<Int(count)].sorted())
    let name = try Descriptor.open("/proc/self/comm", O_RDONLY).readAll(limit: 64).dropLast()
    #expect(status.name == Array(name))
  }

  @Test func ownStatIsThatOfARunningProcess() throws {
    let stat = try #require(try reading(content(.stat, own)) { ProcessStat($0) })
    let ofInit = try #require(try reading(content(.stat, 1)) { ProcessStat($0) })
    #expect(stat.startTime > ofInit.startTime)
    let uptime = String(decoding: try Descriptor.open("/proc/uptime", O_RDONLY).readAll(limit: 100), as: UTF8.self)
    let seconds = try #require(UInt64(uptime.prefix { $0 != "." }))
    #expect(stat.startTime / UInt64(sysconf(Int32(_SC_CLK_TCK))) <= seconds)
  }

  @Test func ownLinksLeadWhereTheyShould() throws {
    var buffer = [CChar](repeating: 0, count: 4096)
    let folder = getcwd(&buffer, buffer.count).map { String(cString: $0) }
    #expect(try link(.cwd) == folder)
    #expect(try link(.root) == "/")
    #expect(try link(.exe) == String(decoding: readLink("/proc/self/exe"), as: UTF8.self))
    #expect(try ProcessFile.exe.status(pid: own).isSameFile(as: FileStatus.of(path: try link(.exe))))
    #expect(try ProcessFile.userNamespace.status(pid: own).inode == FileStatus.of(path: "/proc/self/ns/user").inode)
    #expect(try ProcessFile.mountNamespace.status(pid: own).inode == FileStatus.of(path: "/proc/self/ns/mnt").inode)
  }

  @Test func ownArgumentsBeginWithTheProgram() throws {
    let arguments = try content(.cmdline, own)
    #expect(String(decoding: arguments.prefix { $0 != 0 }, as: UTF8.self) == CommandLine.arguments.first)
    #expect(arguments.count { $0 == 0 } >= CommandLine.arguments.count)
  }

  @Test(arguments: [0, -1, .max, 4_194_305] as [Int32])
  func aProcessThatIsNotThereIsNoEntry(_ pid: Int32) {
    for file in [ProcessFile.status, .stat, .cgroup, .cmdline] {
      #expect(throws: Errno.noEntry) { _ = try self.content(file, pid) }
    }
    #expect(throws: Errno.noEntry) { _ = try ProcessFile.exe.status(pid: pid) }
  }

  @Test(
    arguments: [
      (ProcessFile.status, 7, "/proc/7/status"), (.userNamespace, 4_194_304, "/proc/4194304/ns/user"),
      (.loginuid, .max, "/proc/2147483647/loginuid"), (.exe, 10, "/proc/10/exe"),
    ] as [(ProcessFile, Int32, String)])
  func aPathIsSpelt(_ file: ProcessFile, _ pid: Int32, _ expected: String) {
    #expect(file.withPath(pid: pid) { String(cString: $0) } == expected)
    let suffix = "/" + String(repeating: "x", count: 4000)
    #expect(
      reading(suffix.utf8) { part in file.withPath(pid: pid, suffix: part) { String(cString: $0) } } == expected
        + suffix)
  }

  @Test(arguments: [0, 7, 10, 99, 1024, .max] as [Int32])
  func aDescriptorsPathIsSpelt(_ descriptor: Int32) {
    #expect(DescriptorLink.withPath(descriptor) { String(cString: $0) } == "/proc/self/fd/\(descriptor)")
  }

  @Test func whatDoesNotFitIsCut() throws {
    var small = [UInt8](repeating: 0, count: 10)
    let count = try small.withUnsafeMutableBytes { try ProcessFile.status.read(pid: own, into: $0) }
    #expect(count == 10)
    #expect(small == Array(try content(.status, own)[..<10]))
  }

  @Test func theListOfProcessesHoldsThisOne() {
    let pids = ProcessList.pids()
    #expect(pids.contains(own) && pids.contains(1))
    #expect(pids.allSatisfy { $0 > 0 } && Set(pids).count == pids.count)
  }

  @Test func anArrayKeepsItsStorageWhenItIsFilledAgain() {
    var array = bytes("a long text to begin with")
    let capacity = array.capacity
    reading("short".utf8) { array.replace(with: $0) }
    #expect(array == bytes("short") && array.capacity == capacity)
    reading([]) { array.replace(with: $0) }
    #expect(array.isEmpty)
  }
}
