// Owns reading the short files of securityfs, which the kernel makes up as they are read.
// It must not interpret them.

internal import Glibc
internal import SystemCalls

/// One file below /sys/kernel/security; nil where it cannot be read.
func readSecurityFile(_ name: String) -> String? {
  guard let file = try? Descriptor.open("/sys/kernel/security/\(name)", O_RDONLY) else { return nil }
  let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
  defer { unsafe room.deallocate() }
  guard let count = try? unsafe readDescriptor(file.rawValue, room, at: 0) else { return nil }
  let text = unsafe String(decoding: room[..<count], as: UTF8.self)
  return text.last == "\n" ? String(text.dropLast()) : text
}
