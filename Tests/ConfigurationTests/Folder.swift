// Owns temporary folders of rule files for tests.

import Glibc
import SystemCalls

/// A folder that goes with its owner.
final class Folder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  private var names: [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  func write(_ name: String, _ text: String = "", mode: UInt32 = 0o644) throws {
    let file = try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try file.writeAll(text.utf8)
    fchmod(file.rawValue, mode)
  }

  func link(_ name: String, to target: String) { symlink(target, "\(path)/\(name)") }
}
