// Owns the words for a system call in a record that came as JSON: what was called, what it was about, what came of it.
// It must not pass a control character of a name on.

internal import ControlProtocol
internal import DecisionRecord
internal import SystemCalls

/// A decision's record about a system call.
struct CallText {
  private let record: JSONValue
  private let operation: JSONValue

  /// Nil where the record is about a file, or about nothing that is known.
  init?(_ record: JSONValue) {
    guard let operation = record["operation"], operation["kind"]?.string == "call" else { return nil }
    self.record = record
    self.operation = operation
  }

  /// As in `TIOCSTI on /dev/pts/3: Operation not permitted`.
  var words: String {
    let target = record["target"]
    let traced = integer(target?["pid"]).map { pid in
      "of \(name(target?["comm"]) ?? "")[\(pid)]" + (integer(target?["uid"]).map { " uid \($0)" } ?? "")
    }
    let parts = [
      name(operation["request"]) ?? name(operation["syscall"]) ?? "(unknown call)",
      list("protection", "|") ?? list("namespaces", ",") ?? list("flags", "|"), name(operation["module"]),
      name(record["object"]?["fstype"]), name(record["object"]?["path"]).map { "on \($0)" },
      name(operation["source"]).map { "from \($0)" }, traced,
    ]
    return parts.compactMap(\.self).joined(separator: " ") + (failure.map { ": \($0)" } ?? "")
  }

  /// What came of a denial in `enforce`.
  var outcome: String {
    if record["effect"]?.string == "contained" { return "contained" }
    if failure != nil { return "attempt" }
    return name(record["containment_failure"]).map { "not contained: \($0)" } ?? "not contained"
  }

  /// Why the kernel itself refused the call; nil where it did not.
  private var failure: String? {
    guard let result = integer(operation["result"]), result < 0 else { return nil }
    return Errno(Int32(clamping: result.magnitude)).description
  }

  private func integer(_ value: JSONValue?) -> Int64? {
    if case .integer(let number)? = value { number } else { nil }
  }

  private func name(_ value: JSONValue?) -> String? { value?.string.map { displayText(Array($0.utf8)) } }

  private func list(_ key: String, _ separator: String) -> String? {
    guard case .array(let words)? = operation[key], !words.isEmpty else { return nil }
    return words.compactMap { name($0) }.joined(separator: separator)
  }
}
