// Owns the folders, programs and packages that the tests work with.
// It must not judge anything.

import Foundation

@testable import TrustSources

/// A folder of one test; it goes with the test.
final class Folder {
  let path: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    // The path is compared with canonical ones.
    path =
      URL(fileURLWithPath: String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
      .resolvingSymlinksInPath().path
  }

  deinit { _ = try? run("/bin/rm", "-rf", path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  @discardableResult
  func write(_ name: String, _ content: String, mode: Int = 0o644) throws -> String {
    try write(name, Array(content.utf8), mode: mode)
  }

  @discardableResult
  func write(_ name: String, _ content: [UInt8], mode: Int = 0o644) throws -> String {
    let whole = path(name)
    try makeFolder(String(whole[..<whole.lastIndex(of: "/")!]))
    try Data(content).write(to: URL(fileURLWithPath: whole))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: whole)
    return whole
  }

  func folder(_ name: String) throws { try makeFolder(path(name)) }

  func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path(name))), as: UTF8.self)
  }

  private func makeFolder(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }
}

struct ProgramFailure: Error { let text: String }

/// Runs a program to its end; its standard output, and its status where that is asked for.
@discardableResult
func run(_ program: String, _ arguments: String..., in folder: String? = nil, status: Int32? = 0) throws -> [UInt8] {
  try run(program, arguments, in: folder, status: status)
}

@discardableResult
func run(_ program: String, _ arguments: [String], in folder: String? = nil, status: Int32? = 0) throws -> [UInt8] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root"]
  if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
  let output = Pipe()
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  try process.run()
  let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
  process.waitUntilExit()
  if let status, process.terminationStatus != status {
    throw ProgramFailure(text: "\(program) \(arguments): \(process.terminationStatus)")
  }
  return bytes
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
func isThere(_ program: String) -> Bool { FileManager.default.isExecutableFile(atPath: program) }
