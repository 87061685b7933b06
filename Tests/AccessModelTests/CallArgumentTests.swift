// Holds what a call's name and numbers say of it, beyond what the enforcement points' own tests hold call by call.

import AccessModel
import Testing

@Suite("What the numbers of a call say")
struct CallArgumentTests {
  @Test func anotherCallLeavesNothingOfTheOneBefore() {
    var call = CallFacts()
    call.describe("ptrace", on: "x86_64", CallArguments([16, 99]), of: .ptrace)
    #expect(call.request.elementsEqual("PTRACE_ATTACH".utf8) && call.requestNumber == 16)
    call.result = -1
    call.describe("init_module", on: "i386", CallArguments([0, 4096]), of: .module)
    #expect(call.request.isEmpty && call.requestNumber == 0 && call.size == 4096 && call.result == -1)
    call.describe("mprotect", on: "aarch64", CallArguments([0, 0, 4]), of: .mprotect)
    #expect(call.size == 0 && call.protection.map { String(decoding: $0, as: UTF8.self) } == ["PROT_EXEC"])
    call.describe("", on: "x86_64", CallArguments([]), of: .module)
    #expect(call.name.isEmpty && call.flags.isEmpty && call.protection.isEmpty)
  }

  @Test func whatLiesInMemoryIsNotRead() {
    var call = CallFacts()
    call.describe("mmap", on: "i386", CallArguments([0xbfff_0006, 7, 7, 0x22]), of: .mprotect)
    #expect(call.protection.isEmpty && call.flags.isEmpty)
    #expect(CallArguments([0, 0]).namespaces(of: "clone3") == nil)
    #expect(CallArguments([3, 0]).namespaces(of: "setns") == nil)
    #expect(CallArguments([3, 0x4000_0000]).namespaces(of: "setns") == [Array("net".utf8)])
  }

  @Test func anArgumentThatIsNotThereIsZero() {
    let arguments = CallArguments([0xffff_ffff_0000_0002])
    #expect(arguments[1] == 0 && arguments.low(0) == 2 && arguments.low(7) == 0)
  }
}
