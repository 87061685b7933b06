// Owns the fuzzing of configuration text: whatever the bytes are, reading them ends with findings that hold.
// It must not read or write a file.

import Configuration

/// Reading is total and says the same twice; an error and a configuration exclude each other; a place lies in the text,
/// and the place of an unknown key is where that key is written.
@c(LLVMFuzzerTestOneInput)
public func fuzzConfiguration(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = [UInt8](UnsafeBufferPointer(start: start, count: count))
  let (configuration, findings) = Configuration.parse(bytes, path: "lilium.toml")
  let again = Configuration.parse(bytes, path: "lilium.toml")
  precondition(again.configuration == configuration && again.findings == findings, "reads differently twice")
  precondition((configuration == nil) == findings.hasErrors, "an error and a configuration")
  let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  for finding in findings { check(finding, lines) }
  return 0
}

private func check(_ finding: Finding, _ lines: [ArraySlice<UInt8>]) {
  let harmful = finding.rendered.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || $0.value == 0x7f }
  precondition(!harmful, "a control character is printed")
  guard let place = finding.place else { preconditionFailure("no place") }
  precondition((1...lines.count).contains(place.line) && place.column >= 1 && place.length >= 1, "a place outside")
  let quoted = finding.message.split(separator: "\"", omittingEmptySubsequences: false)
  guard finding.message.hasPrefix("unknown "), quoted.count > 2 else { return }
  let written = text(at: place, in: lines[place.line - 1])
  let isPlain = quoted[1].utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && !quoted[1].isEmpty && quoted.count == 3
  guard isPlain, !quoted[1].contains("\\"), !written.contains("\\") else { return }
  let bare = written.hasPrefix("\"") || written.hasPrefix("'") ? String(written.dropFirst().dropLast()) : written
  precondition(bare == quoted[1], "an unknown key is sought elsewhere")
}

private func text(at place: Finding.Place, in line: ArraySlice<UInt8>) -> String {
  let mark: [UInt8] = [0xef, 0xbb, 0xbf]
  let bytes = place.line == 1 && line.starts(with: mark) ? line.dropFirst(mark.count) : line
  let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars.dropFirst(place.column - 1).prefix(place.length)
  return String(String.UnicodeScalarView(scalars))
}
