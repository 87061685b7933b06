// Owns the steps from a changed generation in memory to the current one on the disk, and tidying up behind them.
// It must not remove what may be current.

internal import AccessModel
internal import Glibc
internal import SystemCalls

/// What a writer begins with.
struct Base {
  /// What is current; nil for a new store and for one that is rebuilt.
  let manifest: TrustManifest?
  let tables: Tables
  let isDamaged: Bool
  /// The number of the generation that is written.
  let next: UInt64

  init(_ folder: borrowing StoreFolder, rebuilding: Bool) throws(TrustStoreError) {
    var manifest: TrustManifest?
    var isDamaged = false
    var tables: Tables?
    do throws(TrustStoreError) {
      let copy = try TrustStore.copy(folder)
      manifest = copy.manifest
      tables = try Tables(copy.memory, writable: true, place: folder.place(copy.manifest.file))
    } catch {
      switch error {
      case .missing: break
      case .damaged where rebuilding: isDamaged = true
      default: throw error
      }
    }
    let last = try folder.names().compactMap(GenerationName.number).max() ?? 0
    next = max(last, manifest?.generation ?? 0) + 1
    self.manifest = manifest
    self.isDamaged = isDamaged
    if let tables {
      self.tables = tables
    } else {
      self.tables = try Tables(MemoryFile(), writable: true, place: folder.path)
    }
  }
}

/// The names of generations' files.
enum GenerationName {
  static let manifest = "current.new"
  static func damaged(_ generation: UInt64) -> String { "generation-\(generation).damaged" }

  /// The number in such a name, of a generation's file or of a damaged one.
  static func number(_ name: String) -> UInt64? {
    for suffix in [".mdb", ".damaged"] where name.hasPrefix("generation-") && name.hasSuffix(suffix) {
      guard let number = UInt64(name.dropFirst(11).dropLast(suffix.count)) else { continue }
      if number < TrustManifest.largestGeneration { return number }
    }
    return nil
  }
}

extension TrustStore {
  /// The folder, made where it is missing.
  func writableFolder() throws(TrustStoreError) -> StoreFolder {
    do throws(TrustStoreError) { return try StoreFolder.open(folder, protection) } catch {
      guard case .missing = error else { throw error }
    }
    try StoreFolder.make(folder)
    return try StoreFolder.open(folder, protection)
  }

  /// Writes the generation beside the current one, then the manifest, then exchanges it. Until then every failure, a
  /// crash or a full disk, leaves what was.
  static func commit(_ base: Base, _ folder: borrowing StoreFolder) throws(TrustStoreError) -> TrustManifest {
    let paths = try base.tables.count(.paths)
    let contents = try base.tables.count(.contents)
    let name = TrustManifest.fileName(base.next)
    let memory = try MemoryFile()
    let fresh = try Tables(memory, writable: true, place: folder.place(name))
    try base.tables.copy(into: fresh)
    try fresh.commit()
    do throws(TrustStoreError) {
      let (byteCount, hash) = try write(memory, folder, name)
      let manifest = TrustManifest(
        generation: base.next, byteCount: byteCount, hash: hash, paths: paths, contents: contents,
        written: max(0, Clock.realtime() / 1_000_000_000))
      try write(manifest, folder)
      return manifest
    } catch {
      // Where the exchange itself was done and only its flush failed, the new generation is the current one.
      if (try? self.manifest(folder).file) != name { folder.remove(name) }
      folder.remove(GenerationName.manifest)
      throw error
    }
  }

  private static func write(
    _ memory: borrowing MemoryFile, _ folder: borrowing StoreFolder, _ name: String
  ) throws(TrustStoreError) -> (byteCount: UInt64, hash: ContentHash) {
    let file = try folder.create(name)
    let written = try memory.write(to: file, place: folder.place(name))
    if written.byteCount > TrustManifest.largestFile { throw .full(path: folder.place(name)) }
    try folder.flush(file, name)
    return written
  }

  private static func write(
    _ manifest: TrustManifest, _ folder: borrowing StoreFolder
  ) throws(TrustStoreError) {
    let text = try manifest.text()
    let file = try folder.create(GenerationName.manifest)
    try call("write", folder.place(GenerationName.manifest)) { () throws(Errno) in try file.writeAll(text) }
    try folder.flush(file, GenerationName.manifest)
    try folder.rename(GenerationName.manifest, to: current)
    try folder.flush()
  }

  /// Removes generations that are not current. The caller holds the lock and knows which one is.
  static func removeStale(_ folder: borrowing StoreFolder, keeping file: String?) {
    for name in (try? folder.names()) ?? [] where name != file && name.hasSuffix(".mdb") {
      if GenerationName.number(name) != nil { folder.remove(name) }
    }
    folder.remove(GenerationName.manifest)
  }

  /// The newest of the generations before this one stays as the damaged one, in the place of any that was kept before.
  static func keepDamaged(_ folder: borrowing StoreFolder, than manifest: TrustManifest) throws(TrustStoreError) {
    let names = try folder.names().filter { $0 != manifest.file }
    let damaged = names.filter { $0.hasSuffix(".mdb") }.compactMap(GenerationName.number).max()
    guard let damaged else { return }
    for name in names where name.hasSuffix(".damaged") && GenerationName.number(name) != nil { folder.remove(name) }
    try folder.rename(TrustManifest.fileName(damaged), to: GenerationName.damaged(damaged))
  }
}
