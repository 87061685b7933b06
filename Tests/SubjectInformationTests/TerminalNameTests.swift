// The name of a controlling terminal from its device number.

import Testing

@testable import SubjectInformation

@Suite struct TerminalNameTests {
  @Test(
    arguments: [
      (0, 0, ""), (136, 0, "pts/0"), (136, 3, "pts/3"), (136, 1_048_575, "pts/1048575"), (4, 0, "tty0"), (4, 1, "tty1"),
      (4, 63, "tty63"), (4, 64, "ttyS0"), (4, 67, "ttyS3"), (5, 1, "5:1"), (204, 64, "204:64"), (0, 5, "0:5"),
      (4095, 1_048_575, "4095:1048575"), (229, 0, "229:0"),
    ] as [(UInt32, UInt32, String)])
  func aTerminalIsCalled(_ major: UInt32, _ minor: UInt32, _ expected: String) {
    var name = Array("what stood here before".utf8)
    TerminalName.write(major, minor, into: &name)
    #expect(String(decoding: name, as: UTF8.self) == expected)
  }
}
