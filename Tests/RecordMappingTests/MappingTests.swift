// Holds the published mappings of the record: golden files, what must never be mixed up, no field forgotten.
// RECORD_GOLDEN=1 writes the golden files anew; read the difference before you commit it.

import AccessModel
import DecisionRecord
import Foundation
import Testing

@Suite("Mappings of the record", .serialized)
struct MappingTests {
  private static let targets = ["ecs", "ocsf"]
  private static let records = samples.map(\.record.json)

  private func mapped(_ target: String) throws -> [JSON] {
    let all = try jq("lilium-to-\(target)", Self.records)
    try #require(all.count == samples.count)
    return all
  }

  @Test("golden files", arguments: targets)
  func golden(target: String) throws {
    for (sample, found) in zip(samples, try mapped(target)) {
      let path = Repository.golden + "\(sample.name).\(target).json"
      if ProcessInfo.processInfo.environment["RECORD_GOLDEN"] == "1" {
        try found.pretty().write(toFile: path, atomically: true, encoding: .utf8)
      }
      let expected = try JSON(Data(contentsOf: URL(fileURLWithPath: path)))
      #expect(found == expected, "\(sample.name) is now\n\(found)")
    }
  }

  @Test("every golden file has its sample")
  func noOrphans() throws {
    let names = Set(samples.map(\.name))
    #expect(names.count == samples.count)
    let expected = Set(names.flatMap { name in Self.targets.map { "\(name).\($0).json" } })
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: Repository.golden)) == expected)
  }

  @Test("every kind of record and every mechanism is sampled")
  func complete() {
    #expect(Set(samples.map(\.record.kind)) == Set(RecordKind.allCases))
    let decided = samples.compactMap { sample in
      if case .decision(let entry) = sample.record.event { entry.decision.mechanism } else { nil }
    }
    #expect(Set(decided) == Set(Mechanism.allCases))
  }

  @Test("a denial is one only where it was prevented")
  func denials() throws {
    for (sample, (ecs, ocsf)) in zip(samples, zip(try mapped("ecs"), try mapped("ocsf"))) {
      var prevented = false
      if case .decision(let entry) = sample.record.event { prevented = entry.effect == .prevented }
      if case .tamperingDenied = sample.record.event { prevented = true }
      let types = (ecs.value["event"] as? NSDictionary)?["type"] as? [String] ?? []
      #expect(types.contains("denied") == prevented, "\(sample.name)")
      #expect((ocsf.value["action_id"] as? Int == 2) == prevented, "\(sample.name)")
      #expect((ocsf.value["disposition_id"] as? Int == 2) == prevented, "\(sample.name)")
    }
  }

  @Test("weights are the record's own")
  func weights() throws {
    for (sample, (ecs, ocsf)) in zip(samples, zip(try mapped("ecs"), try mapped("ocsf"))) {
      let log = ecs.value["log"] as? NSDictionary
      let syslog = (log?["syslog"] as? NSDictionary)?["severity"] as? NSDictionary
      #expect(syslog?["code"] as? Int == sample.record.priority, "\(sample.name)")
      // Error, warning, notice, information: High, Medium, Low, Informational.
      #expect(ocsf.value["severity_id"] as? Int == 7 - sample.record.priority, "\(sample.name)")
    }
  }

  @Test("a record comes back from the journal as it was")
  func fromJournal() throws {
    let back = try jq("lilium-from-journal", samples.map { try journalLine($0.record) })
    try #require(back.count == samples.count)
    for (sample, found) in zip(samples, back) {
      #expect(try found == JSON(sample.record.json), "\(sample.name) came back as\n\(found)")
    }
  }

  @Test("names that are not UTF-8 come back, too", arguments: hostileNames)
  func hostile(name: [UInt8]) throws {
    let change = CoverageChange(
      state: .marked, device: DeviceNumber(major: 8, minor: 1), fileSystemType: bytes("ext4"), mountPoint: name)
    let record = AuditRecord(id: RecordID(prefix: "a", number: 1), time: 0, event: .coverageChanged(change))
    let back = try jq("lilium-from-journal", [try journalLine(record)])
    #expect(try back == [JSON(record.json)])
  }

  @Test("what is no record of Lilium's is passed over")
  func foreign() throws {
    #expect(try jq("lilium-from-journal", [bytes(#"{"MESSAGE":"LILIUM_KIND=decision","PRIORITY":"4"}"#)]).isEmpty)
  }

  @Test(
    "what a mapping does with each field is what lilium-record(5) says",
    arguments: [("ecs", "lilium"), ("ocsf", "unmapped")])
  func documented(target: String, rest: String) throws {
    let page = try ManualPage()
    var (moved, kept): (Set<String>, Set<String>) = ([], [])
    for (sample, found) in zip(samples, try mapped(target)) {
      let fields = try JSON(sample.record.json).leaves
      let left = found.leaves(below: rest)
      #expect(left.isSubset(of: fields), "\(sample.name): \(left.subtracting(fields)) is made up")
      kept.formUnion(left)
      moved.formUnion(fields.subtracting(left))
    }
    #expect(page.moved(target) == moved)
    #expect(page.kept(target) == kept)
  }

  @Test("lilium-record(5) has every field, and no other")
  func fields() throws {
    let written = try Self.records.reduce(into: Set<String>()) { try $0.formUnion(JSON($1).leaves) }
    let plain = written.filter { !$0.hasSuffix("_b64") && !$0.hasPrefix("modes.") }
    #expect(try ManualPage().fields == plain.union(["modes"]))
  }
}

/// Names that a reader may stumble over.
private let hostileNames: [[UInt8]] = [
  bytes("/a\nLILIUM_VERDICT=allow\n"), bytes("/\u{1b}[2J"), bytes("/ü\u{202e}€\u{10ffff}"), [0x2f, 0xff, 0xfe, 0x41],
  [0x2f, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80], [0x2f, 0xe2, 0x82], [0xf0, 0x80, 0x80, 0x80, 0x31],
  [UInt8](1...255), [0xc3, 0xbc, 0x9b],
]
