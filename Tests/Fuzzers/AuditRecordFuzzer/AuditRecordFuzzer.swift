// Fuzzes audit records and rules: any lines are records or none, come together to events within bounds, and no field is
// made up. libFuzzer calls it; a broken promise traps.

import AuditNetlink

/// Input: lines of two bytes for the record's type (1300 and up by the first, and whether time passes by the second)
/// and the record's text.
@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = Array(UnsafeBufferPointer(start: data, count: count))
  _ = ListedRule(input).map { ($0.text, $0.key, $0.covers(.mount, on: .native), $0.hasOtherConditions) }
  var limits = EventAssembler.Limits()
  limits.openEvents = 4
  limits.entriesPerEvent = 8
  limits.bytesPerEvent = 4096
  limits.bytes = 8192
  limits.remembered = 8
  var assembler = EventAssembler(limits: limits)
  var now: UInt64 = 0
  var taken = 0
  var given = 0
  for line in input.split(separator: 0x0a) where line.count >= 2 {
    let type = 1300 + UInt16(line[line.startIndex] % 40)
    now += line[line.startIndex + 1] == UInt8(ascii: "t") ? 1_000_000_000 : 1
    let text = Array(line.dropFirst(2))
    if let entry = AuditEntry(type: type, text: text) {
      checkFields(entry, in: text)
      given += 1
    }
    text.withUnsafeBytes { assembler.add(type: type, text: $0, now: now) }
    precondition(assembler.openCount <= limits.openEvents, "open events are bounded")
    while let event = assembler.takeReady(now: now) { taken += check(event, limits) }
    if let deadline = assembler.nextDeadline { precondition(deadline > now, "what is over was closed") }
  }
  assembler.flush()
  while let event = assembler.takeReady(now: .max) { taken += check(event, limits) }
  precondition(
    taken <= given && assembler.openCount == 0 && assembler.nextDeadline == nil, "nothing is left or doubled")
  return 0
}

private func checkFields(_ entry: AuditEntry, in text: [UInt8]) {
  precondition(entry.time >= 0, "a time is after the epoch")
  var total = 0
  for name in entry.names {
    precondition(!name.isEmpty && !name.contains(" ") && !name.contains("="), "a name is a word")
    // A name that is not UTF-8 does not lead back to its bytes.
    guard !name.contains("\u{fffd}") else { continue }
    guard let raw = entry.raw(name) else { preconditionFailure("a field that is named is there") }
    total += name.utf8.count + 1
    precondition(raw.first == 0x22 || raw.first == 0x27 || !raw.contains(0x20), "only quotes hold blanks together")
    if let decoded = entry.text(name) { precondition(decoded.count <= raw.count, "decoding makes nothing up") }
    if let number = entry.decimal(name) {
      precondition(!raw.isEmpty && (number >= 0 || raw[0] == 0x2d), "a sign is read")
    }
    _ = (entry.hexadecimal(name), entry.word(name))
  }
  precondition(total <= text.count, "fields do not overlap")
}

private func check(_ event: AuditEvent, _ limits: EventAssembler.Limits) -> Int {
  precondition(!event.entries.isEmpty && event.entries.count <= limits.entriesPerEvent, "events are bounded")
  precondition(
    event.entries.allSatisfy { $0.serial == event.serial && $0.time == event.time },
    "an event is of one serial and time")
  precondition(
    event.isTorn || event.syscall != nil || event.first(AuditType.proctitle) == nil, "no event is whole by half")
  return event.entries.count
}
