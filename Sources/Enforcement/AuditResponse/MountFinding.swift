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
      guard let gone = Self.choose(difference.removed.filter { Self.isOn($0, file?.device) }, at: place) else {
        return nil
      }
      entry = gone
    case .mount where Self.makesMount(record), .moveMount:
      // One that was seen for an earlier call's sake shows as no difference any more: the topmost at the place is it.
      let topmost = place.flatMap { place in difference.table.last { $0.mountPoint == place } }
      guard let made = Self.choose(difference.added, at: place) ?? topmost else { return nil }
      // A mount that was moved was there before, and is not the mover's to lose.
      isNew =
        !difference.hadSeen(made, before: record.event.time)
        && (record.call == .mount || Self.attaches(record, made, difference))
      entry = made
    default:
      isNew = false
      guard let place, let there = difference.table.last(where: { $0.mountPoint == place }),
        Self.isOn(there, file?.device)
      else { return nil }
      entry = there
    }
  }

  /// move_mount(2) gives a new mount its place, or moves one that had another.
  private static func attaches(
    _ record: CallRecord, _ entry: MountEntry, _ difference: MountLedger.Difference
  ) -> Bool {
    if difference.removed.contains(where: { $0.id == entry.id }) { return false }
    return difference.isUnheard(of: entry.id, before: record.event.time) ?? (record.paths.count == 1)
  }

  /// mount(2) with none of the flags by which it changes or moves a mount that is there (MS_REMOUNT, MS_MOVE, the kinds
  /// of propagation).
  static func makesMount(_ record: CallRecord) -> Bool {
    record.call == .mount && record.arguments[3] & 0x1e_2020 == 0
  }

  /// The mount at the place that the call named; the only one where it named none.
  private static func choose(_ entries: [MountEntry], at place: [UInt8]?) -> MountEntry? {
    if let place, let match = entries.last(where: { $0.mountPoint == place }) { return match }
    return entries.count == 1 ? entries[0] : nil
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
