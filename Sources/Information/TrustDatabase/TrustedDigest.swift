// Owns one digest that may be met, and the table of those that are trusted wherever they lie.
// It must not know paths.

internal import AccessModel

/// What is compared: size, kind and digest at once.
struct TrustedDigest: Sendable, Hashable {
  /// Size and kind in one number; nil for a size that no file has.
  static func tag(_ size: UInt64, _ kind: DigestKind) -> UInt64? {
    size <= UInt64(Int64.max) ? size << 1 | UInt64(kind.rawValue) : nil
  }

  let tag: UInt64
  let digest: ContentHash
}

/// Where an item of a table is found: places in a run of numbers, one after the other, from where the hash points to.
struct SlotTable: Sendable {
  /// The number of an item and one, 0 for none.
  private var slots: [UInt32]

  /// For so many items, which leave a third free: every search meets a free place soon.
  init(count: Int) { slots = [UInt32](repeating: 0, count: count + count / 2 + 1) }

  var byteCount: Int { slots.capacity * MemoryLayout<UInt32>.stride }

  mutating func add(_ item: Int, hash: UInt64) {
    var place = start(hash)
    while slots[place] != 0 { place = next(place) }
    slots[place] = UInt32(item) + 1
  }

  /// The item of this hash that `matches`.
  @inline(__always)
  func find(hash: UInt64, _ matches: (Int) -> Bool) -> Int? {
    var place = start(hash)
    while slots[place] != 0 {
      let item = Int(slots[place]) - 1
      if matches(item) { return item }
      place = next(place)
    }
    return nil
  }

  private func start(_ hash: UInt64) -> Int { Int(hash.multipliedFullWidth(by: UInt64(slots.count)).high) }
  private func next(_ place: Int) -> Int { place + 1 < slots.count ? place + 1 : 0 }
}

/// The contents that are trusted wherever they lie.
struct WhereverTable: Sendable {
  private let digests: [TrustedDigest]
  private let slots: SlotTable
  /// Every tag once, in order: most files are ruled out by their size, without reading.
  private let tags: [UInt64]

  init(_ digests: [TrustedDigest]) {
    var slots = SlotTable(count: digests.count)
    for (item, digest) in digests.enumerated() { slots.add(item, hash: digest.digest.prefix) }
    self.digests = digests
    self.slots = slots
    tags = Set(digests.lazy.map(\.tag)).sorted()
  }

  var byteCount: Int {
    digests.capacity * MemoryLayout<TrustedDigest>.stride + slots.byteCount
      + tags.capacity * MemoryLayout<UInt64>.stride
  }

  func contains(_ digest: TrustedDigest) -> Bool {
    slots.find(hash: digest.digest.prefix) { digests[$0] == digest } != nil
  }

  func contains(tag: UInt64) -> Bool {
    var low = 0
    var high = tags.count
    while low < high {
      let middle = (low + high) / 2
      if tags[middle] < tag { low = middle + 1 } else { high = middle }
    }
    return low < tags.count && tags[low] == tag
  }
}
