// Owns `liliumctl trust` as its user meets it: exit codes, texts and JSON, over a store of its own.

import AccessModel
import ArgumentParser
import ControlProtocol
import ControlSocket
import Foundation
import Synchronization
import SystemCalls
import Testing
import TrustDatabase
import TrustSources
import TrustUpkeep

@testable import liliumctl

/// A folder with a state, trust files and the liliumctl that was built beside the tests.
final class TrustRig {
  let path: String
  var store: TrustStore { TrustStore(folder: "\(path)/state/trust") }
  static let program: String = {
    let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return (runner as NSString).deletingLastPathComponent + "/liliumctl"
  }()

  init() throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    try FileManager.default.createDirectory(atPath: "\(path)/trust.d", withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ name: String, _ content: String, mode: Int = 0o644) throws -> String {
    let whole = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (whole as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o755])
    try Data(content.utf8).write(to: URL(fileURLWithPath: whole))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: whole)
    return whole
  }

  struct End {
    let status: Int32
    let output: String
    let complaint: String

    var json: JSONValue? { try? ControlLine.decodeValue(Array(output.utf8)) }
  }

  /// Runs `liliumctl trust` with this store, and no daemon.
  func trust(_ words: String..., trustFiles: Bool = false, socket: String = "/nonexistent") throws -> End {
    let files = trustFiles ? ["--trust-folder", "\(path)/trust.d"] : []
    return try start(
      Self.program, ["trust"] + words + ["--state", "\(path)/state", "--socket", socket] + files)
  }

  func start(_ program: String, _ words: [String], environment: [String: String] = [:]) throws -> End {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = words
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": path]
      .merging(environment) { $1 }
    let (output, complaint) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = complaint
    process.standardInput = FileHandle.nullDevice
    process.currentDirectoryURL = URL(fileURLWithPath: path)
    try process.run()
    let said = output.fileHandleForReading.readDataToEndOfFile()
    let complained = complaint.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return End(
      status: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
      complaint: String(decoding: complained, as: UTF8.self))
  }
}

