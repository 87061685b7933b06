// Owns where listed paths lie: every kind of link, inside a root that nothing leads out of.

import Foundation
import Testing

@testable import TrustSources

@Suite struct FolderResolverTests {
  private let folder = Folder()

  init() throws {
    for name in ["r/usr/bin", "r/usr/lib/deep", "r/opt", "outside"] { try folder.folder(name) }
    let links = [
      ("bin", "usr/bin"), ("absolute", "/usr/lib"), ("up", "../../../../usr"), ("chain", "bin"),
      ("dots", "./usr/./bin/.."),
      ("opt/away", "../usr/lib/deep"), ("missing", "/gone/far"), ("loop", "loop"), ("root", "/"), ("host", "/outside"),
    ]
    for (name, target) in links { try folder.link("r/\(name)", to: target) }
  }

  @Test(arguments: [
    ("/usr/bin/x", "/usr/bin/x"), ("/bin/x", "/usr/bin/x"), ("/chain/x", "/usr/bin/x"), ("/absolute/x", "/usr/lib/x"),
    ("/up/bin/x", "/usr/bin/x"), ("/dots/x", "/usr/x"), ("/opt/away/x", "/usr/lib/deep/x"),
    ("/missing/x", "/gone/far/x"),
    ("/root/root/bin/x", "/usr/bin/x"), ("/x", "/x"), ("/none/a/b", "/none/a/b"), ("/host/x", "/outside/x"),
    ("/bin", "/bin"), ("/loop", "/loop"), ("/loop/x", nil), ("/bin/up/x", "/usr/bin/up/x"),
  ]) func places(_ path: String, _ expected: String?) throws {
    let resolver = try FolderResolver(root: folder.path("r"))
    for _ in 0..<2 {
      #expect(resolver.place(of: bytes(path)).map { text($0) } == expected.map { folder.path("r") + $0 })
    }
  }

  @Test func theRootMayBeALink() throws {
    try folder.link("alias", to: "r")
    let resolver = try FolderResolver(root: folder.path("alias") + "/")
    #expect(text(resolver.root) == folder.path("r"))
    #expect(throws: TrustSourceError.self) { try FolderResolver(root: folder.path("none")) }
    #expect(try FolderResolver(root: "/").root.isEmpty)
  }

  @Test func longPathsHaveNoPlace() throws {
    let resolver = try FolderResolver(root: folder.path("r"))
    let long = "/" + String(repeating: "a/", count: 2040) + "x"
    #expect(resolver.place(of: bytes(long)) == nil)
    #expect(try FolderResolver(root: "/").place(of: bytes(long)) == bytes(long))
    #expect(resolver.place(of: bytes("relative")) == nil)
  }
}

@Suite struct ProgramOutputTests {
  @Test func outputIsWholeAndInAPlainEnvironment() throws {
    let output = try ProgramOutput.of("/bin/sh", ["-c", "seq 200000; seq 200000 >&2"], limit: 10 << 20)
    #expect(text(output).split(separator: "\n").count == 200_000)
    let environment = text(try ProgramOutput.of("/usr/bin/env", [], limit: 1 << 20)).split(separator: "\n")
    #expect(Set(environment) == ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"])
    #expect(try ProgramOutput.of("/bin/cat", [], limit: 1).isEmpty)
  }

  @Test(arguments: [
    ("echo 'not so' >&2; exit 3", "failed with exit status 3: not so"), ("kill -9 $$", "failed with signal 9"),
    ("seq 200000", "printed more than 1000 bytes"), ("exit 1", "failed with exit status 1"),
  ]) func failuresAreSentences(_ script: String, _ message: String) {
    #expect {
      try ProgramOutput.of("/bin/sh", ["-c", script], limit: 1000)
    } throws: { error in
      guard let error = error as? TrustSourceError else { return false }
      return error.kind == .program && error.message == message && error.place == "/bin/sh"
    }
  }

  @Test func aProgramThatIsNotThere() {
    #expect { try ProgramOutput.of("/none", [], limit: 1) } throws: { "\($0)".contains("cannot be run: No such file") }
  }
}
