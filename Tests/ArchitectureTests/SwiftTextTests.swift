// Owns the tests of the rough reading that the other checks rest on: a check that sees nothing would hold anything.

import Testing

@Suite("The reading of Swift text")
struct SwiftTextTests {
  @Test(arguments: [
    ("import Glibc", ["Glibc"]),
    ("public import AccessModel\ninternal import struct Foundation.Data", ["AccessModel", "Foundation"]),
    ("@preconcurrency import Foundation  // why", ["Foundation"]),
    ("  fileprivate import func Glibc.read", ["Glibc"]),
    ("// import A\n/* import B\n import C */\nlet x = \"import D\"", []),
    ("let text = \"\"\"\nimport E\n\"\"\"", []),
    ("let text = #\"\\\"#\nimport F", ["F"]),
    ("the import of goods", []),
  ])
  func imports(_ text: String, _ expected: [String]) {
    #expect(SwiftText(text).imports == expected)
  }

  @Test(arguments: [
    ("func a() {\n  b\n}", [3]),
    ("func a() { b }", [1]),
    ("protocol P {\n  func a() -> Int\n  func b()\n}\nfunc c() {\n}", [2]),
    ("public mutating func a(\n  b: Int\n) throws(E) -> Int {\n  \"}\"\n  // }\n}", [6]),
    ("struct S {\n  init?(a: Int) {\n    if b { c }\n  }\n  deinit {\n  }\n}", [3, 2]),
    ("@inlinable static func a<T>(b: T)\n  -> Int\n{\n  1\n}", [5]),
    ("let x = init\nfunction()", []),
  ])
  func functionLengths(_ text: String, _ expected: [Int]) {
    #expect(SwiftText(text).functions.map(\.length) == expected)
  }

  @Test func escapesAndNestedCommentsEndWhereTheyEnd() {
    #expect(SwiftText("a \"\\\"{\" b /* /* { */ { */ c").lines.joined().filter { $0 != " " } == "abc")
  }
}
