// Owns which mount a call was about: what the record says, held against what changed in the mount tables.
// It must not undo anything.

internal import AccessModel
internal import AuditNetlink
internal import ProcFS

/// The mount that a call made, changed or took away.
struct MountFinding {
  var entry: MountEntry
  /// In the daemon's own mount namespace, so that its place is what it seems.
  var isInitial: Bool
  /// The call made it, so that it can be undone.
  var isNew: Bool

  /// Nil where no mount fits, as for a call that failed or made a mount that has no place yet.
  init?(_ record: CallRecord, _ difference: MountLedger.Difference?) {
    guard record.succeeded, let difference else { return nil }
    isInitial = difference.isInitial
    let file = Self.file(of: record)
    let place = file?.path
    switch record.call {
    case .umount, .umount2:
      isNew = false
      let removed = difference.removed.filter { Self.isOn($0, file?.device) }
      guard let gone = removed.last(where: { $0.mountPoint == place }) ?? (removed.count == 1 ? removed[0] : nil) else {
        return nil
      }
      entry = gone
    case .mount where Self.makesMount(record), .moveMount:
      guard let made = Self.newMount(difference, file) else { return nil }
      // A mount that was moved was there before, and is not the mover's to lose. Where nobody had looked before, one that
      // came by a name was moved from there.
      let mayBeMoved = record.call == .moveMount && difference.isFirstLook && record.paths.count != 1
      isNew = !mayBeMoved && !difference.hadSeen(made, before: record.event.time)
      entry = made
    default:
      isNew = false
      guard let place, let there = difference.table.last(where: { $0.mountPoint == place }),
        Self.isOn(there, file?.device)
      else { return nil }
      entry = there
    }
  }

  /// mount(2) with none of the flags by which it changes or moves a mount that is there (MS_REMOUNT, MS_MOVE, the kinds
  /// of propagation).
  static func makesMount(_ record: CallRecord) -> Bool {
    record.call == .mount && record.arguments[3] & 0x1e_2020 == 0
  }

  /// The mount that came at the place that the call named. One that was seen for an earlier call's sake shows as no
  /// difference any more: then it is the topmost there. A name that leads elsewhere by a link is not the mount's own: then
  /// it is the only one that came, if the folder below it is on the device that the kernel recorded.
  private static func newMount(_ difference: MountLedger.Difference, _ file: CallRecord.NamedFile?) -> MountEntry? {
    let added = difference.added
    guard let file else { return added.count == 1 ? added[0] : nil }
    let named = (added.last { $0.mountPoint == file.path } ?? difference.table.last { $0.mountPoint == file.path })
      .flatMap { lies($0, on: file.device, difference) != false ? $0 : nil }
    return named ?? (added.count == 1 && lies(added[0], on: file.device, difference) == true ? added[0] : nil)
  }

  /// Whether the folder below a mount is on a device; nil where the mount below it is not in the table.
  private static func lies(
    _ entry: MountEntry, on device: (major: UInt32, minor: UInt32)?, _ difference: MountLedger.Difference
  ) -> Bool? {
    difference.table.first { $0.id == entry.parent && $0.id != entry.id }.map { isOn($0, device) }
  }

  /// The words of a place may name another one where a link or a root folder of the caller's own lies on the way; the
  /// kernel's record says on which device it was.
  private static func isOn(_ entry: MountEntry, _ device: (major: UInt32, minor: UInt32)?) -> Bool {
    device.map { entry.major == $0.major && entry.minor == $0.minor } ?? false
  }

  /// The folder that the call is about, as its record names it.
  static func place(of record: CallRecord) -> [UInt8]? { file(of: record)?.path }

  private static func file(of record: CallRecord) -> CallRecord.NamedFile? {
    record.call == .moveMount ? record.files.last : record.files.first
  }
}
