// Holds which mount a call is said to be about, and whether the call made it.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import AuditNetlink
@testable import AuditResponse
@testable import ProcFS

@Suite("Mounts of calls")
struct MountFindingTests {
  private func finding(
    _ call: KnownCall, at place: String?, flags: UInt64 = 0, added: [MountEntry] = [], removed: [MountEntry] = [],
    table: [MountEntry] = [], success: String = "yes"
  ) throws -> MountFinding? {
    var line = RecordText(call: call, arguments: [1, 2, 3, flags], success: success)
    if let place { line = line.naming(["\"\(place)\""]) }
    return MountFinding(
      try line.record(),
      MountLedger.Difference(
        namespace: 1, isInitial: true, added: added, removed: removed, table: table + added,
        firstSeen: longAgo(table + removed), isFirstLook: false))
  }

  @Test func theMountThatCameIsNew() throws {
    let found = try #require(try finding(.mount, at: "/m/", added: [entry(8, "/x"), entry(9, "/m")]))
    #expect(found.entry.id == 9 && found.isNew && found.isInitial)
    #expect(try finding(.moveMount, at: nil, added: [entry(9, "/m")])?.isNew == true, "the only one")
    let root = [entry(1, "/")]
    #expect(try finding(.mount, at: "/link/m", added: [entry(9, "/m")], table: root)?.entry.id == 9, "through a link")
    #expect(try finding(.mount, at: "/link/m", added: [entry(9, "/m")]) == nil, "nobody knows what lies below")
    #expect(try finding(.mount, at: "/link/m", added: [entry(8, "/x"), entry(9, "/m")]) == nil, "it may be either")
  }

  /// Of two that lie upon each other the last is the one that is seen.
  @Test func theTopMountIsMeant() throws {
    #expect(try finding(.mount, at: "/m", added: [entry(8, "/m"), entry(9, "/m")])?.entry.id == 9)
    #expect(try finding(.mountSetattr, at: "/m", table: [entry(8, "/m"), entry(9, "/m")])?.entry.id == 9)
  }

  @Test func anotherChangeOfAMountIsNotItsBeginning() throws {
    let there = [entry(5, "/m", type: "ext4")]
    for call in [KnownCall.mount, .mountSetattr, .openTree] {
      let found = try #require(try finding(call, at: "/m", flags: 0x20, table: there), "\(call.name)")
      #expect(found.entry.id == 5 && !found.isNew)
    }
    #expect(try finding(.mount, at: "/elsewhere", table: there) == nil)
    #expect(try finding(.fsmount, at: nil, added: [entry(5, "/m")]) == nil, "it has no place yet")
  }

  @Test func theMountThatWentIsNamed() throws {
    let found = try #require(try finding(.umount2, at: "/m", removed: [entry(4, "/x"), entry(5, "/m")]))
    #expect(found.entry.id == 5 && !found.isNew)
    #expect(try finding(.umount2, at: "/m", table: [entry(5, "/m")]) == nil, "it is still there")
    #expect(try finding(.umount2, at: "/elsewhere", removed: [entry(4, "/x"), entry(5, "/m")]) == nil)
  }

  @Test func aCallThatFailedHasNoMount() throws {
    #expect(try finding(.mount, at: "/m", added: [entry(9, "/m")], success: "no") == nil)
    #expect(MountFinding(try RecordText(call: .mount).naming([#""/m""#]).record(), nil) == nil)
  }

