// What kind of program a process runs: loader, interpreter, or neither.

import AccessModel
import Glibc
import SubjectInformation
import SystemCalls
import Testing

@Suite struct ProgramClassTests {
  private func programClass(_ arguments: [String], _ interpreters: [Interpreter] = [shell, python]) throws
    -> ProgramClass
  {
    let child = try Child(arguments)
    let facts = try facts(.subjectProgram, of: child.pid, by: information(interpreters))
    #expect(facts.present.subtracting(.request) == .subjectProgram)
    return facts.subject.programClass
  }

  private func copy(_ program: String, into folder: Folder) throws -> String {
    let bytes = try Descriptor.open(program, O_RDONLY).readAll(limit: 1 << 26)
    try Descriptor.open(folder.path + "/copy", O_WRONLY | O_CREAT, mode: 0o755).writeAll(bytes)
    return folder.path + "/copy"
  }

  @Test func aShellIsAnInterpreterWhateverNameItWasStartedBy() throws {
    #expect(try programClass(["/bin/sh", "-c", "sleep 60; :"]) == .interpreter)
    let folder = Folder()
    try #require(symlink("/bin/sh", folder.path + "/harmless") == 0)
    #expect(try programClass([folder.path + "/harmless", "-c", "sleep 60; :"]) == .interpreter)
  }

  @Test(.enabled(if: access("/usr/bin/python3", X_OK) == 0))
  func pythonIsKnownByAWildcard() throws {
    #expect(try programClass(["/usr/bin/python3", "-c", "import time; time.sleep(60)"]) == .interpreter)
  }

  @Test func whatTheConfigurationDoesNotNameIsOrdinary() throws {
    #expect(try programClass(["/usr/bin/sleep", "60"]) == .ordinary)
    #expect(try programClass(["/bin/sh", "-c", "sleep 60; :"], [python]) == .ordinary)
    let folder = Folder()
    #expect(
      try programClass([copy("/bin/sh", into: folder), "-c", "sleep 60; :"]) == .ordinary, "a copy is another program")
  }

  /// A wildcard stands for one part of a path.
  @Test func aWildcardDoesNotReachIntoFolders() throws {
    var wide = shell
    wide.paths = ["/usr/*"]
    #expect(try programClass(["/usr/bin/sleep", "60"], [wide]) == .ordinary)
    wide.paths = ["/usr/*/sleep"]
    #expect(try programClass(["/usr/bin/sleep", "60"], [wide]) == .interpreter)
  }

  @Test func theLoaderRunDirectlyIsALoader() throws {
    #expect(try programClass([loader(), "/usr/bin/sleep", "60"]) == .loader)
  }

  /// A loader by its content, whatever it is called.
  @Test func aCopyOfTheLoaderIsALoader() throws {
    let folder = Folder()
    #expect(try programClass([copy(loader(), into: folder), "/usr/bin/sleep", "60"]) == .loader)
  }

  private func loader() throws -> String {
    let maps = try Descriptor.open("/proc/self/maps", O_RDONLY).readAll(limit: 1 << 22)
    let paths = text(maps).split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
    return try #require(paths.first { $0.contains("/ld-linux") })
  }

  @Test func aProgramIsLearntOnceAndForgottenWithTheTable() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let room = Room()
    let table = InterpreterTable([])
    let information = SubjectInformation(interpreters: table, namespaces: try InitialNamespaces(), room: room)
    func ask() throws -> ProgramClass {
      try facts(.subjectProgram, of: child.pid, by: information).subject.programClass
    }
    #expect(try ask() == .ordinary)
    let visits = room.visits
    #expect(visits > 0, "the program's file is opened by a thread that nobody waits for")
    #expect(try ask() == .ordinary)
    #expect(room.visits == visits)
    var sleeper = shell
    sleeper.paths = ["/usr/bin/sleep", "/bin/sleep"]
    table.replace(with: [sleeper])
    #expect(try ask() == .interpreter)
    #expect(room.visits > visits && room.isEmpty)
  }

  @Test func withoutRoomToWaitTheProgramIsUnknown() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let facts = try facts([.subjectProgram, .subjectScript], of: child.pid, by: information(room: Room(isFull: true)))
    #expect(facts.failed == [.subjectProgram, .subjectScript] && facts.failure == .outOfThreads)
  }

  /// An interpreter that shows an unbelievable path is known by its inode.
  @Test func anInterpreterWithoutAPathOfItsOwnIsStillFound() throws {
    let folder = Folder()
    let file = try copy("/bin/sh", into: folder)
    try #require(link(file, folder.path + "/named") == 0)
    let child = try Child([file, "-c", "sleep 60; :"])
    try ProcessSetup.removeFile(file)
    var hidden = shell
    hidden.paths = [folder.path + "/nam*"]
    let facts = try facts(.subjectProgram, of: child.pid, by: information([hidden]))
    #expect(facts.subject.programClass == .interpreter)
  }
}
