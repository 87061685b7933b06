// Owns the digests of files that were read lately, each for as long as its file stays as it is.
// It must not allocate on the answer path, and must not judge whether a digest may be kept: who computed it does.

public import AccessModel
internal import Synchronization

/// How the cache did.
public struct DigestCacheCounts: Sendable, Hashable {
  public var hits: UInt64 = 0
  public var misses: UInt64 = 0
  public var kept: UInt64 = 0
  /// Digests that were not kept: the file was changed just now, or changes of it would not be told.
  public var refused: UInt64 = 0
  /// Digests that fell because their file changed.
  public var forgotten: UInt64 = 0

  public init() {}
}

/// A fixed number of digests: sets of four in shards, each under a lock of its own. Thread-safe.
public final class DigestCache: Sendable, ContentMemory {
  /// Says that nobody was told of a change since it was drawn: what was read meanwhile may be kept.
  struct Ticket {
    fileprivate let version: UInt64
  }

  private static let shardCount = 16
  private let shards: [DigestShard]
  private let counters = CacheCounters()

  /// Room for at least `entries` digests, about 80 bytes each, taken from the system as they are used.
  public init(entries: Int = 16_384) {
    let perRow = Self.shardCount * DigestShard.ways
    shards = (0..<Self.shardCount).map { _ in DigestShard(sets: (max(1, entries) + perRow - 1) / perRow) }
  }

  public var counts: DigestCacheCounts { counters.values }

  func digest(of key: ContentKey) -> ContentHash? {
    let (shard, place) = place(of: key.identity)
    let found = shard.find(key, place)
    counters.add(found == nil ? .misses : .hits)
    return found
  }

  /// Draw it before the file is watched, and watch before the file is read.
  func ticket(for file: FileIdentity) -> Ticket {
    let (shard, place) = place(of: file)
    return Ticket(version: shard.version(place))
  }

  /// Keeps a digest, unless its file was told to have changed since the ticket was drawn.
  func keep(_ digest: ContentHash, for key: ContentKey, _ ticket: Ticket) {
    let (shard, place) = place(of: key.identity)
    counters.add(shard.keep(digest, key, place, ifVersion: ticket.version) ? .kept : .refused)
  }

  func noteRefused() { counters.add(.refused) }

  public func forget(_ file: FileIdentity?) {
    if let file {
      let (shard, place) = place(of: file)
      if shard.forget(file, place) { counters.add(.forgotten) }
    } else {
      for shard in shards { shard.forgetAll() }
    }
  }

  /// Inode numbers come in rows, and several devices number alike: the bits are mixed well (a 64-bit finaliser).
  private func place(of file: FileIdentity) -> (DigestShard, UInt64) {
    var mixed = file.inode ^ UInt64(file.device.major) << 52 ^ UInt64(file.device.minor) << 32
    mixed = (mixed ^ mixed >> 33) &* 0xff51_afd7_ed55_8ccd
    mixed = (mixed ^ mixed >> 33) &* 0xc4ce_b9fe_1a85_ec53
    mixed ^= mixed >> 33
    return (shards[Int(mixed % UInt64(Self.shardCount))], mixed / UInt64(Self.shardCount))
  }
}

/// Counts that any thread adds to.
private final class CacheCounters: Sendable {
  enum Kind: Int { case hits, misses, kept, refused, forgotten }

  private let cells: InlineArray<5, Atomic<UInt64>> = InlineArray { _ in Atomic(0) }

  func add(_ kind: Kind) { cells[kind.rawValue].wrappingAdd(1, ordering: .relaxed) }

  var values: DigestCacheCounts {
    var values = DigestCacheCounts()
    values.hits = value(.hits)
    values.misses = value(.misses)
    values.kept = value(.kept)
    values.refused = value(.refused)
    values.forgotten = value(.forgotten)
    return values
  }

  private func value(_ kind: Kind) -> UInt64 { cells[kind.rawValue].load(ordering: .relaxed) }
}
