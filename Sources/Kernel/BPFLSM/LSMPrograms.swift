// Owns Lilium's programs in the kernel from loading to detaching, and the maps through which they are told and tell.
// It must not know what a policy means: it carries one over as it is given.

public import CBPFLSM
internal import Glibc
internal import Synchronization
public import SystemCalls

/// The programs of one daemon, loaded. They ask nobody until they are attached; they end with this object. Thread-safe.
@safe public final class LSMPrograms: Sendable {
  /// What libbpf's object is; everything about it happens under the lock, but reading the ring buffer.
  @safe private struct Handle: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer
  }

  private let handle: Mutex<Handle>
  /// The same object, for who reads the ring buffer: nobody who changes the policy waits for a flood of events.
  private let ring: Mutex<Handle>
  /// Programs that were loaded, by name; a door's has its hook's name.
  public let hooks: Set<String>

  /// Loads the programs of these hooks (or of `GuardHook`s), and the one that proves a denial. `groups` are descriptors
  /// of folders of the cgroup2 hierarchy (cgroups(7)) to which the doors are limited, at most `mostGroups`; none for the
  /// whole host. Needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN (bpf_prog_load in kernel/bpf/syscall.c).
  public init(hooks: Set<String>, limitedTo groups: [Int32] = []) throws(LSMReport.Fault) {
    guard groups.count <= Self.mostGroups else { throw LSMReport.Fault(error: Errno(E2BIG)) }
    self.hooks = hooks
    let opened = try unsafe Self.open()
    unsafe handle = Mutex(Handle(pointer: opened))
    unsafe ring = Mutex(Handle(pointer: opened))
    try unsafe Self.choose(hooks.union([Self.probe]), of: opened)
    var constants = lil_constants()
    constants.pid = UInt32(getpid())
    constants.initial_mount_namespace = Self.initialMountNamespace
    constants.scope_count = UInt32(groups.count)
    constants.reads_text = Self.readsText ? 1 : 0
    try Self.checked { unsafe lil_programs_load(opened, &constants) }
    for (index, group) in groups.enumerated() {
      try Self.checked { unsafe lil_programs_limit(opened, UInt32(index), group) }
    }
  }

  deinit { handle.withLock { unsafe lil_programs_close($0.pointer) } }

  /// As many as the programs' map has room for.
  public static let mostGroups = 16
  /// The program that proves a denial; it guards no door.
  static let probe = "probe"

  /// Puts a policy in force, whole: a request meets the one before or this one.
  public func replace(with policy: UnsafePointer<lil_policy>) throws(Errno) {
    _ = try handle.withLock { handle throws(Errno) in
      try shimCall { unsafe lil_programs_replace(handle.pointer, policy) }
    }
  }

  /// Attaches the programs of these hooks and detaches all others: what is not attached costs nothing.
  public func attach(_ wanted: Set<String>) throws(Errno) {
    try handle.withLock { handle throws(Errno) in
      for name in hooks.sorted() where wanted.contains(name) {
        _ = try shimCall { unsafe lil_programs_attach(handle.pointer, name) }
      }
      for name in hooks where !wanted.contains(name) {
        _ = try shimCall { unsafe lil_programs_detach(handle.pointer, name) }
      }
    }
  }

  /// Hooks whose programs are attached.
  public var attached: Set<String> {
    handle.withLock { handle in hooks.filter { unsafe lil_programs_is_attached(handle.pointer, $0) == 1 } }
  }

  /// Whom self-protection is about. For programs of `GuardHook`s, as the next two.
  public func protect(_ ward: lil_ward) throws(Errno) {
    var ward = ward
    _ = try handle.withLock { handle throws(Errno) in
      try shimCall { unsafe lil_programs_protect(handle.pointer, &ward) }
    }
  }

  /// Nobody but kin writes the map with this number of the kernel's.
  public func keepMap(_ id: UInt32) throws(Errno) {
    _ = try handle.withLock { handle throws(Errno) in
      try shimCall { unsafe lil_programs_keep_map(handle.pointer, id) }
    }
  }

  /// The map with this number is gone: it may become another's.
  public func dropMap(_ id: UInt32) throws(Errno) {
    _ = try handle.withLock { handle throws(Errno) in
      try shimCall { unsafe lil_programs_drop_map(handle.pointer, id) }
    }
  }

  /// The kernel's numbers of the maps through which these programs are told; policies are frozen, and not among them.
  public func mapIDs() throws(Errno) -> [UInt32] {
    var ids = [UInt32](repeating: 0, count: 32)
    let count = try handle.withLock { handle throws(Errno) in
      try shimCall { unsafe lil_programs_maps(handle.pointer, &ids, 32) }
    }
    return Array(ids[..<Int(count)])
  }

  /// Hands over the events that wait, up to `most`. `each` must not consume.
  public func consume(most: Int32, _ each: (lil_event) -> Void) throws(Errno) {
    try withoutActuallyEscaping(each) { (each) throws(Errno) in
      let receiver = Receiver(each)
      _ = try ring.withLock { ring throws(Errno) in
        try shimCall {
          unsafe lil_programs_consume(
            ring.pointer, most,
            { event, context in
              guard let event = unsafe event, let context = unsafe context else { return }
              unsafe Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue().each(event.pointee)
            }, Unmanaged.passUnretained(receiver).toOpaque())
        }
      }
    }
  }

  private final class Receiver {
    let each: (lil_event) -> Void
    init(_ each: @escaping (lil_event) -> Void) { self.each = each }
  }

  /// What was decided and lost since the programs were loaded.
  public func tally() throws(Errno) -> lil_tally {
    var sum = lil_tally()
    _ = try handle.withLock { handle throws(Errno) in
      try shimCall { unsafe lil_programs_tally(handle.pointer, &sum) }
    }
    return sum
  }

  /// Asks a child of this process for what the program `probe` denies. Whether it was denied.
  func provokeDenial() throws(LSMReport.Fault) -> Bool {
    try handle.withLock { handle throws(LSMReport.Fault) in
      try Self.checked { unsafe lil_programs_attach(handle.pointer, Self.probe) }
      defer { unsafe lil_programs_detach(handle.pointer, Self.probe) }
      return try Self.checked { lil_probe_child() } == 1
    }
  }
}

