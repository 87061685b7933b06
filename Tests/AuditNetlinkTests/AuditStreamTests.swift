// Tests the reading of real records: an event of a child, the filter, strangers on the socket, and every loss counted.

import AuditNetlink
import Glibc
import SystemCalls
import Testing

extension AuditKernelTests {
  @Test func aChildsCallIsRead() async throws {
    try await AuditHost.withAudit { control in
      try control.add(try probeRule)
      let stream = try await AuditHost.stream(control, types: Self.callTypes)
      #expect(stream.receiveBuffer >= 1 << 20)
      let pid = Int64(
        try AuditHost.python("print(os.getpid())\n\(Self.probe)").split(separator: "\n")[0])
      let events = AuditHost.events(try AuditHost.read(stream)).filter { $0.syscall?.decimal("pid") == pid }
      try #require(events.count == 1)
      let call = try #require(events[0].syscall)
      #expect(!events[0].isTorn && events[0].first(AuditType.proctitle) != nil)
      #expect(call.hexadecimal("arch") == UInt64(AuditArchitecture.native.rawValue))
      #expect(call.decimal("syscall") == KnownCall.ptrace.number(on: .native).map(Int64.init))
      #expect(call.decimal("exit") == Int64(-ESRCH) && call.word("success") == "no")
      #expect(call.hexadecimal("a1") == 0xffff_ffff_ffff_ffff && call.hexadecimal("a3") == 0x4c494c)
      #expect(call.decimal("uid") == 0 && call.text("comm") == Array("python3".utf8))
      #expect(call.text("key") == Array(try probeRule.key.utf8))
      #expect(abs(events[0].time - Clock.realtime()) < 60_000_000_000)
      #expect(try stream.drops() == 0 && stream.overrunCount == 0 && stream.truncatedCount == 0)
      #expect(stream.strangerCount == 0)
    }
  }

  #if arch(x86_64)
    /// `int 0x80` in a 64-bit program is an i386 call: it takes a rule of its own.
    @Test func aCallByTheOtherConventionIsRead() async throws {
      try await AuditHost.withAudit { control in
        try control.add(try rule([.ptrace], [.init(.argument3, .equal, 0x4c494c)], on: .i386))
        let stream = try await AuditHost.stream(control, types: Self.callTypes)
        _ = try AuditHost.python(
          """
          import mmap
          code = mmap.mmap(-1, 4096, prot=7)
          code.write(bytes.fromhex('53b81a000000bb10000000b9ffffffff31d2be4c494c00cd805bc3'))
          address = ctypes.addressof(ctypes.c_char.from_buffer(code))
          assert ctypes.CFUNCTYPE(ctypes.c_int)(address)() == -3
          \(Self.probe)
          """)
        let calls = try AuditHost.read(stream).filter { $0.type == AuditType.syscall }
        try #require(calls.count == 1, "the 64-bit call beside it has no rule")
        #expect(calls[0].hexadecimal("arch") == UInt64(AuditArchitecture.i386.rawValue))
        let number = UInt32(exactly: calls[0].decimal("syscall") ?? -1) ?? 0
        #expect(KnownCall(number: number, on: .i386) == .ptrace)
      }
    }
  #endif

  static let callTypes: Set<UInt16> = [AuditType.syscall, AuditType.proctitle, AuditType.eoe]

