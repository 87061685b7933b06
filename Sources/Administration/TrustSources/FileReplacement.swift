// Owns putting a new file in the place of an old one: whole or not at all, and one writer at a time.
// It must not know what the file says.

internal import Glibc
internal import SystemCalls

/// A file that is about to be replaced. While it lives no other one for the same path can be made.
final class FileReplacement {
  private let path: [UInt8]
  private let folder: [UInt8]
  /// The new file, under a name of its own. Its lock is the writers' lock: nobody but its owner may open it (mode
  /// 0600), so no other user can hold it.
  private let draft: [UInt8]
  private let file: Descriptor
  private var isInPlace = false

  private static let patience: UInt64 = 10_000_000_000
  private static let pause: UInt64 = 20_000_000

  /// Waits 10 seconds for another writer.
  init(_ path: String, _ protection: SourceProtection) throws(TrustSourceError) {
    let bytes = Array(path.utf8)
    let place = PathBytes(bytes)
    self.path = bytes
    folder = bytes.contains(0x2f) ? place.folder.bytes : [0x2e]
    let name = bytes.lastIndex(of: 0x2f).map { Array(bytes[($0 + 1)...]) } ?? bytes
    draft = folder + Array("/.".utf8) + name + Array(".new".utf8)
    let status: FileStatus
    do throws(Errno) { status = try FileStatus.of(path: PathBytes(folder)) } catch {
      throw TrustSourceError("stat", folder, error)
    }
    if let refusal = protection.refusal(of: status, folder) { throw refusal }
    do throws(Errno) { file = try Self.lockedDraft(draft) } catch .again {
      throw TrustSourceError(
        .system, PathText.shown(bytes), "somebody else is changing it", remedy: "run this again when that has ended")
    } catch { throw TrustSourceError("open", draft, error) }
  }

  /// A draft that was left behind by a crash is used again.
  private static func lockedDraft(_ path: [UInt8]) throws(Errno) -> Descriptor {
    let deadline = Clock.monotonic() + patience
    let place = PathBytes(path)
    while true {
      let file = try place.withPointer { pointer throws(Errno) in
        Descriptor(owning: try systemCall { open(pointer, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600) })
      }
      do throws(Errno) {
        try ProcessSetup.lock(file)
        // Whoever had the lock may have moved the file to its place meanwhile: then this is no draft any more.
        let own = try FileStatus.of(descriptor: file.rawValue)
        if try FileStatus.of(path: place, followingLinks: false).isSameFile(as: own) { return file }
      } catch .again {
        guard Clock.monotonic() < deadline else { throw .again }
        Clock.sleep(nanoseconds: pause)
      } catch .noEntry { continue }
    }
  }

  /// Writes the content (mode 0644), lets it reach the disk, and puts it in its place (rename(2)).
  func commit(_ content: [UInt8]) throws(TrustSourceError) {
    let number = file.rawValue
    do throws(Errno) {
      _ = try systemCall { ftruncate(number, 0) }
      try file.writeAll(content)
      _ = try systemCall { fchmod(number, 0o644) }
      _ = try systemCall { fsync(number) }
      try PathBytes(draft).withPointer { from throws(Errno) in
        try PathBytes(path).withPointer { to throws(Errno) in _ = try systemCall { rename(from, to) } }
      }
      isInPlace = true
      let parent = try Descriptor.open(PathBytes(folder), O_RDONLY | O_DIRECTORY)
      let parentNumber = parent.rawValue
      _ = try systemCall { fsync(parentNumber) }
    } catch { throw TrustSourceError("write", path, error) }
  }

  deinit {
    if !isInPlace { PathBytes(draft).withPointer { _ = unlink($0) } }
  }
}
