// The capability names of the model against libcap's, and this process's own against what the kernel shows.

import AccessModel
import Capabilities
import ProcFS
import SystemCalls
import Testing

@Suite struct OwnCapabilitiesTests {
  @Test(arguments: Capability.allCases)
  func theModelNamesACapabilityAsLibcapDoes(_ capability: Capability) {
    #expect(OwnCapabilities.name(Int32(capability.rawValue)) == capability.name)
  }

  @Test(arguments: [63, 500, -1] as [Int32])
  func aNumberWithoutANameShowsAsItself(_ number: Int32) {
    #expect(OwnCapabilities.name(number) == "CAP_\(number)")
  }

  @Test func whatIsMissingIsWhatTheKernelDoesNotShow() throws {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let effective = try buffer.withUnsafeMutableBytes { bytes -> CapabilitySet in
      let count = try ProcessFile.status.read(pid: ProcessSetup.processID, into: bytes)
      var status = ProcessStatus()
      let isWhole = status.read(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      try #require(isWhole)
      return CapabilitySet(bits: status.effective)
    }
    let lacking = Capability.allCases.filter { !effective.contains($0) }
    let numbers = Capability.allCases.map { Int32($0.rawValue) }
    #expect(OwnCapabilities.missing(of: numbers) == lacking.map(\.name))
  }

  @Test func nobodyHoldsACapabilityThatDoesNotExist() {
    #expect(OwnCapabilities.missing(of: [63]) == ["CAP_63"])
    #expect(OwnCapabilities.missing(of: []) == [])
  }
}
