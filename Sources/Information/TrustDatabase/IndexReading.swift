// Owns reading a whole generation for the index: twice, so that no table is larger than what it holds.
// It must not skip what it cannot read: that is damage.

internal import AccessModel

/// What the index is made of.
struct IndexReading {
  private(set) var records: [TrustIndex.Record] = []
  private(set) var digests: [TrustedDigest] = []
  private(set) var wherever: [TrustedDigest] = []
  private(set) var contents = 0

  init(_ snapshot: TrustSnapshot, _ hash: PathHash) throws(TrustStoreError) {
    let tables = snapshot.tables
    records.reserveCapacity(try tables.count(.paths))
    digests.reserveCapacity(try Self.count(tables))
    var isReadable = true
    try unsafe tables.scan(.paths) { key, value in
      isReadable = unsafe add(key, value, hash)
      return isReadable
    }
    guard isReadable else { throw .damaged(path: tables.place, why: "an entry cannot be read") }
    wherever.reserveCapacity(try tables.count(.contents))
    try unsafe tables.scan(.contents) { key, value in
      isReadable = unsafe addWherever(key, value)
      return isReadable
    }
    guard isReadable else { throw .damaged(path: tables.place, why: "an entry cannot be read") }
  }

  /// Digests of all paths.
  private static func count(_ tables: Tables) throws(TrustStoreError) -> Int {
    var count = 0
    try unsafe tables.scan(.paths) { _, value in
      guard var reader = unsafe EntryReader(value), !reader.isDistrusted else { return true }
      while let content = reader.next() { count += content.verity == nil ? 1 : 2 }
      return true
    }
    guard count < UInt32.max else {
      throw .damaged(path: tables.place, why: "more contents than any host has files")
    }
    return count
  }

  /// False where the entry cannot be read.
  private mutating func add(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ hash: PathHash
  ) -> Bool {
    guard var reader = unsafe EntryReader(value) else { return false }
    let path = if let kept = reader.path { unsafe UnsafeRawBufferPointer(rebasing: value[kept]) } else { unsafe key }
    let first = digests.count
    while reader.remaining > 0 {
      guard let content = reader.next() else { return false }
      if !reader.isDistrusted { Self.append(content, to: &digests) }
    }
    guard reader.isAtEnd else { return false }
    records.append(
      TrustIndex.Record(
        hash: unsafe hash(path), first: UInt32(first), count: UInt16(digests.count - first),
        isDistrusted: reader.isDistrusted))
    return true
  }

  /// An empty file says nothing by its content: it is trusted at its path alone.
  private mutating func addWherever(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
    guard var reader = unsafe EntryReader(value), reader.path == nil, !reader.isDistrusted,
      let content = reader.next(), reader.remaining == 0, reader.isAtEnd, unsafe ContentHash(key) == content.hash
    else { return false }
    contents += 1
    if content.size > 0 { Self.append(content, to: &wherever) }
    return true
  }

  private static func append(_ content: RawContent, to digests: inout [TrustedDigest]) {
    if let tag = TrustedDigest.tag(content.size, .content) {
      digests.append(TrustedDigest(tag: tag, digest: content.hash))
    }
    if let verity = content.verity, let tag = TrustedDigest.tag(content.size, .verity) {
      digests.append(TrustedDigest(tag: tag, digest: verity))
    }
  }
}
