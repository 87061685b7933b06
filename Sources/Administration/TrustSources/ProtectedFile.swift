// Owns reading a file of a source: a regular one, of bounded size, that only those who may can write.
// It must not know what the content means.

internal import Glibc
internal import SystemCalls

/// Whose files are believed.
public enum SourceProtection: Sendable {
  /// Owned by root and not writable by group or others: what root demands.
  case rootAlone
  /// Not writable by group or others; for a user who tries things out.
  case anyOwner
  /// Whatever the permissions are.
  case anyone

  /// What a process like this one demands.
  public static var ofThisProcess: SourceProtection { ProcessSetup.effectiveUserID == 0 ? .rootAlone : .anyOwner }

  /// Why a file or folder is not believed, or nil.
  func refusal(of status: FileStatus, _ path: [UInt8]) -> TrustSourceError? {
    guard self != .anyone else { return nil }
    let place = PathText.shown(path)
    if status.mode & 0o022 != 0 {
      return TrustSourceError(
        .notProtected, place, "must not be writable by group or others",
        remedy: "look at what it says, then run chmod go-w")
    }
    if self == .rootAlone, status.owner != 0 {
      return TrustSourceError(
        .notProtected, place, "must be owned by root, not by uid \(status.owner)",
        remedy: "look at what it says, then run chown root")
    }
    return nil
  }
}

enum ProtectedFile {
  /// The whole content. `.missing` where there is none; a link is not followed where it is the last name.
  static func read(
    _ path: [UInt8], limit: Int, _ protection: SourceProtection
  ) throws(TrustSourceError) -> [UInt8] {
    let file = try open(path, protection)
    do throws(Errno) { return try file.readAll(limit: limit) } catch Errno(EFBIG) {
      throw TrustSourceError(
        .tooLarge, PathText.shown(path), "larger than \(limit) bytes", remedy: "no such file is this large; look at it")
    } catch { throw TrustSourceError("read", path, error) }
  }

  /// An open regular file; a link is not followed where it is the last name.
  static func open(_ path: [UInt8], _ protection: SourceProtection) throws(TrustSourceError) -> Descriptor {
    try openRegular(path, O_NOFOLLOW) { protection.refusal(of: $0, path) }
  }

  /// An open regular file that is not refused. Opening waits for nobody (O_NONBLOCK: a FIFO may lie there).
  static func openRegular(
    _ path: [UInt8], _ flags: Int32, _ refusal: (FileStatus) -> TrustSourceError?
  ) throws(TrustSourceError) -> Descriptor {
    var refused = TrustSourceError(
      .damaged, PathText.shown(path), "is no regular file", remedy: "put a regular file there")
    do throws(Errno) {
      let file = try Descriptor.open(PathBytes(path), O_RDONLY | O_NONBLOCK | O_NOCTTY | flags)
      let status = try FileStatus.of(descriptor: file.rawValue)
      if status.isRegular {
        guard let reason = refusal(status) else { return file }
        refused = reason
      }
    } catch .tooManyLinks where flags & O_NOFOLLOW != 0 {
      refused = TrustSourceError(.damaged, PathText.shown(path), "is a link", remedy: "put a regular file there")
    } catch { throw TrustSourceError("open", path, error) }
    throw refused
  }

  /// The names in a protected folder, without `.` and `..`, in no order (readdir(3)).
  static func names(in folder: [UInt8], _ protection: SourceProtection) throws(TrustSourceError) -> [[UInt8]] {
    let status: FileStatus
    do throws(Errno) { status = try FileStatus.of(path: PathBytes(folder)) } catch {
      throw TrustSourceError("stat", folder, error)
    }
    if let refusal = protection.refusal(of: status, folder) { throw refusal }
    guard let stream = PathBytes(folder).withPointer({ opendir($0) }) else {
      throw TrustSourceError("opendir", folder, Errno(errno))
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while let entry = readdir(stream) {
      // The name is a C array inside the entry; its length is found by its zero byte.
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { start in
          (0..<strnlen(start, 256)).map { UInt8(bitPattern: start[$0]) }
        }
      }
      if !name.elementsEqual([0x2e]) && !name.elementsEqual([0x2e, 0x2e]) { names.append(name) }
    }
    return names
  }
}
