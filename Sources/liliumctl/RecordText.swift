// Owns how a record that came as JSON looks to people.
// It must not pass a control character of a name on.

internal import Configuration
internal import ControlProtocol
internal import DecisionRecord

/// A record of any kind.
struct RecordText {
  private let record: JSONValue
  private let paint: Paint

  init(_ record: JSONValue, _ paint: Paint) {
    self.record = record
    self.paint = paint
  }

  /// One line, without its end.
  var line: String {
    let time = text("time").dropFirst(11).prefix(12)
    guard text("kind") == "decision" else { return "\(time) \(text("kind"))  \(others)" }
    let times = number(record["answer_us"]).map { "  \($0) µs" } ?? ""
    let object = CallText(record)?.words ?? name(record["object"]?["path"])
    return "\(time) \(verdict)  \(text("mechanism"))  \(object)  by \(subject)  \(reason)\(times)"
  }

  /// A field a line, as `liliumctl explain` shows it.
  var fields: String {
    var table = TextTable([("FIELD", .left), ("VALUE", .left)])
    add(record, "", &table)
    return table.rendered
  }

  private var verdict: String {
    switch (text("verdict"), text("mode")) {
    case ("deny", "audit"): paint.yellow("would deny")
    case ("deny", _): paint.red(padded(CallText(record)?.outcome ?? "deny"))
    default: paint.green("allow     ")
    }
  }

  private func padded(_ word: String) -> String { word + String(repeating: " ", count: max(0, 10 - word.count)) }

  private var subject: String {
    let subject = record["subject"]
    let uid = number(subject?["uid"]).map { " uid \($0)" } ?? ""
    return "\(name(subject?["comm"]))[\(number(subject?["pid"]) ?? "?")]\(uid)"
  }

  private var reason: String {
    record["rule"]?.string.map { Printable.text($0) } ?? record["failure"]?.string.map { Printable.text($0) }
      ?? text("reason")
  }

  /// The fields of a record that is no decision.
  private var others: String {
    guard case .object(let members) = record else { return "" }
    let common = ["schema", "id", "time", "kind"]
    return members.filter { !common.contains($0.key) }.sorted { $0.key < $1.key }
      .map { "\(Printable.text($0.key)) \(shown($0.value))" }.joined(separator: ", ")
  }

  private func text(_ key: String) -> String { record[key]?.string.map { Printable.text($0) } ?? "" }

  private func name(_ value: JSONValue?) -> String { value?.string.map { displayText(Array($0.utf8)) } ?? "?" }

  private func number(_ value: JSONValue?) -> String? {
    switch value {
    case .integer(let whole): String(whole)
    case .number(let number): String(number)
    default: nil
    }
  }

  private func shown(_ value: JSONValue) -> String {
    switch value {
    case .string(let text): displayText(Array(text.utf8))
    case .bool(let flag): flag ? "yes" : "no"
    case .array(let elements): elements.map { shown($0) }.joined(separator: " ")
    case .object(let members):
      members.sorted { $0.key < $1.key }.map { "\(Printable.text($0.key))=\(shown($0.value))" }.joined(separator: " ")
    case .null: "none"
    case .integer, .number: number(value) ?? ""
    }
  }

  private func add(_ value: JSONValue, _ prefix: String, _ table: inout TextTable) {
    guard case .object(let members) = value else { return }
    for (key, member) in members.sorted(by: { $0.key < $1.key }) {
      let name = prefix + Printable.text(key)
      if case .object = member { add(member, name + ".", &table) } else { table.add(name, shown(member)) }
    }
  }
}
