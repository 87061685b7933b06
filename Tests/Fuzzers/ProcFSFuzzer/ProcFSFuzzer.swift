// Fuzzes what is read from /proc: the first byte chooses the parser, the rest is the text. Texts end where the bytes end.
// libFuzzer calls it; a broken promise traps.

import ProcFS

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard count > 0, let data else { return 0 }
  let text = UnsafeRawBufferPointer(start: data + 1, count: count - 1)
  switch data[0] % 6 {
  case 0: status(text)
  case 1: stat(text)
  case 2: controlGroup(text)
  case 3: mountInfo(text)
  case 4: _ = ProcessNumber.read(text)
  default: unit(text)
  }
  return 0
}

private func status(_ text: UnsafeRawBufferPointer) {
  var status = ProcessStatus()
  guard status.read(text) else { return }
  precondition(status.parent >= 0 && status.groups.count <= text.count && status.name.count <= text.count)
  // What follows the last line that is read changes nothing, and what was read before leaves no trace.
  var again = ProcessStatus()
  _ = again.read(UnsafeRawBufferPointer(rebasing: text.dropFirst(text.count / 2)))
  precondition(again.read(text) && again == status, "reading depends on the text alone")
}

private func stat(_ text: UnsafeRawBufferPointer) {
  guard let stat = ProcessStat(text) else { return }
  let (major, minor) = stat.terminalDevice
  precondition(major <= 0xfff && minor <= 0xfffff)
}

private func controlGroup(_ text: UnsafeRawBufferPointer) {
  guard let path = ControlGroup.path(in: text) else { return }
  precondition(path.count < text.count && !path.contains(0x0a), "a path is part of one line")
  unit(path)
}

private func unit(_ path: UnsafeRawBufferPointer) {
  let unit = ControlGroup.unit(in: path)
  precondition(unit.count <= path.count && !unit.contains(0x2f), "a unit is one part of the path")
}

private func mountInfo(_ text: UnsafeRawBufferPointer) {
  let (entries, malformed) = MountInfo.parse(text)
  let lines = text.count { $0 == 0x0a } + 1
  precondition(entries.count + malformed <= lines, "an entry is one line")
  for entry in entries {
    precondition(!entry.root.isEmpty && !entry.mountPoint.isEmpty && !entry.type.isEmpty)
    precondition(entry.mountPoint.count <= text.count)
  }
  let table = MountTable()
  table.replace(with: entries)
  for entry in entries { precondition(table.place(major: entry.major, minor: entry.minor) != nil) }
}
