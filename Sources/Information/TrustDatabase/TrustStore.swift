// Owns the folder that holds the trust database, as its readers see it: which generation is current, and whether it is
// what was written.
// It must not map a file of the folder into memory: a private copy is verified and read.

internal import SystemCalls

/// The trust database on disk. Any thread, any number of processes; one of them writes at a time.
///
/// `current` names the file of the generation, its length and its SHA-256. A writer makes a new file and exchanges
/// `current` by rename(2), so that whatever happens the generation before, or the new one, is whole.
public final class TrustStore: Sendable {
  public let folder: String
  let protection: TrustStoreProtection

  static let current = "current"
  /// Readings of a generation that writers exchange at the same time.
  private static let attempts = 100

  public init(folder: String, protection: TrustStoreProtection = .ofThisProcess) {
    // A slash at the end would hide the folder above.
    let end = folder.utf8.lastIndex { $0 != 0x2f }
    self.folder = end.map { String(folder[...$0]) } ?? "/"
    self.protection = protection
  }

  /// What is current. Cheap: the generation's file is not read. `.missing` where there is none.
  public func manifest() throws(TrustStoreError) -> TrustManifest {
    let folder = try StoreFolder.open(folder, protection)
    return try Self.manifest(folder)
  }

  /// The current generation, copied and verified.
  public func snapshot() throws(TrustStoreError) -> TrustSnapshot {
    let folder = try StoreFolder.open(folder, protection)
    let copy = try Self.copy(folder)
    try copy.memory.seal()
    let place = folder.place(copy.manifest.file)
    return TrustSnapshot(copy.manifest, try Tables(copy.memory, writable: false, place: place))
  }

  static func manifest(_ folder: borrowing StoreFolder) throws(TrustStoreError) -> TrustManifest {
    guard let stored = try folder.open(current) else { throw .missing(folder: folder.path) }
    let place = folder.place(current)
    if stored.byteCount > UInt64(TrustManifest.largest) {
      throw .damaged(path: place, why: "the manifest is too long")
    }
    let bytes = try call("read", place) { () throws(Errno) in try stored.file.readAll(limit: TrustManifest.largest) }
    return try TrustManifest(parsing: bytes, path: place)
  }

  /// A verified private copy of the current generation. Where a writer exchanges it meanwhile, the next one's.
  static func copy(_ folder: borrowing StoreFolder) throws(TrustStoreError) -> GenerationCopy {
    var manifest = try manifest(folder)
    var left = attempts
    while true {
      do throws(TrustStoreError) { return try copy(folder, manifest) } catch {
        guard case .damaged = error, left > 0 else { throw error }
        let now = try self.manifest(folder)
        if now == manifest { throw error }
        manifest = now
        left -= 1
      }
    }
  }

  private static func copy(
    _ folder: borrowing StoreFolder, _ manifest: TrustManifest
  ) throws(TrustStoreError) -> GenerationCopy {
    let place = folder.place(manifest.file)
    guard let stored = try folder.open(manifest.file) else {
      throw .damaged(path: place, why: "the file is missing that the manifest names")
    }
    guard stored.byteCount == manifest.byteCount else {
      throw .damaged(path: place, why: "it has \(stored.byteCount) bytes, and \(manifest.byteCount) were written")
    }
    let memory = try MemoryFile()
    guard try memory.fill(from: stored.file, byteCount: manifest.byteCount, place: place) == manifest.hash else {
      throw .damaged(path: place, why: "it is not what was written: its SHA-256 differs")
    }
    return GenerationCopy(manifest: manifest, memory: memory)
  }
}

/// A generation in memory, as it was written.
struct GenerationCopy: ~Copyable {
  let manifest: TrustManifest
  let memory: MemoryFile
}
