// Owns what the mount tables looked like before a call, so that what the call did shows as a difference.
// It must not mount or unmount.

internal import ProcFS
internal import SystemCalls

/// Mount tables by mount namespace. For one thread.
struct MountLedger: Sendable {
  /// What came, what went, and how it is now, in one mount namespace.
  struct Difference {
    var namespace: UInt64
    /// The daemon's own, which is the host's.
    var isInitial: Bool
    var added: [MountEntry]
    var removed: [MountEntry]
    var table: [MountEntry]
    /// When each mount was first seen, wherever it was then, in nanoseconds since the epoch.
    var firstSeen: [Identity: Int64]
    /// Nobody had looked before: what is there may be old or new.
    var isFirstLook: Bool

    /// Whether the mount had been seen when something happened, so that it is not what came of it.
    func hadSeen(_ entry: MountEntry, before time: Int64) -> Bool {
      firstSeen[Identity(entry)].map { $0 <= time } ?? false
    }
  }

  /// A mount wherever it is moved to. Ids are used again, and with the device name a mount well enough.
  struct Identity: Hashable {
    let id: UInt64
    let device: UInt64
    init(_ entry: MountEntry) {
      id = entry.id
      device = UInt64(entry.major) << 32 | UInt64(entry.minor)
    }
  }

  /// A mount at a place: another after it was moved.
  private struct Place: Hashable {
    let identity: Identity
    let path: [UInt8]
    init(_ entry: MountEntry) {
      identity = Identity(entry)
      path = entry.mountPoint
    }
  }

  private struct Look {
    var table: [MountEntry]
    var firstSeen: [Identity: Int64]

    init(_ table: [MountEntry], after before: Look?) {
      self.table = table
      firstSeen = [:]
      let now = Clock.realtime()
      for entry in table { firstSeen[Identity(entry)] = before?.firstSeen[Identity(entry)] ?? now }
    }
  }

  private let own: UInt64
  private var looks: [UInt64: Look] = [:]
  private var order: [UInt64] = []
  /// Mounts in all of `order`.
  private var remembered = 0
  /// Namespaces, and mounts in all of them but the daemon's own, that are remembered.
  private static let capacity = 64
  private static let mostMounts = 100_000
  /// Of a table that is longer nothing is remembered; one that is longer still is not read (bytes).
  private static let longestTable = 20_000
  private static let longestText = 4 << 20

  init() throws(Errno) {
    own = try ProcessFile.mountNamespace.status(pid: ProcessSetup.processID).inode
    looks[own] = Look(try MountInfo.read(), after: nil)
  }

  /// What has changed, since the last time, where the process lives; without a process, in the initial namespace. Of a
  /// namespace that was never seen before nobody knows what it was: then nothing counts as changed.
  mutating func difference(for pid: Int32?) -> Difference? {
    var namespace = own
    if let pid {
      guard let found = try? ProcessFile.mountNamespace.status(pid: pid).inode else { return nil }
      namespace = found
    }
    let isOwn = namespace == own
    guard let now = try? isOwn ? MountInfo.read() : MountInfo.read(pid: pid, limit: Self.longestText) else {
      return nil
    }
    let before = looks[namespace]
    let look = Look(now, after: before)
    remember(look, of: namespace)
    let (places, known) = (Set(now.map(Place.init)), Set((before?.table ?? now).map(Place.init)))
    return Difference(
      namespace: namespace, isInitial: isOwn, added: now.filter { !known.contains(Place($0)) },
      removed: (before?.table ?? []).filter { !places.contains(Place($0)) }, table: now, firstSeen: look.firstSeen,
      isFirstLook: before == nil)
  }

  private mutating func remember(_ look: Look, of namespace: UInt64) {
    if namespace == own {
      looks[own] = look
      return
    }
    forget(namespace)
    guard look.table.count <= Self.longestTable else { return }
    looks[namespace] = look
    order.append(namespace)
    remembered += look.table.count
    while order.count > Self.capacity || remembered > Self.mostMounts { forget(order[0]) }
  }

  private mutating func forget(_ namespace: UInt64) {
    guard let old = looks.removeValue(forKey: namespace) else { return }
    remembered -= old.table.count
    order.removeAll { $0 == namespace }
  }
}
