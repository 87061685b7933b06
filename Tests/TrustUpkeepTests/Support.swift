// Owns the folders and packages that the tests work with: a root of its own with a real dpkg database.
// It must not judge anything.

import AccessModel
import Foundation
import SystemCalls
import Testing
import TrustDatabase
import TrustSources

@testable import TrustUpkeep

/// A folder of one test, with a root, a store and trust files in it; it goes with the test.
final class Rig {
  let path: String
  var root: String { "\(path)/root" }
  var trustFolder: String { "\(path)/trust.d" }
  let store: TrustStore

  init() throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    store = TrustStore(folder: "\(path)/state/trust")
    for folder in ["info", "updates", "triggers"] { try makeFolder("root/var/lib/dpkg/\(folder)") }
    try makeFolder("trust.d")
    try write("root/var/lib/dpkg/status", "")
  }

  deinit { _ = try? run("/bin/rm", ["-rf", path]) }

  func place(_ name: String) -> [UInt8] { Array("\(path)/\(name)".utf8) }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: "\(path)/\(name)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  @discardableResult
  func write(_ name: String, _ content: String, mode: Int = 0o644) throws -> [UInt8] {
    let whole = "\(path)/\(name)"
    try makeFolder(String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)]))
    try Data(content.utf8).write(to: URL(fileURLWithPath: whole))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: whole)
    return Array(whole.utf8)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }

  /// Builds NAME_VERSION.deb; conffiles are those that are named.
  @discardableResult
  func package(
    _ name: String, _ version: String, _ files: [String: String], conffiles: [String] = [],
    scripts: [String: String] = [:]
  ) throws -> String {
    let folder = "build/\(name)-\(version)"
    for (path, content) in files { try write(folder + path, content, mode: 0o755) }
    try write(
      "\(folder)/DEBIAN/control",
      "Package: \(name)\nVersion: \(version)\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n")
    if !conffiles.isEmpty {
      try write("\(folder)/DEBIAN/conffiles", conffiles.map { $0 + "\n" }.joined())
    }
    for (script, content) in scripts { try write("\(folder)/DEBIAN/\(script)", content, mode: 0o755) }
    let sums = try files.sorted { $0.key < $1.key }.filter { !conffiles.contains($0.key) }.map { path, content in
      let digest = String(
        decoding: try run("/usr/bin/md5sum", ["\(self.path)/\(folder)\(path)"]).prefix(32), as: UTF8.self)
      return "\(digest)  \(path.dropFirst())\n"
    }
    try write("\(folder)/DEBIAN/md5sums", sums.joined())
    let archive = "\(path)/\(name)_\(version).deb"
    try run("/usr/bin/dpkg-deb", ["--root-owner-group", "-b", "\(path)/\(folder)", archive])
    return archive
  }

  func dpkg(_ arguments: String...) throws {
    try run("/usr/bin/dpkg", ["--force-unsafe-io", "--log=/dev/null", "--root=\(root)"] + arguments)
  }

  /// A file is known by its change time only when that lies behind the clock's step.
  func settle() { Clock.sleep(nanoseconds: UInt64(FileMeter.clockStep) + 20_000_000) }

  var settings: SyncSettings {
    var settings = SyncSettings()
    settings.sources = [.dpkg]
    settings.root = root
    settings.trustFolder = trustFolder
    return settings
  }

  @discardableResult
  func sync(_ change: (inout SyncSettings) -> Void = { _ in }) throws -> SyncReport {
    var settings = settings
    change(&settings)
    return try Synchronizer(store: store, settings: settings).run()
  }

  func entry(_ name: String) throws -> TrustEntry? { try store.snapshot().entry(at: place(name)) }

  /// SHA-256 of texts that are trusted there.
  func trusts(_ name: String, _ content: String) throws -> Bool {
    guard let entry = try entry(name), !entry.isDistrusted else { return false }
    return try entry.contents.contains { try $0.hash == hash(content) }
  }
}

func hash(_ content: String) throws -> ContentHash {
  let text = try run("/usr/bin/sha256sum", [], input: content)
  return try #require(ContentHash(hexadecimal: text.prefix(64)))
}

struct ProgramFailure: Error { let text: String }

/// Runs a program to its end; its standard output.
@discardableResult
func run(
  _ program: String, _ arguments: [String], input: String? = nil, status: Int32 = 0,
  environment: [String: String] = [:]
) throws -> [UInt8] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/nonexistent"]
    .merging(environment) { $1 }
  let (output, errors, feed) = (Pipe(), Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  process.standardInput = feed
  try process.run()
  if let input { feed.fileHandleForWriting.write(Data(input.utf8)) }
  try feed.fileHandleForWriting.close()
  let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
  let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == status else {
    throw ProgramFailure(text: "\(program) \(arguments): \(process.terminationStatus) \(complaint)")
  }
  return bytes
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
