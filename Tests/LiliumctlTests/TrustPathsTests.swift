// Owns that files whose names are not UTF-8 can be named on the command line.

import Foundation
import SystemCalls
import Testing
import TrustUpkeep

@testable import liliumctl

@Suite struct TrustPathsTests {
  private let raw: [[UInt8]] = [
    [0x2f, 0x61, 0xff], [0x2f, 0x61, 0xfe], Array("/b".utf8), Array("/\u{fffd}".utf8), [0x63, 0xc3],
  ]

  @Test(arguments: [
    (["/b"], [Array("/b".utf8)]), (["/a\u{fffd}"], [[0x2f, 0x61, 0xff]]),
    (["/a\u{fffd}", "/b", "/a\u{fffd}"], [[0x2f, 0x61, 0xff], Array("/b".utf8), [0x2f, 0x61, 0xfe]]),
    (["/\u{fffd}"], [Array("/\u{fffd}".utf8)]), (["/gone\u{fffd}"], [Array("/gone\u{fffd}".utf8)]), ([], []),
  ])
  func bytes(_ words: [String], _ paths: [[UInt8]]) {
    #expect(TrustPaths.absolute(words, among: raw) == paths)
  }

  @Test func aRelativeNameBeginsHere() {
    let folder = Array(ProcessSetup.currentDirectory.utf8)
    #expect(TrustPaths.absolute(["c\u{fffd}"], among: raw) == [folder + [0x2f, 0x63, 0xc3]])
  }

  @Test(.enabled(if: geteuid() == 0)) func suchAFileCanBeAddedExplainedAndRemoved() throws {
    let rig = try TrustRig()
    let places = "--state \(rig.path)/state --socket /nonexistent"
    let trustFiles = "--trust-folder \(rig.path)/trust.d"
    try rig.write(
      "script",
      """
      a=$(printf 'bad\\377'); b=$(printf 'bad\\376')
      echo 1 >"$a"; echo 22 >"$b"
      \(TrustRig.program) trust sync --source file --quiet \(trustFiles) \(places) || exit 9
      \(TrustRig.program) trust add "$a" "$b" \(trustFiles) \(places) >/dev/null || exit 8
      \(TrustRig.program) trust explain "$b" \(places) | grep -q '^verdict *trusted' || exit 7
      \(TrustRig.program) trust verify "$a" \(places) | grep -q '^1 files' || exit 6
      \(TrustRig.program) trust remove "$a" \(trustFiles) \(places) >/dev/null || exit 5
      \(TrustRig.program) trust explain "$a" \(places) >/dev/null && exit 4
      \(TrustRig.program) trust list "$b" \(places)
      """)
    let end = try rig.start("/bin/sh", ["\(rig.path)/script"])
    #expect(end.status == 0, "\(end.complaint)")
    #expect(end.output.split(separator: "\n").count == 1)
  }
}