@Suite struct TrustCommandTests {
  @Test func fromAnEmptyStoreToAVerifiedOne() throws {
    let rig = try TrustRig()
    let missing = try rig.trust("status")
    #expect(missing.status == 1)
    #expect(missing.complaint.contains("there is no trust database\n  run liliumctl trust sync"))
    #expect(try rig.trust("verify").status == 2)
    #expect(try rig.trust("explain", "/bin/true").status == 2)
    let sync = try rig.trust("sync", "--source", "file", "--json", trustFiles: true)
    #expect(sync.status == 0)
    #expect(sync.json?["complete"] == .bool(true))
    #expect(sync.json?["schema"] == .integer(1))
    #expect(
      sync.json?["sources"]
        == .array([
          .object([
            "source": .string("file"), "packages": .integer(0), "files": .integer(0), "outcomes": .object([:]),
            "diverted": .integer(0), "anywhere": .integer(0), "distrusted": .integer(0),
          ])
        ]))
    #expect(try rig.trust("status").output.hasPrefix("generation 1, written "))
    #expect(try rig.trust("verify").output == "0 files (0 B) read, none has drifted\n")
  }

  @Test func addExplainVerifyRemove() throws {
    let rig = try TrustRig()
    _ = try rig.trust("sync", "--source", "file", "--quiet", trustFiles: true)
    let tool = try rig.write("bin/tool", "tool", mode: 0o755)
    #expect(try rig.trust("explain", tool).status == 1)
    for words in [["list"], ["list", "--json"], ["list", "--source", "transaction"]] {
      let nothing = try rig.start(TrustRig.program, ["trust"] + words + ["--state", "\(rig.path)/state"])
      #expect(nothing.status == 1 && nothing.output.isEmpty && nothing.complaint.isEmpty, "\(words)")
    }
    let added = try rig.trust("add", tool, trustFiles: true)
    #expect(added.status == 0)
    #expect(added.output == "\(tool): trusted with the content that it has now\n")
    #expect(added.complaint.isEmpty)
    let explained = try rig.trust("explain", "bin/../bin/tool", "--json")
    #expect(explained.status == 0)
    #expect(explained.json?["trusted"] == .bool(true))
    #expect(explained.json?["path"] == .string(tool))
    #expect(explained.json?["contents"] == explained.json?["contents"])
    #expect(try rig.trust("list").status == 0)
    #expect(try rig.trust("list", "--source", "transaction").status == 1)
    let listed = try rig.trust("list", "\(rig.path)/bin", "--json")
    #expect(listed.json?["path"] == .string(tool))
    #expect(try rig.trust("list", "\(rig.path)/bin", "--source", "dpkg").status == 1)
    try rig.write("bin/tool", "TOOL", mode: 0o755)
    let drifted = try rig.trust("verify", "--json")
    #expect(drifted.status == 1)
    guard case .array(let files)? = drifted.json?["drifted"] else {
      Issue.record("\(drifted)")
      return
    }
    #expect(files.map { $0["outcome"] } == [.string("changed")])
    let removed = try rig.trust("remove", tool, trustFiles: true)
    #expect(removed.output == "\(tool): no longer trusted\n")
    #expect(try rig.trust("remove", tool, trustFiles: true).status == 1)
    #expect(try rig.trust("verify").status == 0)
  }

  @Test func refusalsSayWhyAndWhatToDo() throws {
    let rig = try TrustRig()
    _ = try rig.trust("sync", "--source", "file", "--quiet", trustFiles: true)
    let loose = try rig.write("loose", "x", mode: 0o666)
    let refused = try rig.trust("add", loose, trustFiles: true)
    #expect(refused.status == 2)
    #expect(refused.complaint.contains("everybody can write it"))
    #expect(refused.complaint.contains("--force"))
    #expect(try rig.trust("add", loose, "--force", trustFiles: true).status == 0)
    let broken = try rig.write("trust.d/b.trust", "/x 1\n")
    let end = try rig.trust("sync", "--source", "file", trustFiles: true)
    #expect(end.status == 2)
    #expect(end.complaint.contains("\(broken):1:5: the SHA-256 is missing"))
    #expect(try rig.trust("verify", loose).status == 0)
    #expect(try rig.trust("import", "none", trustFiles: true).status == 2)
    #expect(try rig.trust("sync", "--source", "dpkg", "--root", rig.path).status == 2)
  }

  @Test func aListOfSha256sumIsTaken() throws {
    let rig = try TrustRig()
    _ = try rig.trust("sync", "--source", "file", "--quiet", trustFiles: true)
    try rig.write("set/a b", "a")
    try rig.write("set/c", "c")
    let sums = try rig.start("/usr/bin/sha256sum", ["set/a b", "set/c"]).output
    try rig.write("sums", sums)
    #expect(try rig.trust("import", "sums", trustFiles: true).status == 0)
    #expect(try rig.trust("verify", "set").output.hasPrefix("2 files"))
    try rig.write("set/c", "d")
    let second = try rig.trust("import", "sums", "--json", trustFiles: true)
    #expect(second.status == 2)
    #expect(second.complaint.contains("has another content than the list says"))
  }

  /// No name can write to the terminal, and none is lost in JSON.
  @Test func namesOfEveryKind() throws {
    let rig = try TrustRig()
    _ = try rig.trust("sync", "--source", "file", "--quiet", trustFiles: true)
    let odd = try rig.write("odd/\u{1b}[31m\nx", "x")
    let added = try rig.trust("add", odd, trustFiles: true)
    #expect(added.status == 0)
    #expect(harmful(added.output).isEmpty)
    #expect(harmful(try rig.trust("list").output).isEmpty)
    #expect(try rig.trust("list", "--json").json?["path"] == .string(odd))
  }

  @Test func theDaemonIsTold() throws {
    let rig = try TrustRig()
    let asked = Mutex<[ControlRequest]>([])
    let refuses = Atomic(false)
    let handler: @Sendable (ControlRequest, Peer) -> ControlReply = { request, _ in
      asked.withLock { $0.append(request) }
      guard refuses.load(ordering: .relaxed) else {
        return .trust(TrustReport(generation: 1, paths: 0, contents: 0))
      }
      return .error(ControlError(.failed, "it is damaged"))
    }
    let server = try ControlServer(path: "\(rig.path)/s", group: nil, access: { _ in .full }, handler: handler)
    defer { server.stop() }
    let taken = try rig.trust("sync", "--source", "file", trustFiles: true, socket: "\(rig.path)/s")
    #expect(taken.status == 0)
    #expect(taken.complaint.isEmpty)
    #expect(asked.withLock { $0 } == [.readFiles, .trustChanged])
    refuses.store(true, ordering: .relaxed)
    let refused = try rig.trust("sync", "--source", "file", trustFiles: true, socket: "\(rig.path)/s")
    #expect(refused.status == 0)
    #expect(refused.complaint.contains("liliumd does not take the database: it is damaged"))
  }

  @Test(arguments: [
    ["trust", "sync", "--source", "transaction"], ["trust", "sync", "--source", "apt"], ["trust", "add"],
    ["trust", "sync", "--root", "relative"], ["trust", "explain"], ["trust", "remove"], ["trust", "import"],
    ["trust", "transaction", "middle"],
  ])
  func wrongUsage(_ arguments: [String]) {
    let error = #expect(throws: (any Error).self) { try Liliumctl.parseAsRoot(arguments) }
    #expect(error.map { Liliumctl.exitCode(for: $0).rawValue } == 64)
  }
}

@Suite struct TrustTextTests {
  @Test(arguments: [
    (UInt64(0), "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (102_348, "99.9 KiB"), (104_857, "102 KiB"),
    (1_048_524, "1.0 MiB"), (4_509_715_660, "4.2 GiB"), (.max, "16.0 EiB"),
  ])
  func bytes(_ count: UInt64, _ text: String) { #expect(Quantity.bytes(count) == text) }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1000, "-1,000")])
  func counts(_ number: Int, _ text: String) { #expect(Quantity.count(number) == text) }

  @Test func progressFitsALine() {
    var progress = UpkeepProgress(stage: .reading, totalFiles: 90_000)
    progress.totalBytes = 4 << 30
    progress.bytes = 1 << 30
    let text = ProgressLine.text(progress, seconds: 4)
    #expect(text == "reading  [####------------]  25%  1.0 GiB of 4.0 GiB  256 MiB/s  12s left")
    #expect(text.count <= 80)
    progress.bytes = 1 << 40
    #expect(ProgressLine.text(progress, seconds: 0).contains("100%"))
    #expect(ProgressLine.text(UpkeepProgress(stage: .comparing), seconds: 0) == "comparing  [################] 100%")
  }

  @Test(arguments: [
    ("/usr/bin/x", "/usr/bin/x"), ("/a b", "'/a b'"), ("/it's", "'/it'\\''s'"), ("/$(id)", "'/$(id)'"), ("", "''"),
  ])
  func wordsForAShell(_ path: String, _ word: String) { #expect(ShellWord.quoted(Array(path.utf8)) == word) }
}
