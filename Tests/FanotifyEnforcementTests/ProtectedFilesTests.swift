// Names of protected files where some paths do not answer, never did, or answer late.

import AccessModel
import Fanotify
import Inotify
import Synchronization
import SystemCalls
import Testing

@testable import FanotifyEnforcement

@Suite struct ProtectedFilesTests {
  private let folder = Tree()

  private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  private func identity(_ name: String) throws -> FileIdentity {
    FileIdentity(try FileStatus.of(path: PathBytes(path(name))))
  }

  /// Real look-ups behind a gate, for the paths of these names.
  private func protected(_ gate: Gate, _ names: String...) throws -> ProtectedFiles {
    let files = try ProtectedFiles(try FolderWatch(), patience: 300_000_000) { path in
      gate.pass(path.text)
      var resolution = Resolution()
      resolution.resolve(path)
      return NamedFiles(files: resolution.files, problems: resolution.problems)
    }
    files.replace(with: names.map { .file(path($0)) })
    return files
  }

  @Test func aDeadPathDoesNotTakeTheOthersNames() throws {
    for name in ["one", "dead", "two"] { try folder.file(name) }
    let gate = Gate([path("dead")])
    defer { gate.openAll() }
    let files = try protected(gate, "dead", "one", "two")
    #expect(files.update() == ["\(path("dead")): its file system does not answer; not protected until it does"])
    for name in ["one", "two"] { #expect(files.names(of: try identity(name)) == [Array(path(name).utf8)]) }
    #expect(files.names(of: try identity("dead")) == [] && files.count == 2 && files.unanswered == 1)
  }

  @Test func theOthersAreStillFollowed() throws {
    for name in ["one", "dead"] { try folder.file(name) }
    let gate = Gate([path("dead")])
    defer { gate.openAll() }
    let files = try protected(gate, "dead", "one", "late")
    _ = files.update()
    try folder.file("late")
    _ = files.update()
    #expect(files.names(of: try identity("late")) == [Array(path("late").utf8)])
    #expect(gate.count(path("dead")) == 1)
  }

  @Test func whatNamedAFileBeforeStillDoes() throws {
    try folder.file("key")
    let gate = Gate([])
    defer { gate.openAll() }
    let files = try protected(gate, "key")
    #expect(files.update() == [] && files.unanswered == 0)
    gate.close(path("key"))
    let said = files.update()
    #expect(said.count == 1 && said[0].contains("what it named before stays protected"))
    #expect(files.names(of: try identity("key")) == [Array(path("key").utf8)])
  }

  @Test func whatAnswersLateIsProtectedFromThenOn() throws {
    try folder.file("key")
    let gate = Gate([path("key")])
    defer { gate.openAll() }
    let files = try protected(gate, "key")
    #expect(files.update().count == 1 && files.count == 0)
    gate.open(path("key"))
    #expect(eventually { files.update() == [] && files.count == 1 })
    #expect(files.names(of: try identity("key")) == [Array(path("key").utf8)])
  }

  @Test func aPathThatNoRuleNamesAnyMoreIsForgotten() throws {
    for name in ["one", "dead"] { try folder.file(name) }
    let gate = Gate([path("dead")])
    defer { gate.openAll() }
    let files = try protected(gate, "one", "dead")
    _ = files.update()
    files.replace(with: [.file(path("dead")), .file(path("dead"))])
    #expect(files.update().count == 1 && files.count == 0)
    files.replace(with: [.file(path("one"))])
    gate.openAll()
    #expect(eventually { files.update() == [] && files.unanswered == 0 })
    #expect(files.count == 1)
  }

  @Test func aFileHasAllNamesThatPathsGiveIt() throws {
    try folder.file("k/key")
    let files = try protected(Gate([]))
    files.replace(with: [.file(path("k/key")), .children(path("k")), .prefix(path("k/"))])
    #expect(files.update() == [])
    #expect(files.names(of: try identity("k/key")) == [Array(path("k/key").utf8)])
  }

  /// Real marks: an event comes for a protected file, and none for one that is looked up after the end.
  @Test(.enabled(if: ProcessSetup.effectiveUserID == 0)) func nothingIsMarkedAfterTheEnd() throws {
    for name in ["a/one", "b/two"] { try folder.file(name) }
    let group = try PermissionGroup()
    let files = try ProtectedFiles(group: group, marksFolders: false)
    files.replace(with: [.file(path("a/one"))])
    #expect(files.update() == [])
    try group.unmarkInode(.open, of: PathBytes(path("a/one")), children: false)
    files.close()
    files.replace(with: [.file(path("b/two"))])
    #expect(files.update() == [] && files.count == 1)
    #expect(throws: Errno.noEntry) {
      try group.unmarkInode(.open, of: PathBytes(path("b/two")), children: false)
    }
  }
}
