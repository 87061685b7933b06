// Owns what the mount tables looked like before a call, so that what the call did shows as a difference.
// It must not mount or unmount.

internal import ProcFS
internal import SystemCalls

/// Mount tables by mount namespace. For one thread.
struct MountLedger {
  /// What came, what went, and how it is now, in one mount namespace.
  struct Difference {
    var namespace: UInt64
    /// The daemon's own, which is the host's.
    var isInitial: Bool
    var added: [MountEntry]
    var removed: [MountEntry]
    var table: [MountEntry]
    /// Ids of the mounts that were there before; nil where nobody looked.
    fileprivate var idsBefore: Set<UInt64>?

    /// Whether no mount had this id before; nil where nobody knows.
    func isUnheard(of id: UInt64) -> Bool? { idsBefore.map { !$0.contains(id) } }

    init(
      namespace: UInt64, isInitial: Bool, added: [MountEntry], removed: [MountEntry], table: [MountEntry],
      idsBefore: Set<UInt64>? = nil
    ) {
      self.namespace = namespace
      self.isInitial = isInitial
      self.added = added
      self.removed = removed
      self.table = table
      self.idsBefore = idsBefore
    }
  }

  private let own: UInt64
  private var tables: [UInt64: [MountEntry]] = [:]
  private var order: [UInt64] = []
  private static let capacity = 64

  init() throws(Errno) {
    own = try ProcessFile.mountNamespace.status(pid: ProcessSetup.processID).inode
    tables[own] = try MountInfo.read()
  }

  /// What has changed, since the last time, where the process lives; without a process, in the initial namespace. Of a
  /// namespace that was never seen before nobody knows what it was: then nothing counts as changed.
  mutating func difference(for pid: Int32?) -> Difference? {
    var namespace = own
    if let pid {
      guard let found = try? ProcessFile.mountNamespace.status(pid: pid).inode else { return nil }
      namespace = found
    }
    guard let now = try? MountInfo.read(pid: namespace == own ? nil : pid) else { return nil }
    let before = tables[namespace]
    remember(now, of: namespace)
    let known = Set((before ?? now).map(Key.init))
    let present = Set(now.map(Key.init))
    return Difference(
      namespace: namespace, isInitial: namespace == own, added: now.filter { !known.contains(Key($0)) },
      removed: (before ?? []).filter { !present.contains(Key($0)) }, table: now,
      idsBefore: before.map { Set($0.map(\.id)) })
  }

  /// A mount id is used again; with place and device it names a mount well enough.
  private struct Key: Hashable {
    let id: UInt64
    let device: UInt64
    let place: [UInt8]
    init(_ entry: MountEntry) {
      id = entry.id
      device = UInt64(entry.major) << 32 | UInt64(entry.minor)
      place = entry.mountPoint
    }
  }

  private mutating func remember(_ table: [MountEntry], of namespace: UInt64) {
    tables[namespace] = table
    if namespace == own { return }
    order.removeAll { $0 == namespace }
    order.append(namespace)
    if order.count > Self.capacity { tables[order.removeFirst()] = nil }
  }
}
