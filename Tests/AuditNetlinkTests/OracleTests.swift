// Records thousands of real events, with programs and arguments of hostile names, and compares what AuditNetlink makes
// of them with what libauparse makes of the same log.

import AuditNetlink
import Foundation
import SystemCalls
import Testing

extension AuditKernelTests {
  /// A user that nobody else is, so that only the workload is recorded.
  private static let user: UInt32 = 54_321

  @Test func libauparseReadsTheSameEvents() async throws {
    try await AuditHost.withAudit { control in
      for (index, calls) in Self.workloadCalls.enumerated() {
        try control.add(
          try #require(
            AuditRule(
              architecture: .native, calls: calls, conditions: [.init(.uid, .equal, Self.user)],
              key: AuditHost.keyPrefix + "oracle\(index)")))
      }
      let stream = try await AuditHost.stream(control, receiveBuffer: 256 << 20)
      let lost = try control.status().lost
      _ = try AuditHost.python(Self.workload)
      try await AuditHost.settle(control)
      let texts = try AuditHost.texts(stream)
      try #require(try stream.drops() == 0 && stream.truncatedCount == 0)
      try #require(try control.status().lost == lost)
      try compare(texts)
    }
  }

  private func compare(_ texts: [(type: UInt16, text: [UInt8])]) throws {
    let log = FileManager.default.temporaryDirectory.appendingPathComponent("lilium-audit-\(UUID().uuidString).log")
    defer { try? FileManager.default.removeItem(at: log) }
    try Data(texts.flatMap { AuparseOracle.line(type: $0.type, text: $0.text) }).write(to: log)
    let theirs = try AuparseOracle.events(ofLog: log.path)
    var assembler = EventAssembler()
    var ours: [AuditEvent] = []
    for (index, text) in texts.enumerated() {
      text.text.withUnsafeBytes { assembler.add(type: text.type, text: $0, now: UInt64(index)) }
      while let event = assembler.takeReady(now: UInt64(index)) { ours.append(event) }
    }
    assembler.flush()
    while let event = assembler.takeReady(now: .max) { ours.append(event) }
    #expect(assembler.counters == .init(), "no record of the kernel is malformed, late or left out")
    #expect(ours.count >= 5000)
    #expect(Set(ours.map(identity)) == Set(theirs.keys) && ours.count == theirs.count)
    var compared = Comparison()
    for event in ours {
      let other = try #require(theirs[identity(event)])
      compared.add(event, other)
    }
    #expect(compared.differences.isEmpty, "\(compared.differences.count): \(compared.differences.prefix(3))")
    #expect(compared.decoded > 10_000 && compared.hostile > 1000)
    #expect(compared.types.isSuperset(of: Self.workloadTypes), "\(compared.types.sorted())")
  }

  private func identity(_ event: AuditEvent) -> OracleIdentity {
    OracleIdentity(milliseconds: event.time / 1_000_000, serial: event.serial)
  }

  private static let workloadCalls: [[KnownCall]] = [
    [.mmap, .mprotect, .pkeyMprotect], [.ptrace, .processVMReadv, .processVMWritev, .pidfdGetfd],
    [.mount, .umount2, .moveMount, .fsopen, .openTree, .mountSetattr, .pivotRoot],
    [.unshare, .setns, .clone, .clone3, .capset], [.ioctl, .initModule, .finitModule, .deleteModule, .kexecLoad],
  ]

  private static let workloadTypes: Set<UInt16> = [
    AuditType.syscall, AuditType.path, AuditType.cwd, AuditType.proctitle, AuditType.mmap, AuditType.objPID,
    AuditType.capset,
  ]

  /// Four processes at once, so that their events interleave.
  private static let workload = """
    import shutil, subprocess, tempfile
    base = tempfile.mkdtemp(prefix='lilium-oracle-')
    os.chmod(base, 0o755)
    names = [b'plain', b'a b', b'quo"te', b"apos'trophe", 'é漢字'.encode(), b'new\\nline', b'pid=1 uid=0',
      b'DEADBEEF', b'(null)', b'x" key="forged', bytes([0xff, 0xfe, 1, 0x1d, 0x7f]), b'C' * 200]
    folders = []
    for name in names:
      folder = os.path.join(base.encode(), name)
      os.mkdir(folder, 0o755)
      shutil.copy('/bin/true', os.path.join(folder, name))
      os.chmod(os.path.join(folder, name), 0o755)
      folders.append(folder)
    numbers = \(workloadNumbers)
    def attempt(name, *words):
      if name in numbers: call(numbers[name], *words)
    def work():
      os.setresgid(54321, 54321, 54321)
      os.setresuid(54321, 54321, 54321)
      for index, folder in enumerate(folders):
        name = names[index]
        os.chdir(folder)
        libc.prctl(15, ctypes.c_char_p(name[:15]), 0, 0, 0)
        for _ in range(6):
          subprocess.run([os.path.join(folder, name), name, b'two words'], env={})
        child = os.fork()
        if child == 0:
          os.read(stop[0], 1)
          os._exit(0)
        for _ in range(20): attempt('ptrace', 0x4206, child, 0, 0)
        attempt('ptrace', 17, child, 0, 0)
        os.kill(child, 9)
        os.waitpid(child, 0)
        text = ctypes.c_char_p(name)
        for _ in range(8):
          attempt('mount', text, text, text, 0, text)
          attempt('umount2', text, 2)
          attempt('open_tree', -100, text, 0)
          attempt('pivot_root', text, text)
          attempt('fsopen', text, 0)
          attempt('unshare', 0x4000000)
          attempt('setns', -1, 0)
          attempt('ioctl', -1, 0x5401, 0)
          attempt('delete_module', text, 0)
          attempt('finit_module', -1, text, 0)
          attempt('process_vm_readv', os.getpid(), 0, 0, 0, 0, 0)
          head = (ctypes.c_uint32 * 2)(0x20080522, 0)
          sets = (ctypes.c_uint32 * 6)()
          attempt('capset', head, sets)
    stop = os.pipe()
    workers = []
    for _ in range(4):
      worker = os.fork()
      if worker == 0:
        work()
        os._exit(0)
      workers.append(worker)
    failed = [os.waitpid(worker, 0)[1] for worker in workers]
    shutil.rmtree(base)
    assert failed == [0, 0, 0, 0], failed
    """

  /// As a Python dictionary.
  private static let workloadNumbers: String = {
    let entries = KnownCall.allCases.compactMap { call in
      call.number(on: .native).map { "'\(call.name)': \($0)" }
    }
    return "{\(entries.joined(separator: ", "))}"
  }()
}

