// Owns which generation of the trust database the daemon answers from, and why there is none.
// It must not answer from a generation that could not be verified, nor go on with an old one after a failure.

public import AccessModel
internal import Synchronization

/// What the daemon asks; swapped whole.
public final class LoadedTrust: TrustBase {
  private struct State {
    var manifest: TrustManifest?
    var index: TrustIndex?
    var problem: TrustStoreError?
  }

  private let store: TrustStore
  private let loaded = Mutex(State())

  /// Nothing is loaded yet: every answer is `unavailable`.
  public init(store: TrustStore) { self.store = store }

  /// Loads the current generation and swaps it in. Where it cannot be believed, or read, there is none from then on:
  /// whoever took trust away must not find it in force because the disk failed.
  @discardableResult
  public func load() throws(TrustStoreError) -> TrustManifest {
    do throws(TrustStoreError) {
      let snapshot = try store.snapshot()
      let index = try TrustIndex(snapshot)
      loaded.withLock { $0 = State(manifest: snapshot.manifest, index: index) }
      return snapshot.manifest
    } catch {
      loaded.withLock { $0 = State(problem: error) }
      throw error
    }
  }

  /// What is loaded; where nothing is after `load`, the sentence why.
  public var state: (manifest: TrustManifest?, problem: String?) {
    loaded.withLock { ($0.manifest, $0.problem?.description) }
  }

  /// The index in force, for one request or for its size.
  public var index: TrustIndex? { loaded.withLock { $0.index } }

  public func expectation(ofSize size: UInt64, at path: [UInt8]?) -> TrustExpectation {
    index?.expectation(ofSize: size, at: path) ?? .unavailable
  }

  public func judge(_ digest: ContentHash, _ kind: DigestKind, size: UInt64, at path: [UInt8]?) -> TrustState {
    index?.judge(digest, kind, size: size, at: path) ?? .unknown
  }

  public func knowsVerity(ofSize size: UInt64, at path: [UInt8]?) -> Bool {
    index?.knowsVerity(ofSize: size, at: path) ?? false
  }
}
