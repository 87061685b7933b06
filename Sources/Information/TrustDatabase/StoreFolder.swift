// Owns the store's folder: who may have written there, and every step that makes files appear, move and go in it.
// It must not read what the files say.

internal import Glibc
internal import SystemCalls

/// Whose files are believed.
public enum TrustStoreProtection: Sendable, Hashable {
  /// Folder, the folders above it and files are root's, and nobody else can write: what a daemon that runs as root
  /// demands.
  case rootAlone
  /// Not writable by group or others; for a user who tries things out.
  case ownerAlone

  /// What is demanded by a process like this one.
  public static var ofThisProcess: TrustStoreProtection {
    ProcessSetup.effectiveUserID == 0 ? .rootAlone : .ownerAlone
  }

  /// Why a file or folder is not believed.
  func refusal(of status: FileStatus) -> String? {
    if status.mode & 0o022 != 0 { return "it is writable by group or others" }
    if self == .rootAlone, status.owner != 0 { return "it is owned by uid \(status.owner), not by root" }
    return nil
  }

  /// A folder above the store: where everybody may write but only the owner may rename (/tmp), nobody can exchange
  /// what is root's.
  func refusal(ofAncestor status: FileStatus) -> String? {
    guard self == .rootAlone else { return nil }
    if status.owner != 0 { return "it is owned by uid \(status.owner), not by root" }
    return status.mode & 0o022 != 0 && status.mode & 0o1000 == 0 ? "it is writable by group or others" : nil
  }
}

struct StoreFolder: ~Copyable {
  let path: String
  private let directory: Descriptor
  private let protection: TrustStoreProtection

  /// Opens the folder and looks at it and all above it.
  static func open(_ path: String, _ protection: TrustStoreProtection) throws(TrustStoreError) -> StoreFolder {
    let folder = StoreFolder(path: path, directory: try directory(path), protection: protection)
    let number = folder.number
    let status = try call("statx", path) { () throws(Errno) in try FileStatus.of(descriptor: number) }
    if let why = protection.refusal(of: status) { throw .notProtected(path: path, why: why) }
    try checkAncestors(of: number, status, path, protection)
    return folder
  }

  private static func directory(_ path: String) throws(TrustStoreError) -> Descriptor {
    do throws(Errno) { return try Descriptor.open(path, O_RDONLY | O_DIRECTORY) } catch {
      throw error == .noEntry ? .missing(folder: path) : TrustStoreError("open", path, error)
    }
  }

  /// Makes the folder, and the one above it, where they are missing (mkdir(2)).
  static func make(_ path: String) throws(TrustStoreError) {
    let parent = PathBytes(path).folder.description
    try call("mkdir", parent) { () throws(Errno) in try ProcessSetup.makeDirectory(parent, mode: 0o755) }
    try call("mkdir", path) { () throws(Errno) in try ProcessSetup.makeDirectory(path, mode: 0o700) }
  }

  /// By statx(2) alone: nothing is opened.
  private static func checkAncestors(
    of folder: Int32, _ status: FileStatus, _ path: String, _ protection: TrustStoreProtection
  ) throws(TrustStoreError) {
    var below = status
    var step = ".."
    while true {
      let above = try call("statx", "\(path)/\(step)") { () throws(Errno) in
        try unsafe FileStatus.of(path: step, at: folder)
      }
      // The folder above the root is the root.
      if above.isSameFile(as: below), above.mount == below.mount { return }
      if let why = protection.refusal(ofAncestor: above) { throw .notProtected(path: "\(path)/\(step)", why: why) }
      below = above
      step += "/.."
    }
  }

  func place(_ name: String) -> String { "\(path)/\(name)" }

  /// Opens a regular file for reading after a look at its owner and mode (open(2)); nil where there is none.
  func open(_ name: String, flags: Int32 = O_RDONLY) throws(TrustStoreError) -> StoredFile? {
    let file: Descriptor
    do throws(Errno) {
      // O_NONBLOCK: a FIFO that somebody left there must not wait for its writer.
      file = try Descriptor.open(name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode: 0o600, at: number)
    } catch .noEntry {
      return nil
    } catch .tooManyLinks {
      throw .notProtected(path: place(name), why: "it is a link")
    } catch {
      throw TrustStoreError("open", place(name), error)
    }
    let descriptor = file.rawValue
    let status = try call("statx", place(name)) { () throws(Errno) in try FileStatus.of(descriptor: descriptor) }
    guard status.isRegular else { throw .notProtected(path: place(name), why: "it is no regular file") }
    if let why = protection.refusal(of: status) { throw .notProtected(path: place(name), why: why) }
    return StoredFile(file: file, byteCount: status.size)
  }

  /// A new file in the place of any that had the name.
  func create(_ name: String) throws(TrustStoreError) -> Descriptor {
    remove(name)
    let folder = number
    return try call("open", place(name)) { () throws(Errno) in
      try Descriptor.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: folder)
    }
  }

  /// What was written is on the disk (fsync(2)).
  func flush(_ file: borrowing Descriptor, _ name: String) throws(TrustStoreError) {
    let descriptor = file.rawValue
    try call("fsync", place(name)) { () throws(Errno) in _ = try systemCall { fsync(descriptor) } }
  }

  /// The folder's names are on the disk.
  func flush() throws(TrustStoreError) {
    let folder = number
    try call("fsync", path) { () throws(Errno) in _ = try systemCall { fsync(folder) } }
  }

  /// rename(2) within the folder.
  func rename(_ name: String, to other: String) throws(TrustStoreError) {
    let folder = number
    try call("rename", place(other)) { () throws(Errno) in
      _ = try systemCall { unsafe renameat(folder, name, folder, other) }
    }
  }

  /// unlink(2); what cannot be removed stays.
  func remove(_ name: String) { _ = unsafe unlinkat(number, name, 0) }

  /// The names in the folder.
  func names() throws(TrustStoreError) -> [String] {
    let folder = number
    let copy = try call("open", path) { () throws(Errno) in
      try Descriptor.open(".", O_RDONLY | O_DIRECTORY, at: folder)
    }
    // fdopendir(3) takes the descriptor over.
    guard let list = unsafe fdopendir(copy.release()) else { throw TrustStoreError("opendir", path, Errno(errno)) }
    defer { unsafe _ = closedir(list) }
    var names: [String] = []
    while let entry = unsafe readdir(list) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe $0.prefix { $0 != 0 }.map { $0 } }
      names.append(String(decoding: name, as: UTF8.self))
    }
    return names
  }

  private var number: Int32 { directory.rawValue }
}

/// An open file of the store that passed the look at owner and mode.
struct StoredFile: ~Copyable {
  let file: Descriptor
  let byteCount: UInt64

  consuming func intoFile() -> Descriptor { file }
}
