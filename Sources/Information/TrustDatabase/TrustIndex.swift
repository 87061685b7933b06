// Owns the answer path's form of a generation: compact, immutable, found without allocation.
// It must not know who trusted what, or when: the snapshot does.

public import AccessModel

/// Which contents are trusted where. Any number of threads.
public final class TrustIndex: Sendable {
  /// What is known of one path.
  struct Record {
    let hash: PathHash.Value
    /// Where its digests begin.
    let first: UInt32
    let count: UInt16
    let isDistrusted: Bool
  }

  private let hash: PathHash
  private let slots: SlotTable
  private let records: [Record]
  private let digests: [TrustedDigest]
  private let wherever: WhereverTable

  /// Paths that something is known of.
  public var paths: Int { records.count }
  /// Contents that are trusted wherever they lie, as the store counts them.
  public let contents: Int

  public init(_ snapshot: TrustSnapshot) throws(TrustStoreError) {
    let hash = PathHash()
    let reading = try IndexReading(snapshot, hash)
    var slots = SlotTable(count: reading.records.count)
    for (item, record) in reading.records.enumerated() { slots.add(item, hash: record.hash.low) }
    self.hash = hash
    self.slots = slots
    records = reading.records
    digests = reading.digests
    wherever = WhereverTable(reading.wherever)
    contents = reading.contents
  }

  /// Memory that it takes.
  public var byteCount: Int {
    records.capacity * MemoryLayout<Record>.stride + digests.capacity * MemoryLayout<TrustedDigest>.stride
      + slots.byteCount + wherever.byteCount
  }

  private func record(of path: [UInt8]?) -> Record? {
    guard let path else { return nil }
    let value = unsafe path.withUnsafeBytes { unsafe hash($0) }
    return slots.find(hash: value.low) { records[$0].hash == value }.map { records[$0] }
  }

  private func digests(of record: Record) -> Range<Int> {
    Int(record.first)..<Int(record.first) + Int(record.count)
  }

  private func has(_ tag: UInt64, in record: Record) -> Bool {
    for place in digests(of: record) where digests[place].tag == tag { return true }
    return false
  }
}

// A path that is distrusted is as one that nothing is known of, and content does not help it.
extension TrustIndex: TrustBase {
  public func expectation(ofSize size: UInt64, at path: [UInt8]?) -> TrustExpectation {
    let record = record(of: path)
    if record?.isDistrusted == true { return .unknown }
    let content = TrustedDigest.tag(size, .content)
    let verity = TrustedDigest.tag(size, .verity)
    guard let content, let verity else { return record == nil ? .unknown : .changed }
    if let record, has(content, in: record) || has(verity, in: record) { return .possible }
    if wherever.contains(tag: content) || wherever.contains(tag: verity) { return .possible }
    return record == nil ? .unknown : .changed
  }

  public func judge(_ digest: ContentHash, _ kind: DigestKind, size: UInt64, at path: [UInt8]?) -> TrustState {
    let record = record(of: path)
    if record?.isDistrusted == true { return .unknown }
    guard let tag = TrustedDigest.tag(size, kind) else { return record == nil ? .unknown : .changed }
    let found = TrustedDigest(tag: tag, digest: digest)
    if let record {
      for place in digests(of: record) where digests[place] == found { return .trusted }
    }
    if wherever.contains(found) { return .trusted }
    return record == nil ? .unknown : .changed
  }

  public func knowsVerity(ofSize size: UInt64, at path: [UInt8]?) -> Bool {
    let record = record(of: path)
    guard let tag = TrustedDigest.tag(size, .verity), record?.isDistrusted != true else { return false }
    if let record, has(tag, in: record) { return true }
    return wherever.contains(tag: tag)
  }
}
