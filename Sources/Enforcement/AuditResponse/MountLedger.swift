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
    /// Ids of the mounts that were there at the last look; nil where nobody had looked.
    var idsBefore: Set<UInt64>?
    /// When each mount that is there now was first seen, in nanoseconds since the epoch.
    fileprivate var firstSeen: [Key: Int64] = [:]
    /// When each mount was first seen, wherever it was then; nil where nobody had looked.
    fileprivate var idsSeen: [UInt64: Int64]?

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

    /// Whether no mount with this id had been seen when something happened; nil where nobody had looked.
    func isUnheard(of id: UInt64, before time: Int64) -> Bool? {
      if let idsSeen { return idsSeen[id].map { $0 > time } ?? true }
      return idsBefore.map { !$0.contains(id) }
    }

    /// Whether the mount had been seen when something happened, so that it is not what came of it.
    func hadSeen(_ entry: MountEntry, before time: Int64) -> Bool { firstSeen[Key(entry)].map { $0 <= time } ?? false }
  }

  /// A mount id is used again; with place and device it names a mount well enough.
  fileprivate struct Key: Hashable {
    let id: UInt64
    let device: UInt64
    let place: [UInt8]
    init(_ entry: MountEntry) {
      id = entry.id
      device = UInt64(entry.major) << 32 | UInt64(entry.minor)
      place = entry.mountPoint
    }
  }

  private struct Look {
    var table: [MountEntry]
    var firstSeen: [Key: Int64]
    var idsSeen: [UInt64: Int64]
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
    let table = try MountInfo.read()
    looks[own] = Look(
      table: table, firstSeen: Self.seen(table, by: Key.init, Clock.realtime(), since: [:]),
      idsSeen: Self.seen(table, by: \.id, Clock.realtime(), since: [:]))
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
    let time = Clock.realtime()
    let seen = Self.seen(now, by: Key.init, time, since: before?.firstSeen ?? [:])
    let ids = Self.seen(now, by: \.id, time, since: before?.idsSeen ?? [:])
    remember(Look(table: now, firstSeen: seen, idsSeen: ids), of: namespace)
    var difference = Difference(
      namespace: namespace, isInitial: namespace == own,
      added: before.map { before in now.filter { before.firstSeen[Key($0)] == nil } } ?? [],
      removed: before.map { before in before.table.filter { seen[Key($0)] == nil } } ?? [], table: now,
      idsBefore: before.map { Set($0.table.map(\.id)) })
    difference.firstSeen = seen
    difference.idsSeen = before == nil ? nil : ids
    return difference
  }

  private static func seen<Name: Hashable>(
    _ table: [MountEntry], by name: (MountEntry) -> Name, _ now: Int64, since before: [Name: Int64]
  ) -> [Name: Int64] {
    var seen: [Name: Int64] = [:]
    for entry in table { seen[name(entry)] = before[name(entry)] ?? now }
    return seen
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