  /// Only what was asked for comes, and what the filter keeps out is no loss.
  @Test func theFilterLetsOnlyItsTypesIn() async throws {
    try await AuditHost.withAudit { control in
      try control.add(try probeRule)
      try await AuditHost.settle(control)
      let calls = try AuditStream(receiveBuffer: 1 << 20, types: [AuditType.syscall])
      let ends = try AuditStream(receiveBuffer: 1 << 20, types: [AuditType.eoe, AuditType.path])
      let other = try AuditStream(receiveBuffer: 1 << 20, types: Set((1500...1599).map { UInt16($0) }))
      let all = try AuditStream(receiveBuffer: 1 << 20)
      _ = try AuditHost.python("for _ in range(20): \(Self.probe)")
      let seen = try [calls, ends, all].map { Set(try AuditHost.read($0).map(\.type)) }
      #expect(seen[0] == [AuditType.syscall] && seen[1] == [AuditType.eoe])
      #expect(seen[2].isSuperset(of: Self.callTypes))
      #expect(try AuditHost.read(other, quiet: 50).isEmpty)
      for stream in [calls, ends, other, all] { #expect(try stream.drops() == 0) }
    }
    #expect(throws: Errno(E2BIG)) { try AuditStream(receiveBuffer: 4096, types: Set(0...1024)) }
  }

  /// The kernel looks at the low half of an argument and compares without sign.
  @Test(arguments: [
    (AuditCondition(.argument3, .equal, 0x4c494c), "0x1004c494c", true),
    (AuditCondition(.argument3, .equal, 0x4c494c), "0x4c494d", false),
    (AuditCondition(.argument3, .bitTest, 6), "7", true), (AuditCondition(.argument3, .bitTest, 6), "5", false),
    (AuditCondition(.argument3, .bitMask, 6), "5", true),
    (AuditCondition(.argument3, .bitMask, 6), "0x600000001", false),
    (AuditCondition(.argument3, .greater, 0x7fff_ffff), "-1", true),
    (AuditCondition(.argument3, .less, 2), "0x100000001", true),
    (AuditCondition(.exit, .equal, UInt32(bitPattern: -ESRCH)), "1", true),
    (AuditCondition(.exit, .greaterOrEqual, 0), "1", true), (AuditCondition(.success, .equal, 1), "1", false),
    (AuditCondition(.success, .equal, 0), "1", true),
  ])
  func aConditionMeansWhatItSays(_ condition: AuditCondition, _ word: String, _ isSeen: Bool) async throws {
    try await AuditHost.withAudit { control in
      try control.add(
        try #require(
          AuditRule(
            architecture: .native, calls: [.ptrace], conditions: [condition, .init(.argument0, .equal, 0x10)],
            key: AuditHost.keyPrefix + "c")))
      let stream = try await AuditHost.stream(control, types: [AuditType.syscall])
      let call = "call(\(KnownCall.ptrace.number(on: .native) ?? 0), 16, -1, 0, \(word))"
      _ = try AuditHost.python(call)
      let seen = try AuditHost.read(stream, quiet: 100).filter { $0.hexadecimal("a0") == 16 }
      #expect(seen.count == (isSeen ? 1 : 0))
    }
  }

  /// Root may send to the socket; what it sends is no record.
  @Test func whatTheKernelDidNotSendIsPassedOver() async throws {
    try await AuditHost.withAudit { control in
      try control.add(try probeRule)
      let stream = try await AuditHost.stream(control, types: Self.callTypes)
      let text = "audit(1.000:1): arch=c000003e syscall=101 pid=1 comm=\"forged\""
      try Netlink.send(type: AuditType.syscall, text, to: Netlink.port(of: stream.descriptor))
      try Netlink.send(type: AuditType.eoe, "audit(1.000:1): ", to: Netlink.port(of: stream.descriptor))
      _ = try AuditHost.python(Self.probe)
      let entries = try AuditHost.read(stream)
      #expect(entries.allSatisfy { $0.text("comm") != Array("forged".utf8) && $0.serial != 1 })
      #expect(entries.count == 3, "the child's records still come")
      #expect(stream.strangerCount == 2)
    }
  }

