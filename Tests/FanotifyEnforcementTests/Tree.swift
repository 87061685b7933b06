// Owns a temporary tree of files that goes with its owner.

import Glibc
import SystemCalls

final class Tree: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Makes a file, and the folders above it.
  func file(_ name: String) throws {
    try directory(String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)]))
    try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT, mode: 0o600).writeAll([0x78])
  }

  func directory(_ name: String) throws {
    var folder = path
    for part in name.split(separator: "/") {
      folder += "/\(part)"
      try ProcessSetup.makeDirectory(folder, mode: 0o755)
    }
  }

  func link(_ name: String, to target: String) throws {
    try directory(String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)]))
    _ = try systemCall { symlink(target, "\(path)/\(name)") }
  }

  deinit { Self.remove(PathBytes(path)) }

  private static func remove(_ path: PathBytes) {
    path.withPointer { folder in
      if let stream = opendir(folder) {
        while let entry = readdir(stream) {
          let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map { $0 } }
          if name == [0x2e] || name == [0x2e, 0x2e] { continue }
          let child = path.appending(name)
          if child.withPointer({ unlink($0) }) != 0 { remove(child) }
        }
        closedir(stream)
      }
      rmdir(folder)
    }
  }
}
