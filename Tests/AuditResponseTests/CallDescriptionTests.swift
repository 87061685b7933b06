// Holds what the facts of each call say of it: names of requests, flags, targets, modules, namespaces.

import AccessModel
import Testing

@testable import AuditNetlink
@testable import AuditResponse

@Suite("Descriptions of calls")
struct CallDescriptionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var mechanism: Mechanism
    var line: RecordText
    var request = ""
    var flags: [String] = []
    var protection: [String] = []
    var namespaces: [String]?
    var size: UInt64 = 0
    var testDescription: String { "\(line.call.name) \(line.arguments) on \(line.architecture.machine)" }

    init(
      _ mechanism: Mechanism, _ call: KnownCall, _ arguments: [UInt64], on architecture: AuditArchitecture = .x86_64,
      request: String = "", flags: [String] = [], protection: [String] = [], namespaces: [String]? = nil,
      size: UInt64 = 0
    ) {
      self.mechanism = mechanism
      line = RecordText(call: call, architecture: architecture, arguments: arguments)
      self.request = request
      self.flags = flags
      self.protection = protection
      self.namespaces = namespaces
      self.size = size
    }
  }

  private static let readWriteExecute = ["PROT_READ", "PROT_WRITE", "PROT_EXEC"]

  static let requests = [
    Case(.ptrace, .ptrace, [16, 99], request: "PTRACE_ATTACH"),
    Case(.ptrace, .ptrace, [0x4206, 99], on: .i386, request: "PTRACE_SEIZE"),
    Case(.ptrace, .ptrace, [0xffff], request: "0xffff"),
    Case(.ioctl, .ioctl, [3, 0x5412], request: "TIOCSTI"),
    // The kernel looks at 32 bits of it; a sign that was extended is not part of the request.
    Case(.ioctl, .ioctl, [3, 0xffff_ffff_c004_5877], on: .aarch64, request: "FIFREEZE"),
    Case(.ioctl, .ioctl, [3, 0xdead_beef], request: "0xdeadbeef"),
    Case(.ptrace, .processVMWritev, [99]), Case(.ptrace, .pidfdGetfd, [3, 4]),
  ]

  static let memory = [
    Case(
      .mprotect, .mmap, [0, 4096, 7, 0x22], flags: ["MAP_PRIVATE", "MAP_ANONYMOUS"], protection: readWriteExecute),
    Case(
      .mprotect, .mmap2, [0, 4096, 6, 1], on: .i386, flags: ["MAP_SHARED"], protection: ["PROT_WRITE", "PROT_EXEC"]),
    Case(.mprotect, .mprotect, [4096, 4096, 5], protection: ["PROT_READ", "PROT_EXEC"]),
    Case(.mprotect, .pkeyMprotect, [4096, 4096, 0x14, 1], on: .aarch64, protection: ["PROT_EXEC", "0x10"]),
    // The old call's arguments are in memory: what stands in the record is an address.
    Case(.mprotect, .mmap, [0xbfff_0006, 7, 7, 0x22], on: .i386),
  ]

  static let mounts = [
    Case(.mount, .mount, [1, 2, 3, 0x1006], flags: ["MS_NOSUID", "MS_NODEV", "MS_BIND"]),
    Case(.mount, .mount, [1, 2, 3, 0xc0ed_0001], flags: ["MS_RDONLY"]),
    Case(.mount, .mount, [1, 2, 3, 0xffff_ffff_0000_0020], flags: ["MS_REMOUNT"]),
    Case(.mount, .umount2, [1, 10], flags: ["MNT_DETACH", "UMOUNT_NOFOLLOW"]),
    Case(.mount, .umount, [1, 10], on: .i386), Case(.mount, .moveMount, [3, 4, 5, 6]),
    Case(.mount, .fsmount, [3, 1, 0xa], flags: ["MOUNT_ATTR_NOSUID", "MOUNT_ATTR_NOEXEC"]),
    Case(.mount, .openTree, [3, 4, 0x8_8001], flags: ["OPEN_TREE_CLONE", "AT_RECURSIVE", "OPEN_TREE_CLOEXEC"]),
    Case(.mount, .mountSetattr, [3, 4, 0x9000], flags: ["AT_EMPTY_PATH", "AT_RECURSIVE"]),
    Case(.mount, .pivotRoot, [1, 2]),
  ]

  static let namespaces = [
    // 17 is the signal that the child ends with.
    Case(.clone, .clone, [0x1002_0011], flags: ["CLONE_NEWNS", "CLONE_NEWUSER"], namespaces: ["mount", "user"]),
    Case(
      .clone, .clone, [0x7e02_0080],
      flags: [
        "CLONE_NEWNS", "CLONE_NEWCGROUP", "CLONE_NEWUTS", "CLONE_NEWIPC", "CLONE_NEWUSER", "CLONE_NEWPID",
        "CLONE_NEWNET",
      ], namespaces: ["cgroup", "ipc", "mount", "net", "pid", "user", "uts"]),
    Case(
      .clone, .unshare, [0x4000_0280], on: .arm, flags: ["CLONE_NEWTIME", "CLONE_FS", "CLONE_NEWNET"],
      namespaces: ["net", "time"]),
    Case(.clone, .setns, [3, 0x2000_0000], flags: ["CLONE_NEWPID"], namespaces: ["pid"]),
    Case(.clone, .setns, [3, 0]), Case(.clone, .clone3, [0x7fff_0000, 88]),
  ]

  static let kernel = [
    Case(.module, .initModule, [0x7fff_0000, 123_456, 1], size: 123_456),
    Case(.module, .finitModule, [3, 2, 3], flags: ["MODULE_INIT_IGNORE_MODVERSIONS", "MODULE_INIT_IGNORE_VERMAGIC"]),
    Case(.module, .deleteModule, [1, 0xa00], flags: ["O_TRUNC", "O_NONBLOCK"]),
    Case(.kexec, .kexecLoad, [1, 2, 3, 0x3e_0001], flags: ["KEXEC_ON_CRASH"]),
    Case(.kexec, .kexecLoad, [1, 2, 3, 0x100], flags: ["0x100"]), Case(.kexec, .kexecFileLoad, [3, 4]),
  ]

  @Test(arguments: requests + memory + mounts + namespaces + kernel)
  func factsOfACall(_ test: Case) throws {
    let record = try test.line.record()
    let facts = described(test.mechanism, record)
    let call = facts.call
    #expect(facts.present.contains(.call))
    #expect(text(call.name) == test.line.call.name && text(call.architecture) == test.line.architecture.machine)
    #expect(text(call.request) == test.request)
    #expect(
      call.requestNumber
        == (test.request.isEmpty ? 0 : record.arguments[test.mechanism == .ptrace ? 0 : 1] & 0xffff_ffff))
    #expect(texts(call.flags) == test.flags && texts(call.protection) == test.protection && call.size == test.size)
    #expect(call.result == 0 && call.succeeded && call.serial == 77 && call.time == test.line.time)
    #expect(facts.present.contains(.callNamespaces) == (test.namespaces != nil))
    if let namespaces = test.namespaces { #expect(texts(call.namespaces) == namespaces) }
    // What a call has nothing of is undecided, not empty.
    #expect(facts.present.isDisjoint(with: [.callSource, .callModule, .objectFileSystem, .objectStatus]))
    #expect(facts.missing(of: FactSet.ofCall.union(.object)) == [])
    #expect(!facts.object.pathVerified || !facts.present.contains(.objectPath))
  }

  @Test(arguments: [-1, -13, -22, -38] as [Int64])
  func anAttemptIsRecordedAsOne(_ error: Int64) throws {
    for call in KnownCall.allCases where call.number(on: .x86_64) != nil {
      let record = try RecordText(call: call, success: "no", exit: "\(error)").record()
      let facts = described(.mount, record)
      #expect(facts.call.result == error && !facts.call.succeeded, "\(call.name)")
      let request = CallRequest(
        record, mechanism: .mount, received: 0, caller: nil, mount: nil, namespaces: nil)
      let answered = request.answer(.deny, facts) { false }
      #expect(answered == .done(.logged), "nothing is done about what did not happen")
    }
  }

  // MARK: - The traced process

  @Test func theTargetIsTheKernels() throws {
    var line = RecordText(call: .ptrace, arguments: [16, 99])
    line.others = [(AuditType.objPID, #"opid=812 oauid=-1 ouid=-2 oses=-1 obj=unconfined ocomm="sshd""#)]
    let facts = described(.ptrace, try line.record())
    #expect(facts.present.contains(.targetStatus) && !facts.failed.contains(.targetExecutable))
    // The kernel writes this user id as a signed number.
    #expect(facts.target.pid == 812 && facts.target.uid == 4_294_967_294 && text(facts.target.comm) == "sshd")
  }

  @Test(arguments: ["opid=99999999999 ouid=0", "ouid=0", "opid=812", "opid=x ouid=0"])
  func aTargetThatIsNotNamedIsNotKnown(_ line: String) throws {
    var record = RecordText(call: .ptrace, arguments: [16, 99])
    record.others = [(AuditType.objPID, line)]
    let facts = described(.ptrace, try record.record())
    #expect(!facts.present.contains(.targetStatus))
    #expect(facts.failed.isSuperset(of: [.targetStatus, .targetExecutable]))
  }

  @Test func whoAsksToBeTracedIsTheTarget() throws {
    let record = try RecordText(call: .ptrace, arguments: [0]).record()
    let facts = described(.ptrace, record)
    #expect(facts.present.contains(.targetStatus))
    #expect(facts.target.pid == 4242 && facts.target.uid == 1001 && text(facts.target.comm) == "bash")
  }

  /// What was in the sheet from the request before is not this caller's.
  @Test func whoAsksToBeTracedHasTheIdentityOfItsRecord() throws {
    var line = RecordText(call: .ptrace, arguments: [0])
    line.uids.replace(" uid=1001", with: "")
    let record = try line.record()
    let facts = Facts()
    facts.subject.uid = 0
    facts.begin(pid: record.pid, operation: .call)
    CallRequest(record, mechanism: .ptrace, received: 0, caller: nil, mount: nil, namespaces: nil).describe(into: facts)
    #expect(!facts.present.contains(.targetStatus), "user \(facts.target.uid)")
  }

  // MARK: - Modules and files

  @Test func theModuleIsTheKernels() throws {
    var line = RecordText(call: .deleteModule, arguments: [1, 0x800])
    line.others = [(AuditType.kernModule, #"name="nf_tables""#)]
    let facts = described(.module, try line.record())
    #expect(facts.present.contains(.callModule) && text(facts.call.module) == "nf_tables")
    line.others = [(AuditType.kernModule, "name=\(RecordText.hexadecimal("a b".utf8))")]
    #expect(text(described(.module, try line.record()).call.module) == "a b")
    line.others = [(AuditType.kernModule, "name=(null)")]
    #expect(described(.module, try line.record()).failed.contains(.callModule))
  }

  @Test func aPlaceFromTextAloneIsNotVerified() throws {
    let facts = described(.mount, try RecordText(call: .umount2).naming([#""/mnt/x""#]).record())
    #expect(facts.present.contains(.objectPath) && text(facts.object.path) == "/mnt/x" && !facts.object.pathVerified)
    #expect(!facts.present.contains(.callSource))
  }

  @Test func aMountThatWasFoundTellsAll() throws {
    let record = try RecordText(call: .mount).naming([#""/mnt/x""#]).record()
    let finding = try #require(
      MountFinding(
        record,
        MountLedger.Difference(
          namespace: 1, isInitial: true, added: [entry(9, "/mnt/x", type: "nfs", source: "host:/x")], removed: [],
          table: [entry(9, "/mnt/x", type: "nfs", source: "host:/x")], firstSeen: [:], isFirstLook: false)))
    let facts = described(.mount, record, mount: finding)
    #expect(facts.present.isSuperset(of: [.objectPath, .objectFileSystem, .callSource]))
    #expect(text(facts.object.path) == "/mnt/x" && facts.object.pathVerified)
    #expect(text(facts.object.fileSystemType) == "nfs" && text(facts.call.source) == "host:/x")
  }
}
