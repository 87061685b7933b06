// Holds that a record reaches journald's socket with its fields, and that a missing journald is a counted drop.

import DecisionRecord
import Glibc
import SystemCalls
import Testing
import TrailSinks

@Suite("Journal sink")
struct JournalSinkTests {
  @Test("the fields arrive framed by length, hostile names included; without journald records are dropped")
  func arrives() throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    let folder = String(cString: mkdtemp(&template))
    let path = folder + "/socket"
    defer {
      unlink(path)
      rmdir(folder)
    }
    let sink = JournalSink(path: path)
    let name = Array("/tmp/a\nLILIUM_VERDICT=allow\n".utf8) + [0xff]
    let record = AuditRecord(id: RecordID(prefix: "t", number: 1), time: 0, event: .decision(entry(path: name)))
    #expect(sink.write(record, json: record.json) == .dropped)

    let receiver = Descriptor(owning: socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let number = receiver.rawValue
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    #expect(sink.write(record, json: record.json) == .written)
    var data = [UInt8](repeating: 0, count: 65536)
    let count = recv(number, &data, data.count, Int32(MSG_DONTWAIT))
    let expected = record.journalFields.flatMap { field in
      let length = withUnsafeBytes(of: UInt64(field.value.count).littleEndian) { Array($0) }
      return Array(field.name.utf8) + [0x0a] + length + field.value + [0x0a]
    }
    #expect(Array(data.prefix(max(0, count))) == expected)
  }
}
