// What the tests of the trust database share: a folder of their own, contents, random numbers that come back.

import AccessModel
import Glibc
import SystemCalls
import TrustDatabase

/// A folder that goes with its owner.
final class Folder {
  let path: String

  init() {
    var template = Array("/tmp/lilium-trust-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit {
    _ = try? run("/bin/rm", ["-rf", path])
  }

  /// Where the store is.
  var trust: String { path + "/state/trust" }
  var store: TrustStore { TrustStore(folder: trust) }
  func file(_ name: String) -> String { trust + "/" + name }

  var names: Set<String> {
    guard let list = opendir(trust) else { return [] }
    defer { closedir(list) }
    var names: Set<String> = []
    while let entry = readdir(list) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map { $0 } }
      names.insert(String(decoding: name, as: UTF8.self))
    }
    return names.subtracting([".", ".."])
  }

  func read(_ name: String) throws -> [UInt8] {
    try Descriptor.open(file(name), O_RDONLY).readAll(limit: 1 << 30)
  }

  func write(_ name: String, _ bytes: [UInt8]) throws {
    let file = try Descriptor.open(file(name), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try file.writeAll(bytes)
  }
}

/// Runs a program to its end; its exit status, or 128 and the signal that ended it.
func run(_ path: String, _ arguments: [String]) throws -> Int32 {
  let pid = try ChildProcess.start(path, [path] + arguments)
  return wait(for: pid)
}

func wait(for pid: Int32) -> Int32 {
  var status: Int32 = 0
  while waitpid(pid, &status, 0) < 0 { if errno != EINTR { return -1 } }
  return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
}

/// SplitMix64: the same numbers for the same seed.
struct Random: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A digest that is another one for each number.
func digest(_ number: Int) -> ContentHash {
  var random = Random(number)
  return ContentHash((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })!
}

func content(
  _ number: Int, size: UInt64 = 100, verity: Int? = nil, source: TrustSource = .dpkg, origin: String = "coreutils",
  seen: SeenFile? = nil
) -> TrustedContent {
  TrustedContent(
    size: size, hash: digest(number), verity: verity.map(digest), source: source, origin: bytes(origin),
    added: 1_700_000_000 + Int64(number), seen: seen)
}

func entry(_ numbers: Int..., distrusted: Bool = false) -> TrustEntry {
  TrustEntry(contents: numbers.map { content($0) }, isDistrusted: distrusted)
}

/// All that a snapshot holds.
func everything(_ snapshot: TrustSnapshot, from prefix: String = "") throws -> [[UInt8]: TrustEntry] {
  var all: [[UInt8]: TrustEntry] = [:]
  try snapshot.forEachPath(from: bytes(prefix)) { path, entry in
    if all.updateValue(entry, forKey: path) != nil { fatalError("a path came twice") }
    return true
  }
  return all
}
