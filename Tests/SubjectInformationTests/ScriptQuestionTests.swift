// Whether an opened file is what the opening interpreter runs: named by its arguments, or by its suffix.

import AccessModel
import Glibc
import SubjectInformation
import SystemCalls
import Testing

@Suite struct ScriptQuestionTests {
  private let folder = Folder()

  /// Asks about `file` while `arguments` run; both may name files of the temporary folder as `@name`.
  private func ask(_ arguments: [String], about file: String, folder: Bool = false) throws -> (
    named: Bool, suffix: Bool
  ) {
    let start = self.folder.path
    func path(_ text: String) -> String { text.hasPrefix("@") ? "\(start)/\(text.dropFirst())" : text }
    let child = try Child(arguments.map(path), folder: folder ? start : nil)
    let object = try Descriptor.open(path(file), O_RDONLY)
    let facts = try facts([.subjectProgram, .subjectScript], of: child.pid, object: object.rawValue)
    try #require(
      facts.present.subtracting(.request) == [.subjectProgram, .subjectScript], "\(arguments) \(facts.failed.rawValue)")
    return (facts.subject.objectNamedByArguments, facts.subject.objectHasModuleSuffix)
  }

  private func prepare() throws {
    for name in ["script", "other", "-c", "module.py", "part.sh"] { try folder.write(name, "sleep 60; :\n") }
    try folder.write("program.py", "import time; time.sleep(60)\n")
    try #require(symlink(folder.path + "/script", folder.path + "/link") == 0)
  }

  @Test(arguments: [
    (["/bin/sh", "@script"], "@script", true), (["/bin/sh", "@script", "@other"], "@other", false),
    (["/bin/sh", "@script"], "@other", false), (["/bin/sh", "-e", "-u", "@script"], "@script", true),
    (["/bin/sh", "-x", "@script", "-c"], "@script", true), (["/bin/sh", "@link"], "@script", true),
    (["/bin/sh", "-c", "sleep 60; :", "@script"], "@script", false),
    (["/bin/sh", "-ec", "sleep 60; :", "@script"], "@script", false),
    (["/bin/sh", "--", "@script"], "@script", true), (["/bin/sh", "-e", "-", "@script"], "@script", true),
  ])
  func aShellsFirstFileIsWhatItRuns(_ arguments: [String], _ file: String, _ named: Bool) throws {
    try prepare()
    #expect(try ask(arguments, about: file).named == named)
  }

  @Test func aRelativeNameIsSeenFromTheSubjectsFolder() throws {
    try prepare()
    #expect(try ask(["/bin/sh", "script"], about: "@script", folder: true).named)
    #expect(try ask(["/bin/sh", "./script"], about: "@script", folder: true).named)
    #expect(
      try ask(["/bin/sh", "../\(folder.path.split(separator: "/").last!)/script"], about: "@script", folder: true).named
    )
    #expect(try !ask(["/bin/sh", "script"], about: "@other", folder: true).named)
  }

  /// Behind the end of the options, a hyphen is a letter like any other.
  @Test func aNameThatLooksLikeAnOptionIsAName() throws {
    try prepare()
    #expect(try ask(["/bin/sh", "--", "-c"], about: "@-c", folder: true).named)
    #expect(try ask(["/bin/sh", "-", "-c"], about: "@-c", folder: true).named)
  }

  /// Nobody can hide a script behind more arguments than are read, or behind a path that is almost too long.
  @Test func whatCannotBeReadToItsEndNamesEverything() throws {
    try prepare()
    let options = Array(repeating: "-e", count: 30_000)
    #expect(try ask(["/bin/sh"] + options + ["@script"], about: "@script").named)
    #expect(try !ask(["/bin/sh"] + options.prefix(1000) + ["@other"], about: "@script").named)
    let long = String(repeating: "./", count: 2044) + "script"
    #expect(try ask(["/bin/sh", long], about: "@script", folder: true).named)
    #expect(try ask(["/bin/sh", String(long.dropFirst(200))], about: "@script", folder: true).named)
    #expect(try !ask(["/bin/sh", String(long.dropFirst(200))], about: "@other", folder: true).named)
  }

  @Test(
    arguments: [
      (["/usr/bin/python3", "-Wc", "@program.py"], "@program.py", true),
      (["/usr/bin/python3", "-W", "/etc/passwd", "@program.py"], "@program.py", true),
      (["/usr/bin/python3", "-W", "/etc/passwd", "@program.py", "@other"], "@other", false),
      (["/usr/bin/python3", "-W", "ignore", "@program.py"], "@program.py", true),
      (["/usr/bin/python3", "-Wignore", "-B", "@program.py", "@other"], "@program.py", true),
      (["/usr/bin/python3", "-Wignore", "-B", "@program.py", "@other"], "@other", false),
      (["/usr/bin/python3", "-c", "import time; time.sleep(60)", "@other"], "@other", false),
    ])
  func pythonsFirstFileIsWhatItRuns(_ arguments: [String], _ file: String, _ named: Bool) throws {
    try prepare()
    #expect(try ask(arguments, about: file).named == named)
  }

  @Test func aSuffixMakesAModule() throws {
    try prepare()
    let shell = ["/bin/sh", "-c", "sleep 60; :"]
    #expect(try ask(shell, about: "@part.sh") == (false, true))
    #expect(try ask(shell, about: "@module.py") == (false, false), "another interpreter's suffix")
    #expect(try ask(shell, about: "@script") == (false, false))
  }

  @Test func aDeletedModuleIsStillOne() throws {
    try prepare()
    let child = try Child(["/bin/sh", "-c", "sleep 60; :"])
    let object = try Descriptor.open(folder.path + "/part.sh", O_RDONLY)
    try ProcessSetup.removeFile(folder.path + "/part.sh")
    #expect(try facts(.subjectScript, of: child.pid, object: object.rawValue).subject.objectHasModuleSuffix)
  }

  @Test func whoIsNoInterpreterIsNotAsked() throws {
    let child = try Child(["/usr/bin/sleep", "60"])
    let object = try Descriptor.open("/etc/passwd", O_RDONLY)
    let facts = try facts([.subjectProgram, .subjectScript], of: child.pid, object: object.rawValue)
    #expect(facts.present.subtracting(.request) == .subjectProgram && facts.failed == .subjectScript)
  }

  @Test func withoutAnObjectThereIsNoAnswer() throws {
    let child = try Child(["/bin/sh", "-c", "sleep 60; :"])
    let facts = try facts([.subjectProgram, .subjectScript], of: child.pid)
    #expect(facts.failed == .subjectScript)
  }
}
