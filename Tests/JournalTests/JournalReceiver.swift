// Owns a stand-in for journald: a bound datagram socket, and a parser of the native protocol that takes both framings.
// It must not share code with the sender.

import Glibc
import SystemCalls
import Testing

/// A folder of its own under /tmp, removed with its owner.
final class TemporaryFolder {
  let path: String
  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    path = String(cString: mkdtemp(&template))
  }
  deinit {
    unlink(path + "/socket")
    rmdir(path)
  }
}

/// A datagram socket bound to a path, whatever stood there before.
func boundDatagramSocket(at path: String) throws -> Descriptor {
  unlink(path)
  let socket = Descriptor(owning: Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0))
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  let number = socket.rawValue
  let bound = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
  try #require(bound == 0)
  return socket
}

/// Receives entries as journald does: in the datagram, or in a sealed file whose descriptor comes with it.
final class JournalReceiver {
  struct Entry: Equatable {
    var fields: [Field]
    var cameAsFile: Bool
  }

  struct Field: Equatable {
    var name: String
    var value: [UInt8]
  }

  private let socket: Descriptor

  init(at path: String) throws {
    socket = try boundDatagramSocket(at: path)
  }

  /// The next entry that is there already; nil where there is none.
  func receive() throws -> Entry? {
    var data = [UInt8](repeating: 0, count: 1 << 20)
    var control = [UInt8](repeating: 0, count: 64)
    let number = socket.rawValue
    let (count, controlLength) = data.withUnsafeMutableBytes { data in
      control.withUnsafeMutableBytes { control in
        var part = iovec(iov_base: data.baseAddress, iov_len: data.count)
        return withUnsafeMutablePointer(to: &part) { part in
          var message = msghdr()
          message.msg_iov = part
          message.msg_iovlen = 1
          message.msg_control = control.baseAddress
          message.msg_controllen = control.count
          let count = recvmsg(number, &message, Int32(MSG_DONTWAIT))
          return (count, Int(message.msg_controllen))
        }
      }
    }
    guard count >= 0 else { return nil }
    guard controlLength > 0 else { return Entry(fields: try parse(Array(data[..<count])), cameAsFile: false) }
    try #require(count == 0)
    // struct cmsghdr is 16 bytes; the descriptor follows it.
    let descriptor = control.withUnsafeBytes { $0.load(fromByteOffset: 16, as: Int32.self) }
    return Entry(fields: try parse(readSealed(Descriptor(owning: descriptor))), cameAsFile: true)
  }

  /// journald maps the file, and takes it only when nobody can change it any more.
  private func readSealed(_ file: consuming Descriptor) throws -> [UInt8] {
    // F_GET_SEALS; the four seals are SEAL, SHRINK, GROW and WRITE (fcntl(2)).
    let seals = fcntl(file.rawValue, 1034)
    try #require(seals & 0xf == 0xf)
    var data = [UInt8](repeating: 0, count: 1 << 22)
    let count = pread(file.rawValue, &data, data.count, 0)
    try #require(count >= 0)
    return Array(data[..<count])
  }
}

/// What journald makes of one entry.
func parse(_ entry: [UInt8]) throws -> [JournalReceiver.Field] {
  var fields: [JournalReceiver.Field] = []
  var rest = entry[...]
  while !rest.isEmpty {
    let lineEnd = try #require(rest.firstIndex(of: 0x0a))
    let line = rest[..<lineEnd]
    rest = rest[(lineEnd + 1)...]
    if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
      let name = String(decoding: line[..<equals], as: UTF8.self)
      fields.append(.init(name: name, value: Array(line[(equals + 1)...])))
      continue
    }
    try #require(rest.count >= 8)
    let length = rest.prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    rest = rest.dropFirst(8)
    try #require(UInt64(rest.count) > length)
    let value = Array(rest.prefix(Int(length)))
    rest = rest.dropFirst(Int(length))
    try #require(rest.first == 0x0a)
    rest = rest.dropFirst()
    fields.append(.init(name: String(decoding: line, as: UTF8.self), value: value))
  }
  return fields
}