  @Test func whatDoesNotFitIsCounted() async throws {
    try await AuditHost.withAudit { control in
      try control.add(try probeRule)
      let stream = try await AuditHost.stream(control, types: Self.callTypes)
      _ = try AuditHost.python(Self.probe)
      // Room for EOE, not for SYSCALL.
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 80, alignment: 16)
      defer { buffer.deallocate() }
      var types: [UInt16] = []
      while try waitForEvents([(stream.descriptor, PollEvents.input)], milliseconds: 300) != [0] {
        while let received = try stream.receive(into: buffer) {
          #expect(received.text.lowerBound == 16 && received.text.upperBound <= 80)
          types.append(received.type)
        }
      }
      #expect(types.last == AuditType.eoe && !types.contains(AuditType.syscall))
      #expect(stream.truncatedCount + UInt64(types.count) == 3)
    }
  }

  /// A buffer of the smallest size under a storm: what came and what was dropped make up what was caused, to the unit.
  @Test func everyDroppedRecordIsCounted() async throws {
    try await AuditHost.withAudit { control in
      try control.add(try probeRule)
      let small = try AuditStream(receiveBuffer: 4096, types: Self.callTypes)
      let large = try await AuditHost.stream(control, receiveBuffer: 64 << 20, types: Self.callTypes)
      _ = try AuditHost.read(small, quiet: 50)
      let before = try small.drops()
      let lost = try control.status().lost
      #expect(large.receiveBuffer >= 64 << 20)
      let calls = 5000
      _ = try AuditHost.python("for _ in range(\(calls)): \(Self.probe)")
      try await AuditHost.settle(control)
      let entries = try AuditHost.read(large)
      let caused = entries.count
      let received = try AuditHost.read(small).count
      let dropped = try small.drops() - before
      let key = Array(try probeRule.key.utf8)
      let own = AuditHost.events(entries).filter { $0.syscall?.text("key") == key }
      #expect(own.count == calls && own.allSatisfy { !$0.isTorn }, "the large buffer holds them all")
      #expect(caused >= 3 * calls, "SYSCALL, PROCTITLE and EOE of each")
      #expect(try large.drops() == 0)
      #expect(dropped > 0 && received > 0 && small.overrunCount > 0)
      #expect(UInt64(received) + dropped == UInt64(caused))
      #expect(try control.status().lost == lost, "the kernel's own meter does not see it")
    }
  }

  @Test func ownMessagesAreLoggedEvenWhileAuditingIsOff() async throws {
    try await AuditHost.withAudit { control in
      let stream = try await AuditHost.stream(control, types: [AuditType.userAVC])
      let text = "lilium: test=\(UInt64.random(in: 0...(.max))) path=2F746D70"
      try control.logUserMessage(Array(text.utf8))
      try control.setEnabled(false)
      try control.logUserMessage(Array((text + "b").utf8))
      let longest = [UInt8](repeating: 0x61, count: AuditControl.maximumMessage)
      try control.logUserMessage(longest)
      try control.setEnabled(true)
      let expected = [Array(text.utf8), Array((text + "b").utf8), longest]
      let entries = try AuditHost.read(stream).filter { $0.text("msg").map(expected.contains) == true }
      #expect(entries.map { $0.text("msg") } == expected)
      #expect(entries.allSatisfy { $0.decimal("pid") == Int64(getpid()) })
      for bad in ["it's", "a\nb", "é", "\0"] {
        #expect(throws: Errno.invalid) { try control.logUserMessage(Array(bad.utf8)) }
      }
      #expect(throws: Errno(EMSGSIZE)) { try control.logUserMessage(longest + [0x61]) }
    }
  }

  @Test func removedRulesAreTold() async throws {
    try await AuditHost.withAudit { control in
      let rule = try probeRule
      let stream = try AuditStream(receiveBuffer: 1 << 20, types: [AuditType.configChange])
      try control.add(rule)
      try control.delete(rule)
      let entries = try AuditHost.read(stream)
      #expect(entries.map { $0.word("op") } == ["add_rule", "remove_rule"])
      #expect(entries.allSatisfy { $0.text("key") == Array(rule.key.utf8) && $0.decimal("res") == 1 })
    }
  }
}

/// What a stranger on the socket family may do: struct sockaddr_nl and struct nlmsghdr by hand.
private enum Netlink {
  private static let family: UInt16 = 16
  private static let audit: Int32 = 9

  private static func address(_ port: UInt32) -> [UInt8] {
    bytes(of: family) + [0, 0] + bytes(of: port) + bytes(of: 0 as UInt32)
  }

  private static func bytes<Value>(of value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  static func port(of descriptor: Int32) throws -> UInt32 {
    var own = address(0)
    var length = socklen_t(own.count)
    let found = own.withUnsafeMutableBytes {
      getsockname(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
    }
    try #require(found == 0)
    return own.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self) }
  }

  static func send(type: UInt16, _ text: String, to port: UInt32) throws {
    let stranger = Descriptor(owning: socket(Int32(family), Int32(SOCK_RAW.rawValue), audit))
    let message =
      bytes(of: UInt32(16 + text.utf8.count)) + bytes(of: type) + bytes(of: 1 as UInt16) + bytes(of: 1 as UInt32)
      + bytes(of: 0 as UInt32) + Array(text.utf8)
    let sent = address(port).withUnsafeBytes {
      sendto(
        stranger.rawValue, message, message.count, 0, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t($0.count))
    }
    try #require(sent == message.count, "\(Errno(errno))")
  }
}
