// Owns making another generation of the trust database current: all of it, or nothing.
// It must not change a file that is current, and must not leave the old generation before the new one is on the disk.

internal import AccessModel
internal import Glibc
internal import SystemCalls

extension TrustStore {
  /// Lets `change` edit a copy of the current generation, or an empty one where there is none, and makes it current.
  /// Throws what `change` throws, and then nothing has changed. Where `change` changes nothing, the generation stays.
  ///
  /// Waits that long while another process or thread writes, then throws `.busy`. With `rebuilding`, a damaged store is
  /// begun anew, empty; what is left of the damaged generation stays beside it under the name `generation-N.damaged`.
  @discardableResult
  public func update(
    waitingSeconds: Int = 0, rebuilding: Bool = false, _ change: (TrustTransaction) throws -> Void
  ) throws -> TrustManifest {
    let folder = try writableFolder()
    let lock = try StoreLock.take(folder, waitingSeconds: waitingSeconds)
    let base = try Base(folder, rebuilding: rebuilding)
    // It has been copied, or is given up; whoever kept the transaction cannot use it any more.
    defer { base.tables.abort() }
    if !base.isDamaged { Self.removeStale(folder, keeping: base.manifest?.file) }
    try change(TrustTransaction(base.tables))
    if let manifest = base.manifest, !base.tables.isChanged { return manifest }
    let manifest = try Self.commit(base, folder)
    if base.isDamaged { try Self.keepDamaged(folder, than: manifest) }
    Self.removeStale(folder, keeping: manifest.file)
    withExtendedLifetime(lock) {}
    return manifest
  }

  /// Removes what writers left that did not come to their end. Does nothing while another one writes.
  public func removeStaleFiles() {
    guard let folder = try? StoreFolder.open(folder, protection),
      let lock = try? StoreLock.take(folder, waitingSeconds: 0)
    else { return }
    do throws(TrustStoreError) {
      let manifest = try Self.manifest(folder)
      Self.removeStale(folder, keeping: manifest.file)
    } catch .missing {
      Self.removeStale(folder, keeping: nil)
    } catch {
      // Which one is current is not known: everything stays.
    }
    withExtendedLifetime(lock) {}
  }
}
