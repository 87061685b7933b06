// Fuzzes the events of a fanotify group: any bytes are walked to an end or an error, never past the buffer.
// libFuzzer calls it; a broken promise traps.

import Fanotify

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var rest = UnsafeRawBufferPointer(start: data, count: count)
  while !rest.isEmpty {
    do throws(EventBufferError) {
      let (event, length) = try EventBuffer.first(in: rest)
      precondition(length >= 24 && length <= rest.count, "an event takes some of the bytes, and no more")
      precondition(length >= 32 || event.pidDescriptor == -1, "a descriptor needs a record")
      precondition(!event.isExecute || event.isPermission, "an exec event waits for an answer")
      let (file, same) = try EventBuffer.firstFile(in: rest)
      precondition(same == length && file.mask == event.mask, "it is the same event")
      precondition(file.handle == nil || length >= 24 + 20 + 1, "a handle needs a record with room for it")
      rest = UnsafeRawBufferPointer(rebasing: rest[length...])
    } catch {
      if case .truncated = error { precondition(rest.count < 24, "only short bytes are cut") }
      break
    }
  }
  return 0
}
