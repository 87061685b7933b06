// Owns temporary files, a waiting room that counts, and the shortest way to ask about an open file.
// It must not test anything.

import AccessModel
import Glibc
import ObjectInformation
import ProcFS
import Synchronization
import SystemCalls
import Testing

/// A temporary folder that goes with its owner.
final class Folder {
  let path: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  @discardableResult func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644).writeAll(bytes)
    return "\(path)/\(name)"
  }

  deinit {
    guard let stream = opendir(path) else { return }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { $0.prefix { $0 != 0 }.map { $0 } }
      (Array(path.utf8) + [0x2f] + name + [0]).withUnsafeBytes {
        _ = unlink($0.baseAddress!.assumingMemoryBound(to: CChar.self))
      }
    }
    closedir(stream)
    rmdir(path)
  }
}

/// A waiting room that counts who came, and may be full.
final class Room: WaitingRoom {
  private let entered = Atomic(0)
  private let left = Atomic(0)
  private let isFull: Bool
  init(isFull: Bool = false) { self.isFull = isFull }

  func enter() -> Bool {
    if isFull { return false }
    entered.add(1, ordering: .relaxed)
    return true
  }

  func leave() { left.add(1, ordering: .relaxed) }
  var visits: Int { entered.load(ordering: .relaxed) }
  var isEmpty: Bool { visits == left.load(ordering: .relaxed) }
}

/// This machine's own mounts.
func ownMounts() throws -> MountTable {
  let text = try Descriptor.open("/proc/self/mountinfo", O_RDONLY).readAll(limit: 1 << 24)
  let table = MountTable()
  text.withUnsafeBytes { table.replace(with: MountInfo.parse($0).entries) }
  return table
}

/// Everything about a file that this information point knows: its content is another's matter.
let ofObject = FactSet.object.subtracting([.objectDigest, .objectTrust])

func facts(
  _ wanted: FactSet, of descriptor: Int32, mounts: MountTable? = nil, room: Room = Room(),
  protected: any ProtectedNames = NoProtectedNames()
) throws -> Facts {
  let facts = Facts()
  facts.begin(pid: 1, operation: .open, objectHandle: descriptor)
  let information = ObjectInformation(mounts: try mounts ?? ownMounts(), room: room, protected: protected)
  information.fetch(wanted, into: facts)
  #expect(facts.missing(of: wanted.intersection(ofObject)) == [], "nothing that was wanted is left missing")
  #expect(facts.present.isDisjoint(with: facts.failed))
  #expect(room.isEmpty, "whoever enters the waiting room leaves it")
  return facts
}

func facts(_ wanted: FactSet, ofFile path: String, room: Room = Room()) throws -> Facts {
  let file = try Descriptor.open(path, O_RDONLY)
  return try facts(wanted, of: file.rawValue, room: room)
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
