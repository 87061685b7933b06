// Owns how long contents stay trusted that hang on something else: on a package transaction, on another root.
// It must not write the store.

internal import AccessModel
internal import Synchronization
internal import SystemCalls
internal import TrustDatabase

/// Which contents are still needed. One for each edit of the store.
final class TransactionBook: Sendable {
  /// Those that end now.
  private let ended: Set<TransactionOwner>
  private let lives = Mutex<[[UInt8]: Bool]>([:])
  private let roots = Mutex<[[UInt8]: Bool]>([[]: true])
  /// dpkg lays the new version of a configuration file beside the one in force until the package is configured, which
  /// another run of dpkg may do.
  private static let waiting = Array(".dpkg-new".utf8)

  init(ended: Set<TransactionOwner> = []) { self.ended = ended }

  /// Nil path: the content is trusted wherever it lies.
  func keeps(_ content: TrustedContent, at path: [UInt8]?) -> Bool {
    if isAlive(content.from.mark) { return true }
    guard let path else { return false }
    if path.ends(with: Self.waiting) { return lies(content, at: path) }
    return lies(content, at: path + Self.waiting)
  }

  /// Whether there still is such a root; empty for the host's own.
  func hasRoot(_ root: [UInt8]) -> Bool {
    roots.withLock { roots in
      if let known = roots[root] { return known }
      let isThere = (try? FileStatus.of(path: PathBytes(root)))?.isDirectory ?? false
      roots[root] = isThere
      return isThere
    }
  }

  private func isAlive(_ mark: [UInt8]) -> Bool {
    lives.withLock { lives in
      if let known = lives[mark] { return known }
      let owner = TransactionOwner(mark: mark)
      let isLiving = owner.map { !ended.contains($0) && $0.isAlive } ?? false
      lives[mark] = isLiving
      return isLiving
    }
  }

  /// The file there has this content, at this moment.
  private func lies(_ content: TrustedContent, at path: [UInt8]) -> Bool {
    guard let status = try? FileStatus.of(path: PathBytes(path), followingLinks: false), status.isRegular,
      status.size == content.size, let meter = try? FileMeter()
    else { return false }
    guard case .measured(let file) = meter.read(PathBytes(path)) else { return false }
    return file.hash == content.hash
  }
}

extension [UInt8] {
  func ends(with suffix: [UInt8]) -> Bool {
    count > suffix.count && self[(count - suffix.count)...].elementsEqual(suffix)
  }
}
