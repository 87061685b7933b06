// Owns the facts about the content of a request's object: its SHA-256, and whether it is trusted (design: PIP).
// It must not decide, and must not take for sure what may change after it was read.

public import AccessModel
public import ContentDigest
public import SystemCalls

/// One thread's information point for content. Status and path of the object must be there before its trust is asked
/// for: another information point fetches them.
public final class IntegrityInformation: InformationPoint {
  private let base: any TrustBase
  private let cache: DigestCache
  private let modes: IntegrityModes
  private let watch: any ContentWatch
  private let storage: StorageTable
  private let reading: ContentReading
  /// Times that a file is read when it changes while it is read.
  private static let attempts = 2
  /// Nanoseconds. Change times come from a clock that moves in steps of up to 10 ms (and a step of a file system's own
  /// may be coarser): a file that is written twice within a step shows one change time for two contents. What was
  /// changed so long before it was read is past its step.
  static let clockStep: Int64 = 50_000_000

  /// `watch` says whether changes of a file will be told to `cache`; only then its digest is kept. `storage` is
  /// shared, and forgets when mounts change.
  public init(
    base: any TrustBase, cache: DigestCache, modes: IntegrityModes, watch: any ContentWatch, room: any WaitingRoom,
    storage: StorageTable
  ) throws(DigestError) {
    self.base = base
    self.cache = cache
    self.modes = modes
    self.watch = watch
    self.storage = storage
    reading = try ContentReading(room: room)
  }

  public func fetch(_ wanted: FactSet, into facts: Facts) {
    if !facts.missing(of: wanted.intersection(.objectTrust)).isEmpty { fetchTrust(into: facts) }
    if !facts.missing(of: wanted.intersection(.objectDigest)).isEmpty { fetchDigest(into: facts) }
  }

  // MARK: - Trust

  private func fetchTrust(into facts: Facts) {
    guard facts.present.isSuperset(of: [.objectStatus, .objectPath]) else {
      return facts.markFailed(.objectTrust, because: facts.failure ?? .objectUnreadable)
    }
    let size = facts.object.size
    let path = facts.object.pathVerified ? facts.object.path : nil
    switch base.expectation(ofSize: size, at: path) {
    case .unavailable: facts.markFailed(.objectTrust, because: .trustUnavailable)
    case .unknown: settle(.unknown, facts)
    case .changed: settle(.changed, facts)
    case .possible: fetchPossibleTrust(size, path, into: facts)
    }
  }

  private func fetchPossibleTrust(_ size: UInt64, _ path: [UInt8]?, into facts: Facts) {
    let descriptor = facts.objectHandle
    guard let system = try? FileSystemStatus.of(descriptor: descriptor) else {
      return facts.markFailed(.objectTrust, because: .objectUnreadable)
    }
    let kind = StorageKind(magic: system.type)
    if mayChangeUnseen(descriptor, facts.object, system) { return settle(.openForWriting, facts) }
    guard let isHeld = isHeldForWriting(descriptor, kind) else {
      return facts.markFailed(.objectTrust, because: .writersUnknown)
    }
    if isHeld { return settle(.openForWriting, facts) }
    if let path, isTrustedBySize(size, path, facts.object, kind) { return settle(.trusted, facts) }
    if base.knowsVerity(ofSize: size, at: path), let verity = VerityDigest.measure(descriptor),
      let digest = reading.digest(of: verity), base.judge(digest, .verity, size: size, at: path) == .trusted
    {
      return settle(.trusted, facts)
    }
    switch digest(descriptor, facts.object, system) {
    case .digest(let digest):
      facts.object.digest = digest
      facts.markPresent(.objectDigest)
      settle(base.judge(digest, .content, size: size, at: path), facts)
    case .openForWriting: settle(.openForWriting, facts)
    case .madeUp: settle(.changed, facts)
    case .failed(let failure): facts.markFailed(.objectTrust, because: failure)
    }
  }

  private func settle(_ state: TrustState, _ facts: Facts) {
    facts.object.trust = state
    facts.markPresent(.objectTrust)
  }

  /// A file is not what was read when a server, a layer beneath, or a device made of somebody's file gives other bytes
  /// the next time, which no lease and no change time shows.
  private func mayChangeUnseen(_ descriptor: Int32, _ object: ObjectFacts, _ system: FileSystemStatus) -> Bool {
    switch StorageKind(magic: system.type) {
    case .foreign: true
    case .layered: !object.isWrittenByRootAlone
    case .own, .readOnly:
      !storage.isRootsAlone(
        descriptor, system, major: object.identity.device.major, minor: object.identity.device.minor)
    }
  }

  /// Nil where nobody can say: the kernel was told to give no leases (proc_sys_fs(5), leases-enable).
  private func isHeldForWriting(_ descriptor: Int32, _ kind: StorageKind) -> Bool? {
    if kind == .readOnly { return false }
    return try? WriterProbe.isHeldForWriting(descriptor)
  }

