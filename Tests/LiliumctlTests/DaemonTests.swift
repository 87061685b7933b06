// Owns what commands make of a daemon's answers: the exit codes, over a real socket.

import AccessModel
import ArgumentParser
import ControlProtocol
import ControlSocket
import Glibc
import Testing

@testable import liliumctl

@Suite struct DaemonTests {
  /// Runs a command against a daemon that gives this reply; its exit code.
  private func exitCode(of arguments: [String], reply: ControlReply) throws -> Int32 {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let path = folder + "/control.sock"
    let server = try ControlServer(path: path, group: nil, access: { _ in .full }, handler: { _, _ in reply })
    defer {
      server.stop()
      rmdir(folder)
    }
    do {
      var command = try Liliumctl.parseAsRoot(arguments + ["--socket", path])
      try command.run()
      return 0
    } catch {
      return Liliumctl.exitCode(for: error).rawValue
    }
  }

  static let cases: [([String], ControlReply, Int32)] = [
    (["status"], .status(StatusReport()), 0),
    (["status", "--json"], .status(StatusReport()), 0),
    (["reload"], .reloaded(ReloadReport(identity: "a", rules: 1, warnings: ["w"])), 0),
    (["mode", "exec", "off"], .mode(ModeReport(mechanism: .exec, mode: .off, until: 5)), 0),
    (["explain", "a-1"], .explanation(Explanation(record: RenderingTests.record("/x"))), 0),
    (["explain", "a-1"], .error(ControlError(.notFound, "no such record")), 1),
    (["reload"], .error(ControlError(.failed, "refused", details: ["a\nb"])), 2),
    (["mode", "exec", "off"], .error(ControlError(.forbidden, "only root")), 2),
    (["status"], .watching, 2),
  ]

  @Test(arguments: cases) func exitCodes(_ arguments: [String], _ reply: ControlReply, _ code: Int32) throws {
    #expect(try exitCode(of: arguments, reply: reply) == code)
  }

  /// An id that the daemon would not take never reaches its handler.
  @Test func aWrongIDIsRefused() throws { #expect(try exitCode(of: ["explain", "../x"], reply: .watching) == 2) }
}
