// Owns paths as text: what is escaped, what is no path, what a package's name for a file stands for.

import Testing

@testable import TrustSources

@Suite struct PathTextTests {
  @Test func escapesGoBothWays() {
    let all = [0x2f] + (1...255).map { UInt8($0) }
    let text = PathText.escaped(all)
    #expect(text.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x23 })
    #expect(PathText.unescaped(text[...]).path == all)
    #expect(PathText.unescaped(text[...]).fault == nil)
  }

  @Test func aLongPathIsCutWhereItIsShown() {
    #expect(PathText.shown(bytes("/a b\u{1b}[1m")) == "/a%20b%1B[1m")
    #expect(PathText.shown(Array(repeating: 0x61, count: 401)).count == 403)
  }

  @Test(arguments: [
    ("./usr/bin/x", "/usr/bin/x"), ("usr/bin/x", "/usr/bin/x"), ("/usr//bin/./x/", "/usr/bin/x"), ("/.", "/"),
    ("", "/"),
    ("./", "/"), ("/..x/.y/...", "/..x/.y/..."), ("a/../b", nil), ("..", nil), ("/a/..", nil), ("/a\0b", nil),
    (String(repeating: "a", count: 4096), nil), (String(repeating: "a", count: 4095), nil),
  ]) func namesOfPackages(_ listed: String, _ expected: String?) {
    #expect(PathText.absolute(bytes(listed)[...]).map { text($0) } == expected)
  }

  @Test(arguments: [
    "usr/bin/x", "", "/", "//a", "/a//b", "/a/", "/a/./b", "/a/..", "/..", "/a\0",
    "/" + String(repeating: "a", count: 4095),
  ]) func noPathOfAFile(_ path: String) { #expect(PathText.fault(bytes(path)) != nil) }

  @Test(arguments: ["/a", "/a/b", "/...", "/.a/b..", "/" + String(repeating: "a", count: 4094)])
  func aPathOfAFile(_ path: String) { #expect(PathText.fault(bytes(path)) == nil) }

  @Test(arguments: [("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"])])
  func lines(_ whole: String, _ expected: [String]) {
    #expect(ByteLines(bytes(whole)).map { text($0) } == expected)
  }
}
