// Owns the protection of liliumd itself by programs at the kernel's LSM hooks: of its processes, files and maps.
// It must not know when it is wanted, nor who is kin: the daemon says so.

public import AccessModel
public import BPFLSM
internal import CBPFLSM
internal import Synchronization
public import SystemCalls

/// Whom and what self-protection is about. Process numbers are thread group ids of the initial pid namespace.
public struct Ward: Sendable, Hashable {
  /// liliumd, and the process that ends it where it stands still: nobody but kin signals or traces them.
  public var processes: [Int32]
  /// Daemons that take over, or are taken over from: they may do what liliumd itself may.
  public var kin: [Int32]
  /// Processes that may change the files.
  public var writers: [Int32]
  /// Maps of other programs of the daemon's, by the kernel's numbers.
  public var maps: [UInt32]
  /// Files and folders, by the device that the file system has in the kernel (`HostNames`): nobody else changes them, or
  /// what is in them.
  public var files: [FileIdentity]

  /// As many files as the kernel's programs look for.
  public static let mostFiles = Int(LIL_KEPT)

  public init(
    processes: [Int32], kin: [Int32] = [], writers: [Int32] = [], maps: [UInt32] = [], files: [FileIdentity]
  ) {
    self.files = files
    self.processes = processes
    self.kin = kin
    self.writers = writers
    self.maps = maps
  }
}

/// One set of attached programs; they deny from the start until `stop`, or until this process ends. Thread-safe.
public final class LSMGuard: Sendable {
  private struct Kept: Sendable {
    var ward: Ward?
    var maps: Set<UInt32> = []
  }

  private let programs: LSMPrograms
  private let reader: LSMReader<TamperingReader>
  private let stopping: WakeUp
  private let kept = Mutex(Kept())
  private let thread = Mutex<Thread?>(nil)
  /// Hooks that this kernel lacks, so that nothing is protected there.
  public let missing: [String]

  /// Loads the programs; each attempt that they deny is reported.
  public init(_ ward: Ward, report: @escaping @Sendable (Tampering) -> Void) throws(LSMReport.Fault) {
    let present = GuardHook.all.filter(\.isInKernel)
    missing = GuardHook.all.filter { !present.contains($0) }.map(\.name)
    programs = try LSMPrograms(hooks: Set(present.map(\.program)))
    do throws(Errno) {
      stopping = try WakeUp()
      for id in try programs.mapIDs() { try programs.keepMap(id) }
    } catch { throw LSMReport.Fault(error: error) }
    reader = LSMReader(programs, TamperingReader(report: report), until: stopping)
    do throws(Errno) { try protect(ward) } catch { throw LSMReport.Fault(error: error) }
  }

  /// From now on the programs deny. Once.
  public func start() throws(Errno) {
    let reading = try Thread.start("lsm-guard") { [reader] in reader.run() }
    thread.withLock { $0 = reading }
    do throws(Errno) { try programs.attach(programs.hooks) } catch {
      stop()
      throw error
    }
  }

  /// Changes whom it is about.
  public func protect(_ ward: Ward) throws(Errno) {
    try kept.withLock { kept throws(Errno) in
      guard kept.ward != ward else { return }
      try programs.protect(lil_ward(ward))
      for id in Set(ward.maps).subtracting(kept.maps) { try programs.keepMap(id) }
      for id in kept.maps.subtracting(ward.maps) { try? programs.dropMap(id) }
      kept.maps = Set(ward.maps)
      kept.ward = ward
    }
  }

  /// What the kernel counted since the programs were loaded; nil where it cannot be read.
  public var counts: LSMCounts? {
    guard let tally = try? programs.tally() else { return nil }
    return LSMCounts(tally, malformed: reader.malformed)
  }

  /// Detaches the programs, then reports what they denied before.
  public func stop() {
    try? programs.attach([])
    stopping.wake()
    let reading = thread.withLock { $0.take() }
    reading?.join()
  }
}

extension lil_ward {
  fileprivate init(_ ward: Ward) {
    self.init()
    Self.fill(&wards, ward.processes)
    Self.fill(&kin, ward.kin)
    Self.fill(&writers, ward.writers)
    unsafe withUnsafeMutableBytes(of: &kept) { bytes in
      let places = unsafe bytes.bindMemory(to: lil_kept.self)
      for (index, file) in ward.files.prefix(places.count).enumerated() {
        unsafe places[index] = lil_kept(
          inode: file.inode, device: file.device.major << 20 | file.device.minor, spare: 0)
      }
    }
  }

  private static func fill<Places>(_ places: inout Places, _ pids: [Int32]) {
    unsafe withUnsafeMutableBytes(of: &places) { bytes in
      let numbers = unsafe bytes.bindMemory(to: UInt32.self)
      for (index, pid) in pids.prefix(numbers.count).enumerated() { unsafe numbers[index] = UInt32(bitPattern: pid) }
    }
  }
}
