// Owns one part of the digest cache: sets of four entries in fixed memory, under one lock.
// It must not allocate after it was made.

internal import AccessModel
internal import Glibc
internal import Synchronization

/// A file as it lay when its digest was computed.
struct ContentKey: Hashable {
  var identity = FileIdentity()
  /// What stays the same while the file's file system is mounted, and comes again at no later mount: else another image
  /// under the same device number could show another file with the same numbers and times. The file's mount, or where
  /// that is not told, what the file system calls itself.
  var mount: UInt64 = 0
  /// In nanoseconds since the epoch.
  var changeTime: Int64 = 0
  var size: UInt64 = 0

  func isSameFile(as other: ContentKey) -> Bool { identity == other.identity && mount == other.mount }
}

/// The newest entry of a set stands first, the last makes room. `@safe`: every index lies within its set, and every
/// access under the lock.
@safe final class DigestShard: Sendable {
  static let ways = 4

  /// All zero is an empty entry.
  private struct Entry {
    var isUsed = false
    var key = ContentKey()
    var digest = ContentHash()
  }

  /// How often a file of the set was told to have changed.
  nonisolated(unsafe) private let versions: UnsafeMutablePointer<UInt64>
  nonisolated(unsafe) private let entries: UnsafeMutablePointer<Entry>
  private let lock = Mutex(())
  private let sets: UInt64

  init(sets: Int) {
    self.sets = UInt64(max(1, sets))
    // Zeroed by the system page by page, as they are touched: an empty cache costs nothing.
    unsafe versions = Self.zeroed(sets)
    unsafe entries = Self.zeroed(sets * Self.ways)
  }

  deinit {
    unsafe free(versions)
    unsafe free(entries)
  }

  private static func zeroed<Element>(_ count: Int) -> UnsafeMutablePointer<Element> {
    guard let memory = unsafe calloc(max(1, count), MemoryLayout<Element>.stride) else {
      fatalError("digest cache: no memory for \(count) entries")
    }
    return unsafe memory.bindMemory(to: Element.self, capacity: max(1, count))
  }

  /// The set that a mixed number stands for.
  private func set(_ place: UInt64) -> Int { Int(place % sets) }

  func find(_ key: ContentKey, _ place: UInt64) -> ContentHash? {
    lock.withLock { _ in
      let first = set(place) * Self.ways
      for index in first..<first + Self.ways where unsafe entries[index].isUsed && entries[index].key == key {
        let digest = unsafe entries[index].digest
        if index > first { unsafe swap(&entries[index], &entries[index - 1]) }
        return digest
      }
      return nil
    }
  }

  func version(_ place: UInt64) -> UInt64 { lock.withLock { _ in unsafe versions[set(place)] } }

  /// False where a file of the set changed since `version`.
  func keep(_ digest: ContentHash, _ key: ContentKey, _ place: UInt64, ifVersion version: UInt64) -> Bool {
    lock.withLock { _ in
      let set = set(place)
      guard unsafe versions[set] == version else { return false }
      let first = set * Self.ways
      // In the place of an older one of the same file on the same mount, else of the last.
      var index = first + Self.ways - 1
      for other in first..<index where unsafe entries[other].isUsed && entries[other].key.isSameFile(as: key) {
        index = other
        break
      }
      while index > first {
        unsafe entries[index] = entries[index - 1]
        index -= 1
      }
      unsafe entries[first] = Entry(isUsed: true, key: key, digest: digest)
      return true
    }
  }

  /// True where something was kept.
  func forget(_ file: FileIdentity, _ place: UInt64) -> Bool {
    lock.withLock { _ in
      let set = set(place)
      unsafe versions[set] &+= 1
      var isFound = false
      for index in set * Self.ways..<(set + 1) * Self.ways where unsafe entries[index].key.identity == file {
        isFound = unsafe isFound || entries[index].isUsed
        unsafe entries[index].isUsed = false
      }
      return isFound
    }
  }

  func forgetAll() {
    lock.withLock { _ in
      for set in 0..<Int(sets) { unsafe versions[set] &+= 1 }
      for index in 0..<Int(sets) * Self.ways where unsafe entries[index].isUsed { unsafe entries[index].isUsed = false }
    }
  }
}