/// What differs between the two readings.
private struct Comparison {
  var differences: [String] = []
  var types: Set<UInt16> = []
  /// Texts of a user's choice that both decoded, and how many of them the kernel had to encode.
  var decoded = 0
  var hostile = 0

  mutating func add(_ event: AuditEvent, _ other: OracleEvent) {
    // libauparse ends an event at PROCTITLE as well, and keeps no EOE.
    let entries = event.entries.filter { $0.type != AuditType.eoe }
    let records = other.records.filter { $0.type != AuditType.eoe }
    guard entries.map(\.type) == records.map(\.type) else {
      differences.append("\(event.serial): types \(entries.map(\.type)) and \(records.map(\.type))")
      return
    }
    for (entry, record) in zip(entries, records) { add(entry, record) }
  }

  private mutating func add(_ entry: AuditEntry, _ record: OracleRecord) {
    types.insert(entry.type)
    // The record's type is libauparse's first field.
    let fields = record.fields.filter { $0.name != "type" }
    guard entry.names == fields.map(\.name) else {
      differences.append("\(entry.serial): fields \(entry.names) and \(fields.map(\.name))")
      return
    }
    for field in fields {
      if entry.raw(field.name) != field.raw {
        differences.append("\(entry.serial): \(field.name) is \(entry.raw(field.name) ?? []), not \(field.raw)")
      }
      guard let theirs = field.decoded, let ours = entry.text(field.name) else { continue }
      decoded += 1
      if field.raw.first != UInt8(ascii: "\"") { hostile += 1 }
      if Self.asLibauparseShows(ours, of: field.name) != theirs {
        differences.append("\(entry.serial): \(field.name) says \(ours), not \(theirs)")
      }
    }
  }

  /// libauparse's texts end at a NUL, but for the command line, whose words it puts blanks between.
  private static func asLibauparseShows(_ bytes: [UInt8], of name: String) -> [UInt8] {
    name == "proctitle" ? bytes.map { $0 == 0 ? 0x20 : $0 } : Array(bytes.prefix { $0 != 0 })
  }
}
