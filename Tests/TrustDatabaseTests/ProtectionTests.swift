// Who could have written the store decides whether it is believed.

import AccessModel
import Glibc
import SystemCalls
import Testing
import TrustDatabase

@Suite struct ProtectionTests {
  private let folder = Folder()
  private static let isRoot = geteuid() == 0

  private func refused(_ store: TrustStore) -> (path: String, why: String)? {
    do {
      _ = try store.snapshot()
    } catch TrustStoreError.notProtected(let path, let why) {
      return (path, why)
    } catch {
      Issue.record("\(error)")
    }
    return nil
  }

  @Test func whatIsMadeIsTheOwnersAlone() throws {
    let manifest = try folder.store.update { _ in }
    #expect(try FileStatus.of(path: folder.trust).mode & 0o7777 == 0o700)
    let slashes = TrustStore(folder: folder.path + "/other/trust//")
    try slashes.update { _ in }
    #expect(slashes.folder == folder.path + "/other/trust")
    #expect(try FileStatus.of(path: slashes.folder).mode & 0o7777 == 0o700)
    for name in ["current", manifest.file, "lock"] {
      let status = try FileStatus.of(path: folder.file(name))
      #expect(status.mode & 0o7777 == 0o600 && status.owner == geteuid())
    }
  }

  @Test(arguments: ["", "/current", "/generation-1.mdb"], [0o020, 0o002, 0o022] as [mode_t])
  func whatOthersCanWriteIsNotBelieved(_ name: String, _ bits: mode_t) throws {
    try folder.store.update { _ in }
    let path = folder.trust + name
    #expect(chmod(path, 0o700 | bits) == 0)
    for protection in [TrustStoreProtection.ownerAlone, .ofThisProcess] {
      let refusal = refused(TrustStore(folder: folder.trust, protection: protection))
      #expect(refusal?.path == path && refusal?.why.contains("writable by group or others") == true)
    }
    #expect(throws: TrustStoreError.self) { try folder.store.update { try $0.set(entry(1), at: bytes("/a")) } }
    #expect(chmod(path, 0o755) == 0)
    _ = try folder.store.snapshot()
  }

  @Test func aLockThatOthersCanWriteStopsWriters() throws {
    try folder.store.update { _ in }
    #expect(chmod(folder.file("lock"), 0o666) == 0)
    #expect(throws: TrustStoreError.self) { try folder.store.update { _ in } }
    _ = try folder.store.snapshot()
  }

  @Test(.enabled(if: isRoot), arguments: ["", "/current", "/generation-1.mdb"])
  func whatIsNotRootsIsNotBelieved(_ name: String) throws {
    try folder.store.update { _ in }
    let path = folder.trust + name
    #expect(chown(path, 65534, 0) == 0)
    let refusal = refused(TrustStore(folder: folder.trust, protection: .rootAlone))
    #expect(refusal?.path == path && refusal?.why == "it is owned by uid 65534, not by root")
    #expect(refused(TrustStore(folder: folder.trust, protection: .ownerAlone)) == nil)
    #expect(chown(path, 0, 0) == 0)
    _ = try folder.store.snapshot()
  }

  /// Whoever can rename a folder above can put another store in its place.
  @Test(.enabled(if: isRoot)) func theFoldersAboveCount() throws {
    try folder.store.update { _ in }
    let above = folder.path + "/state"
    #expect(chmod(above, 0o777) == 0)
    #expect(refused(folder.store)?.why.contains("writable by group or others") == true)
    // Where only owners may rename, nobody takes away what is root's.
    #expect(chmod(above, 0o1777) == 0)
    #expect(refused(folder.store) == nil)
    #expect(chmod(above, 0o755) == 0 && chown(folder.path, 65534, 0) == 0)
    let refusal = refused(folder.store)
    #expect(refusal?.path == folder.trust + "/../.." && refusal?.why.contains("uid 65534") == true)
    #expect(refused(TrustStore(folder: folder.trust, protection: .ownerAlone)) == nil)
    #expect(chown(folder.path, 0, 0) == 0)
    #expect(refused(folder.store) == nil)
  }

  @Test(arguments: ["current", "generation-1.mdb"])
  func whatIsNoPlainFileIsRefused(_ name: String) throws {
    try folder.store.update { _ in }
    let path = folder.file(name)
    #expect(rename(path, folder.file("real")) == 0)
    #expect(symlink("real", path) == 0)
    #expect(refused(folder.store)?.why == "it is a link")
    #expect(unlink(path) == 0 && mkfifo(path, 0o600) == 0)
    #expect(refused(folder.store)?.why == "it is no regular file")
    #expect(unlink(path) == 0 && mkdir(path, 0o700) == 0)
    #expect(refused(folder.store)?.why == "it is no regular file")
  }

  @Test func aFileIsNoFolder() throws {
    let file = TrustStore(folder: "/etc/passwd")
    #expect(throws: TrustStoreError.system(SystemCallError("open", "/etc/passwd", .notDirectory))) {
      try file.snapshot()
    }
    #expect(throws: TrustStoreError.self) { try file.update { _ in } }
  }

  @Test func everyErrorSaysWhatToDo() {
    let errors: [TrustStoreError] = [
      .missing(folder: "/t"), .damaged(path: "/t/current", why: "w"), .unsupportedSchema(path: "/t/current", schema: 9),
      .notProtected(path: "/t", why: "w"), .busy(pid: 12), .busy(pid: nil), .full(path: "/t/x"),
      .unusable(path: "/p", why: "w"), .system(SystemCallError("open", "/t", .access)),
    ]
    for error in errors {
      #expect(error.description == "\(error.sentence); \(error.remedy)" && !error.remedy.isEmpty)
      #expect(!error.description.contains("!") && !error.description.contains("\n"))
    }
  }
}
