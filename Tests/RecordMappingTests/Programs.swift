// Owns how these tests run the published jq programs and compare what they give.
// It must not repair anything: what jq prints is what an administrator gets.

import DecisionRecord
import Foundation

enum Repository {
  static let root = String(#filePath.dropLast("Tests/RecordMappingTests/Programs.swift".count))
  static let golden = root + "Tests/RecordMappingTests/Golden/"

  static func text(_ path: String) throws -> String { try String(contentsOfFile: root + path, encoding: .utf8) }
}

/// One object of JSON; equal where its keys, order aside, and values are.
struct JSON: Hashable, CustomStringConvertible, @unchecked Sendable {
  let value: NSDictionary

  init(_ data: some Sequence<UInt8>) throws {
    let parsed = try JSONSerialization.jsonObject(with: Data(data))
    guard let object = parsed as? NSDictionary else { throw CocoaError(.propertyListReadCorrupt) }
    value = object
  }

  var description: String { (try? pretty()) ?? "\(value)" }

  func pretty() throws -> String {
    let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try JSONSerialization.data(withJSONObject: value, options: options), as: UTF8.self) + "\n"
  }

  /// The paths of all values that are not objects themselves, as in `subject.pid`.
  var leaves: Set<String> { Self.leaves(of: value, below: "") }

  func leaves(below key: String) -> Set<String> {
    (value[key] as? NSDictionary).map { Self.leaves(of: $0, below: "") } ?? []
  }

  private static func leaves(of object: NSDictionary, below prefix: String) -> Set<String> {
    var found: Set<String> = []
    for case (let key as String, let value) in object {
      if let inner = value as? NSDictionary {
        found.formUnion(leaves(of: inner, below: prefix + key + "."))
      } else {
        found.insert(prefix + key)
      }
    }
    return found
  }
}

struct JQFailure: Error {
  let status: Int32
  let words: String
}

/// Runs one of the published programs over lines of JSON: one object in, one object out.
func jq(_ program: String, _ lines: [[UInt8]]) throws -> [JSON] {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let input = folder.appendingPathComponent("in")
  try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: input)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [
    "jq", "-acf", Repository.root + "etc/mappings/\(program).jq", "--arg", "host", "tower", input.path,
  ]
  let (output, errors) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let printed = output.fileHandleForReading.readDataToEndOfFile()
  let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw JQFailure(status: process.terminationStatus, words: words) }
  return try printed.split(separator: UInt8(ascii: "\n")).map { try JSON($0) }
}

/// A record as `journalctl -o json -a` shows it: a value that cannot be printed as a list of bytes, a name that comes
/// several times as a list of values.
func journalLine(_ record: AuditRecord) throws -> [UInt8] {
  var values: [String: [Any]] = [:]
  for field in record.journalFields where field.name.hasPrefix("LILIUM_") {
    values[field.name, default: []].append(shown(field.value))
  }
  let entry = values.mapValues { $0.count == 1 ? $0[0] : $0 }
  return [UInt8](try JSONSerialization.data(withJSONObject: entry))
}

private func shown(_ value: [UInt8]) -> Any {
  guard let text = String(validating: value, as: UTF8.self) else { return value.map { Int($0) } }
  let plain = text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control }
  return plain ? text : value.map { Int($0) }
}
