// The kernel's audit system for one test at a time: switched on, and left as it was found.

import AuditNetlink
import Foundation
import Glibc
import SystemCalls
import Testing

/// What the kernel tests share. Root is needed.
enum AuditHost {
  static let keyPrefix = "lilium.test."
  /// Every test that touches the kernel's audit system holds this file's lock meanwhile.
  private static let lock = "/tmp/lilium-audit-tests.lock"

  static func withAudit<Result>(_ body: (AuditControl) async throws -> Result) async throws -> Result {
    let guardian = try Descriptor.open(lock, O_RDWR | O_CREAT, mode: 0o600)
    while flock(guardian.rawValue, LOCK_EX | LOCK_NB) != 0 { try await Task.sleep(for: .milliseconds(20)) }
    let control = try AuditControl()
    let before = try control.status()
    try removeOwnRules(control)
    if !before.isOn { try control.setEnabled(true) }
    do {
      let result = try await body(control)
      try restore(control, before)
      return result
    } catch {
      try restore(control, before)
      throw error
    }
  }

  private static func restore(_ control: AuditControl, _ before: AuditStatus) throws {
    try removeOwnRules(control)
    if !before.isOn { try control.setEnabled(false) }
    let after = try control.status()
    #expect(after.enabled == before.enabled && after.failure == before.failure)
    #expect(after.backlogLimit == before.backlogLimit)
  }

  static func own(_ control: AuditControl) throws -> [ListedRule] {
    try control.rules().filter { $0.key.starts(with: keyPrefix.utf8) }
  }

  private static func removeOwnRules(_ control: AuditControl) throws {
    for rule in try own(control) { try control.delete(rule) }
  }

  /// Until the kernel's queue is empty: what was caused before is behind us.
  static func settle(_ control: AuditControl) async throws {
    for _ in 0..<500 {
      if try control.status().backlog == 0 { break }
      try await Task.sleep(for: .milliseconds(10))
    }
    try await Task.sleep(for: .milliseconds(50))
  }

  /// Runs a program to its end; its exit status and what it wrote.
  @discardableResult
  static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }

  /// Runs a Python program that may call the kernel by number: `call(NUMBER, ARGUMENTS...)`.
  static func python(_ text: String) throws -> String {
    let head = """
      import ctypes, os, sys
      libc = ctypes.CDLL(None, use_errno=True)
      libc.syscall.restype = ctypes.c_long
      def call(*words): return libc.syscall(*[ctypes.c_long(w) if isinstance(w, int) else w for w in words])

      """
    let (status, output) = try run("/usr/bin/python3", ["-c", head + text])
    try #require(status == 0, "\(output)")
    return output
  }

  /// All that comes until nothing has come for `quiet` milliseconds.
  static func read(_ stream: AuditStream, quiet: Int32 = 300) throws -> [AuditEntry] {
    try texts(stream, quiet: quiet).map { try #require(AuditEntry(type: $0.type, text: $0.text)) }
  }

  static func texts(_ stream: AuditStream, quiet: Int32 = 300) throws -> [(type: UInt16, text: [UInt8])] {
    var texts: [(type: UInt16, text: [UInt8])] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: AuditStream.recordCapacity, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      while let received = try stream.receive(into: buffer) {
        texts.append((received.type, Array(buffer[received.text])))
      }
      if try waitForEvents([(stream.descriptor, PollEvents.input)], milliseconds: quiet) == [0] { return texts }
    }
  }

  /// A stream of which everything up to now has been read: joining is itself an audited call.
  static func stream(
    _ control: AuditControl, receiveBuffer: Int = 1 << 20, types: Set<UInt16> = []
  ) async throws -> AuditStream {
    let stream = try AuditStream(receiveBuffer: receiveBuffer, types: types)
    try await settle(control)
    _ = try read(stream, quiet: 50)
    return stream
  }

  /// The whole events among the entries, in the order of their ends.
  static func events(_ entries: [AuditEntry]) -> [AuditEvent] {
    var assembler = EventAssembler()
    for entry in entries { assembler.add(entry, now: 0) }
    assembler.flush()
    var events: [AuditEvent] = []
    while let event = assembler.takeReady(now: 0) { events.append(event) }
    return events
  }
}
