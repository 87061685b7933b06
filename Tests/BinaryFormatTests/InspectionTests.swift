// Scripts, files that are neither script nor ELF, and files that cannot be read.

import BinaryFormat
import Testing

@Suite struct InspectionTests {
  @Test(arguments: [
    ("#!/bin/sh\necho", "/bin/sh"), ("#! /bin/sh\n", "/bin/sh"), ("#!\t /bin/sh -e\n", "/bin/sh"),
    ("#!/bin/sh", "/bin/sh"), ("#!/usr/bin/env python3\n", "/usr/bin/env"), ("#!/bin/sh\r\n", "/bin/sh"), ("#!", ""),
    ("#!\n/bin/sh", ""), ("#!   ", ""), ("#!sh\n", "sh"), ("#!/bin/sh\u{0}x\n", "/bin/sh"),
    ("#!/b\u{e4}r\n", "/b\u{e4}r"),
  ])
  func aScriptNamesItsInterpreter(_ content: String, _ interpreter: String) throws {
    let found = try #require(inspect(Array(content.utf8)))
    #expect(found.finding.format == .script && !found.finding.isLoadableLibrary)
    #expect(found.interpreter == interpreter)
  }

  @Test func anInterpreterEndsWithTheInspectedHead() throws {
    let found = try #require(inspect(Array(("#!" + String(repeating: "x", count: 9000)).utf8)))
    #expect(found.interpreter.utf8.count == BinaryInspection.headSize - 2)
    let blanks = try #require(inspect(Array(("#!" + String(repeating: " ", count: 9000)).utf8)))
    #expect(blanks.interpreter == "")
  }

  @Test(arguments: ["", "#", "!#", " #!/bin/sh", "\u{feff}#!/bin/sh", "MZ", "\u{7f}EL", "\u{7f}elf", "hello\n"])
  func anythingElseIsOther(_ content: String) throws {
    let found = try #require(inspect(Array(content.utf8)))
    #expect(found.finding.format == .other && found.interpreter == "")
  }

  @Test(arguments: [(4, 0), (4, 3), (5, 0), (5, 3), (4, 255), (5, 255)])
  func anUnknownWidthOrByteOrderIsNoProgram(_ place: Int, _ value: UInt8) {
    var file = ELFBuilder.program.bytes
    file[place] = value
    #expect(inspect(file)?.finding.format == .elfOther)
  }

  @Test func whatCannotBeReadIsNotJudged() {
    let whole = ELFBuilder.program.bytes
    #expect(inspect(whole, failing: 0) == nil)
    #expect(inspect(whole, failing: 0x1000) == nil, "the dynamic section decides, and cannot be read")
    var far = ELFBuilder.program
    far.tableOffset = 0x5000
    #expect(inspect(far.bytes, failing: 0x5000) == nil)
    #expect(inspect(Array("#!/bin/sh".utf8), failing: 1)?.finding.format == .script)
  }
}