  /// Undoing it would take away what was there before the call.
  @Test func aMountThatWasMovedIsNotNew() throws {
    let moved = try finding(.mount, at: "/new", flags: 0x2000, added: [entry(9, "/new")], removed: [entry(9, "/old")])
    #expect(moved?.entry.id == 9 && moved?.isNew == false)
    let line = RecordText(call: .moveMount).naming([#""/old""#, #""/new""#])
    let difference = MountLedger.Difference(
      namespace: 1, isInitial: true, added: [entry(9, "/new")], removed: [entry(9, "/old")], table: [entry(9, "/new")],
      firstSeen: longAgo([entry(9, "/old")]), isFirstLook: false)
    let byTheNewCall = try #require(MountFinding(try line.record(), difference))
    #expect(byTheNewCall.entry.id == 9 && !byTheNewCall.isNew)
  }

  @Test func aNewMountIsPutAtTheLastOfItsNames() throws {
    let line = RecordText(call: .moveMount).naming([#""/from""#, #""/to""#])
    let difference = MountLedger.Difference(
      namespace: 7, isInitial: false, added: [entry(8, "/from"), entry(9, "/to")], removed: [], table: [],
      firstSeen: [:], isFirstLook: false)
    let found = try #require(MountFinding(try line.record(), difference))
    #expect(found.entry.id == 9 && found.isNew && !found.isInitial)
  }

  // MARK: - The ledger, on real mounts in a child's namespace

  private func helper() throws -> Helper {
    let child = try Helper(unshare: ["-m", "--propagation", "private"])
    try child.run("cd $(mktemp -d /tmp/lilium-mount-XXXXXX) && mount -t tmpfs own . && cd . && mkdir a b")
    return child
  }

  private func cleanUp(_ child: Helper) throws { try child.run(#"d=$PWD; cd /; umount -l "$d"; rmdir "$d""#) }

  private func look(_ ledger: inout MountLedger, at pid: Int32?) throws -> MountLedger.Difference {
    let difference = ledger.difference(for: pid)
    return try #require(difference)
  }

  private func line(_ place: String, _ child: Helper) throws -> CallRecord {
    try line(place, child, at: SystemCalls.Clock.realtime())
  }

  /// The record of a mount that was made at a time, in nanoseconds since the epoch.
  private func line(_ place: String, _ child: Helper, at time: Int64) throws -> CallRecord {
    var text = RecordText(call: .mount, arguments: [1, 2, 3, 0], pid: child.pid).naming(["\"\(place)\""])
    text.time = time / 1_000_000 * 1_000_000
    return try onDevice(of: child, text).record()
  }

  /// With the device that the kernel would record: that of the folder that the helper works in.
  private func onDevice(of child: Helper, _ text: RecordText) throws -> RecordText {
    let numbers = try child.run("stat -c '%Hd %Ld' .").split(separator: " ").compactMap { UInt32($0) }
    func hexadecimal(_ number: UInt32) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }
    let device = numbers.map(hexadecimal).joined(separator: ":")
    var text = text
    text.others = text.others.map { ($0.type, $0.text.replacing("dev=00:2a", with: "dev=\(device)")) }
    return text
  }

  @Test func whatCameAndWentShows() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let folder = try child.run("pwd")
    var ledger = try MountLedger()
    let first = try look(&ledger, at: child.pid)
    #expect(!first.isInitial && first.added.isEmpty && first.removed.isEmpty && !first.table.isEmpty)
    try child.run("mount -t tmpfs -o size=64k one a")
    let second = try look(&ledger, at: child.pid)
    #expect(second.namespace == first.namespace && second.removed.isEmpty)
    #expect(second.added.map { text($0.mountPoint) } == ["\(folder)/a"])
    #expect(second.added.map { text($0.source) } == ["one"])
    try child.run("umount a")
    let third = try look(&ledger, at: child.pid)
    #expect(third.added.isEmpty && third.removed.map { text($0.mountPoint) } == ["\(folder)/a"])
    let own = try look(&ledger, at: nil)
    #expect(own.isInitial && !own.table.contains { text($0.source) == "own" })
    let none = ledger.difference(for: 0x3fff_ffff)
    #expect(none.map(\.namespace) == nil, "nobody has this number")
  }

  /// Both calls have happened before the first of them is looked at.
  @Test func twoMountsThatCameTogetherAreBothFound() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let folder = try child.run("pwd")
    var ledger = try MountLedger()
    _ = ledger.difference(for: child.pid)
    usleep(5000)
    let began = SystemCalls.Clock.realtime()
    try child.run("mount -t tmpfs one a; mount -t tmpfs two b")
    let first = MountFinding(try line("\(folder)/a", child, at: began), ledger.difference(for: child.pid))
    let second = MountFinding(try line("\(folder)/b", child, at: began), ledger.difference(for: child.pid))
    #expect(first.map { text($0.entry.source) } == "one" && first?.isNew == true)
    #expect(second.map { text($0.entry.source) } == "two" && second?.isNew == true, "else nobody undoes it")
  }

  /// What lies there now lay there before the call: it is not the call's to lose.
  @Test func aMountThatIsGoneAgainLeavesTheOneBelow() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let folder = try child.run("pwd")
    try child.run("mount -t tmpfs old a")
    var ledger = try MountLedger()
    _ = ledger.difference(for: child.pid)
    usleep(5000)
    let began = SystemCalls.Clock.realtime()
    try child.run("mount -t tmpfs brief a; umount a")
    let found = MountFinding(try line("\(folder)/a", child, at: began), ledger.difference(for: child.pid))
    #expect(found?.isNew != true, "\(found.map { text($0.entry.source) } ?? "none") would be unmounted")
  }

  /// The move had happened when another call's record made the ledger look.
  @Test func aMoveThatWasSeenEarlierIsStillAMove() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let folder = try child.run("pwd")
    try child.run("mount -t tmpfs old a")
    var ledger = try MountLedger()
    _ = ledger.difference(for: child.pid)
    usleep(5000)
    var text = RecordText(call: .moveMount, pid: child.pid).naming(["\"\(folder)/b\""])
    text.time = SystemCalls.Clock.realtime()
    try child.run("mount --move a b")
    _ = ledger.difference(for: child.pid)
    let found = MountFinding(try text.record(), ledger.difference(for: child.pid))
    #expect(found?.isNew != true, "a mount that had been there would be unmounted")
  }

  /// A new mount of the new calls is no less new for having been seen for another call's sake.
  @Test func aNewMountThatWasSeenEarlierIsStillNew() throws {
    let child = try helper()
    defer { try? cleanUp(child) }
    let folder = try child.run("pwd")
    var ledger = try MountLedger()
    _ = ledger.difference(for: child.pid)
    usleep(5000)
    var text = RecordText(call: .moveMount, pid: child.pid).naming(["\"\(folder)/b\""])
    text.time = SystemCalls.Clock.realtime()
    try child.run("mount -t tmpfs two b")
    _ = ledger.difference(for: child.pid)
    let found = MountFinding(try onDevice(of: child, text).record(), ledger.difference(for: child.pid))
    #expect(found?.isNew == true, "else nobody undoes it")
  }

  /// By `..` behind a link, or in a root folder of the caller's own, the words of one place name another. The kernel's
  /// record says on which device that one is.
  @Test(arguments: [KnownCall.mount, .umount2, .mountSetattr])
  func aMountOnAnotherDeviceIsAnother(_ call: KnownCall) throws {
    var text = RecordText(call: call, arguments: [1, 2, 3, 0x20]).naming([#""/link/../m""#])
    let table = [entry(5, "/m")]
    func isFound() throws -> Bool {
      let difference = MountLedger.Difference(
        namespace: 1, isInitial: true, added: [], removed: call == .umount2 ? table : [],
        table: call == .umount2 ? [] : table, firstSeen: longAgo(table), isFirstLook: false)
      return MountFinding(try text.record(), difference) != nil
    }
    #expect(try isFound())
    text.others = text.others.map { ($0.type, $0.text.replacing("dev=00:2a", with: "dev=08:01")) }
    #expect(try !isFound(), "a record about /m, verified, of a call that was about another place")
  }
}