extension LSMPrograms {
  private static func open() throws(LSMReport.Fault) -> OpaquePointer {
    let object = ProgramObject.bytes
    let opened = unsafe object.withUnsafeBytes { unsafe lil_programs_open($0.baseAddress, $0.count) }
    guard let opened = unsafe opened else { throw fault(Errno(errno)) }
    return unsafe opened
  }

  private static func choose(_ wanted: Set<String>, of opened: OpaquePointer) throws(LSMReport.Fault) {
    var index = 0
    while let name = unsafe lil_programs_name(opened, index).map({ unsafe String(cString: $0) }) {
      try checked { unsafe lil_programs_choose(opened, name, wanted.contains(name) ? 1 : 0) }
      index += 1
    }
  }

  @discardableResult
  private static func checked(_ call: () -> Int32) throws(LSMReport.Fault) -> Int32 {
    do throws(Errno) { return try shimCall(call) } catch { throw fault(error) }
  }

  private static func fault(_ error: Errno) -> LSMReport.Fault {
    let detail = unsafe String(cString: lil_log())
    return LSMReport.Fault(error: error, detail: detail)
  }

  /// Of the init process, since liliumd itself may be in another one.
  private static var initialMountNamespace: UInt32 {
    var status = stat()
    guard unsafe stat("/proc/1/ns/mnt", &status) == 0 else { return 0 }
    return UInt32(truncatingIfNeeded: status.st_ino)
  }

  /// kernel_lockdown(7): in confidentiality mode no program may copy from kernel memory.
  private static var readsText: Bool {
    readSecurityFile("lockdown")?.contains("[confidentiality]") != true
  }
}
