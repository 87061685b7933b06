// Owns which facts of a system call and of the process that it reaches into stand in a record (schema 1).
// It must not show a field whose group of facts was not fetched, nor an empty one: absent means not known, or not so.

internal import AccessModel

extension FieldGroup {
  /// What a call adds to the operation; nothing where the request was none.
  mutating func addCall(of entry: TrailEntry) {
    let (call, present) = (entry.call, entry.present)
    if present.contains(.call) {
      add("syscall", ifAny: call.name)
      add("architecture", ifAny: call.architecture)
      add("request", ifAny: call.request)
      add("flags", ifAny: call.flags)
      add("protection", ifAny: call.protection)
    }
    if present.contains(.callNamespaces) { add("namespaces", ifAny: call.namespaces) }
    if present.contains(.callSource) { add("source", ifAny: call.source) }
    if present.contains(.callModule) { add("module", ifAny: call.module) }
    guard present.contains(.call) else { return }
    if call.size != 0 { add("size", call.size) }
    if let result = call.result { add("result", result) }
    if call.serial != 0 { add("audit_serial", call.serial) }
  }

  private mutating func add(_ name: String, ifAny bytes: [UInt8]) {
    if !bytes.isEmpty { add(name, bytes) }
  }

  private mutating func add(_ name: String, ifAny words: [[UInt8]]) {
    if !words.isEmpty { add(name, .texts(words.map { String(decoding: $0, as: UTF8.self) })) }
  }
}

extension TrailEntry {
  var targetFields: FieldGroup {
    var fields = FieldGroup()
    if present.contains(.targetStatus) {
      fields.add("pid", target.pid)
      fields.add("uid", target.uid)
    }
    if present.contains(.targetExecutable) { fields.add("exe", target.executable) }
    if present.contains(.targetStatus) { fields.add("comm", target.comm) }
    return fields
  }
}
