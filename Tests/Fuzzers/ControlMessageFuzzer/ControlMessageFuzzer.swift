// Owns the fuzzing of control messages: lines from a peer, and lines from a daemon.
// It must not open a socket.

import AccessModel
import ControlProtocol

/// Reading is total; what is read can be written and read again to the same; nothing that is written steers a terminal.
@c(LLVMFuzzerTestOneInput)
public func fuzzControlMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let line = [UInt8](UnsafeBufferPointer(start: start, count: count))
  if let request = try? ControlLine.decodeRequest(line) {
    let written = checked(ControlLine.encode(request))
    precondition((try? ControlLine.decodeRequest(written)) == request, "a request changes on the way")
    if case .watch(let filter) = request { _ = filter.wants(line) }
  }
  if let reply = try? ControlLine.decodeReply(line) {
    let written = checked(ControlLine.encode(reply))
    precondition((try? ControlLine.decodeReply(written)) == reply, "a reply changes on the way")
  }
  if let value = try? ControlLine.decodeValue(line) {
    let written = checked(ControlLine.encode(value))
    precondition((try? ControlLine.decodeValue(written)) != nil, "a value cannot be read again")
  }
  _ = WatchFilter(mechanism: .exec, verdict: .deny).wants(line)
  return 0
}

private func checked(_ line: [UInt8]) -> [UInt8] {
  precondition(line.last == UInt8(ascii: "\n"), "no line end")
  precondition(!line.dropLast().contains { $0 < 0x20 || $0 == 0x7f }, "a control character is written")
  return Array(line.dropLast())
}
