// Holds the requests' numbers against the C headers of this machine, and the table against itself.

import AccessModel
import CRequestNumbers
import Testing

@Suite struct RequestNameTests {
  /// What the headers say: 0 ptrace, 1 ioctl, 2 ioctl of 32-bit programs.
  private func headers(_ table: Int32) -> [(name: String, number: UInt64)] {
    (0..<lilium_request_count(table)).map { index in
      (String(cString: lilium_request_name(table, index)), lilium_request_number(table, index))
    }
  }

  @Test(arguments: [(0 as Int32, Mechanism.ptrace, 30), (1, .ioctl, 90)])
  func numbersAreTheHeaders(_ table: Int32, _ mechanism: Mechanism, _ least: Int) {
    let known = headers(table)
    #expect(known.count >= least, "the headers have nearly all of them")
    for (name, number) in known {
      #expect(RequestNames.number(named: name, mechanism: mechanism) == number, "\(name)")
      #expect(RequestNames.name(of: number, mechanism) == name)
    }
    let names = RequestNames.names(mechanism)
    #expect(names.count == Set(names).count)
    #expect(Set(known.map(\.name)).isSubset(of: names))
  }

  @Test func aNameStandsForWhatA32BitProgramUsesToo() {
    for (name, number) in headers(2) {
      let numbers = RequestNames.numbers(named: name, mechanism: .ioctl)
      #expect(numbers.count == 2 && numbers[1] == number, "\(name)")
      #expect(RequestNames.name(of: number, .ioctl) == name)
    }
    let twofold = RequestNames.names(.ioctl).filter { RequestNames.numbers(named: $0, mechanism: .ioctl).count > 1 }
    #expect(twofold.sorted() == headers(2).map(\.name).sorted())
  }

  @Test(arguments: [Mechanism.ptrace, .ioctl])
  func noNumberHasTwoNames(_ mechanism: Mechanism) {
    let numbers = RequestNames.names(mechanism).flatMap { RequestNames.numbers(named: $0, mechanism: mechanism) }
    #expect(Set(numbers).count == numbers.count)
    #expect(numbers.allSatisfy { $0 <= UInt32.max })
  }

  @Test func whatIsNotKnownHasNoName() {
    #expect(RequestNames.name(of: 0xffff_ffff, .ioctl) == nil)
    #expect(RequestNames.name(of: 0x5412, .ptrace) == nil, "a terminal's request is none of ptrace's")
    #expect(RequestNames.number(named: "TIOCSTI", mechanism: .ptrace) == nil)
    #expect(RequestNames.number(named: "tiocsti", mechanism: .ioctl) == nil)
    for mechanism in Mechanism.allCases where mechanism != .ptrace && mechanism != .ioctl {
      #expect(RequestNames.names(mechanism) == [] && RequestNames.name(of: 0, mechanism) == nil)
    }
  }
}