  /// The size alone, where the administrator says so, of a file that only root can write; and not because something
  /// of this size is trusted wherever it lies.
  private func isTrustedBySize(_ size: UInt64, _ path: [UInt8], _ object: ObjectFacts, _ kind: StorageKind) -> Bool {
    modes.mode(of: path) == .size && object.isWrittenByRootAlone && kind != .layered
      && base.expectation(ofSize: size, at: nil) != .possible
  }

  // MARK: - Digest

  /// A digest of what may still change is not known: what rests on it is undecided, and nothing has failed.
  private func fetchDigest(into facts: Facts) {
    guard facts.present.contains(.objectStatus), let system = try? FileSystemStatus.of(descriptor: facts.objectHandle)
    else { return facts.markFailed(.objectDigest, because: facts.failure ?? .objectUnreadable) }
    if mayChangeUnseen(facts.objectHandle, facts.object, system) { return facts.markUnknown(.objectDigest) }
    guard let isHeld = isHeldForWriting(facts.objectHandle, StorageKind(magic: system.type)) else {
      return facts.markFailed(.objectDigest, because: .writersUnknown)
    }
    if isHeld { return facts.markUnknown(.objectDigest) }
    switch digest(facts.objectHandle, facts.object, system) {
    case .digest(let digest):
      facts.object.digest = digest
      facts.markPresent(.objectDigest)
    case .openForWriting, .madeUp: facts.markUnknown(.objectDigest)
    case .failed(let failure): facts.markFailed(.objectDigest, because: failure)
    }
  }

  private enum Finding {
    case digest(ContentHash)
    case openForWriting
    /// The file gives more or fewer bytes than it has, time and again.
    case madeUp
    case failed(Failure)
  }

  /// The digest of a file that nobody held for writing a moment ago. Threads that want the same file at once read it
  /// each for itself: to wait for another's reading would be to wait for that other's deadline and disk, and all but the
  /// first read from memory; of a long file they take the first one's result as soon as it is there.
  private func digest(_ descriptor: Int32, _ object: ObjectFacts, _ system: FileSystemStatus) -> Finding {
    let kind = StorageKind(magic: system.type)
    let mount = FileStatus.uniqueMount(of: descriptor) ?? system.identity
    if object.isWrittenByRootAlone, let digest = cache.digest(of: ContentKey(object, mount)) { return .digest(digest) }
    for _ in 0..<Self.attempts {
      guard let before = try? FileStatus.of(descriptor: descriptor) else { return .failed(.objectUnreadable) }
      let key = ContentKey(before, mount)
      guard key.identity == object.identity, before.isRegular else { return .failed(.objectUnreadable) }
      let ticket = cache.ticket(for: key.identity)
      let isTold = isPastItsStep(before) && watch.watch(descriptor)
      let outcome = reading.read(descriptor, size: before.size) { isTold ? cache.digest(of: key) : nil }
      // A writer that came and went has moved the change time; one that is still there shows now.
      guard let isHeld = isHeldForWriting(descriptor, kind) else { return .failed(.writersUnknown) }
      if isHeld { return .openForWriting }
      guard let after = try? FileStatus.of(descriptor: descriptor) else { return .failed(.objectUnreadable) }
      switch outcome {
      case .failed(let failure): return .failed(failure)
      case .digest(let digest) where ContentKey(after, mount) == key:
        // The facts at hand say which content they are about.
        guard key.size == object.size else { return .openForWriting }
        if isTold { cache.keep(digest, for: key, ticket) } else { cache.noteRefused() }
        return .digest(digest)
      case .found(let digest) where ContentKey(after, mount) == key && key.size == object.size: return .digest(digest)
      case .otherSize where ContentKey(after, mount) == key: return .madeUp
      case .digest, .found, .otherSize: break
      }
    }
    // It changes as fast as it is read, and its writer is gone whenever one looks.
    return .openForWriting
  }

  private func isPastItsStep(_ status: FileStatus) -> Bool {
    status.changeTime < Clock.realtime() - Self.clockStep
  }
}

extension ContentKey {
  init(_ object: ObjectFacts, _ mount: UInt64) {
    self.init(identity: object.identity, mount: mount, changeTime: object.changeTime, size: object.size)
  }

  init(_ status: FileStatus, _ mount: UInt64) {
    let device = DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor)
    self.init(
      identity: FileIdentity(device: device, inode: status.inode), mount: mount, changeTime: status.changeTime,
      size: status.size)
  }
}

extension ObjectFacts {
  /// As in `FileStatus`: owner root, no write bit for group, which bounds an access control list, or for others.
  var isWrittenByRootAlone: Bool { owner == 0 && mode & 0o022 == 0 }
}
