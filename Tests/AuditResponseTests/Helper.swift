// A child with namespaces of its own, in which tests may mount and whose shell they may have killed.

import Foundation
import Glibc
import Testing

/// A shell that is driven over pipes; it ends when its input does. Root is needed for namespaces.
final class Helper {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()
  /// The shell's number; with `--fork` that of the unshare(1) that waits for it.
  var pid: Int32 { process.processIdentifier }

  /// `unshare` are options of unshare(1); none for a shell in the test's own namespaces.
  init(unshare options: [String] = []) throws {
    process.executableURL = URL(fileURLWithPath: options.isEmpty ? "/bin/bash" : "/usr/bin/unshare")
    process.arguments = options + (options.isEmpty ? [] : ["/bin/bash"]) + ["--norc", "--noprofile"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    // Once it answers, its namespaces are made.
    try run("true")
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// Runs lines in the shell itself; what they wrote, without the final line feed. They must succeed.
  @discardableResult
  func run(_ lines: String) throws -> String {
    let mark = "end-\(UInt64.random(in: 1...(.max)))"
    try input.fileHandleForWriting.write(contentsOf: Data("{ \(lines)\n} </dev/null; echo \(mark) $?\n".utf8))
    var text = ""
    while !text.contains("\(mark) ") || !text.hasSuffix("\n") {
      let more = output.fileHandleForReading.availableData
      try #require(!more.isEmpty, "the shell ended within: \(lines)")
      text += String(decoding: more, as: UTF8.self)
    }
    let parts = text.components(separatedBy: "\(mark) ")
    try #require(parts[1] == "0\n", "\(lines): \(text)")
    return parts[0].trimmingCharacters(in: .newlines)
  }

  /// The first child of the process, in this namespace's numbers.
  func child() throws -> Int32 {
    let children = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
    return try #require(children.split(separator: " ").first.flatMap { Int32($0) })
  }

  /// Waits until it has ended; the signal that ended it.
  func endingSignal() -> Int32? {
    process.waitUntilExit()
    return process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil
  }

  var isRunning: Bool { process.isRunning }
}
