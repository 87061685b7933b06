// Owns reading a file once, for its digests and for what it was when they were made.
// It must not judge a content, and must not follow a link in the last part of a path.

public import AccessModel
internal import ContentDigest
internal import Glibc
public import SystemCalls
public import TrustDatabase

/// What a file was when it was read.
public struct MeasuredFile: Sendable, Hashable {
  public var size: UInt64
  public var hash: ContentHash
  /// 16 bytes; empty where it was not asked for.
  public var md5: [UInt8]
  /// SHA-256 over algorithm byte and digest of fs-verity, where the kernel holds the file to one.
  public var verity: ContentHash?
  /// Nil where a change could still hide in the clock's last step.
  public var seen: SeenFile?
  public var status: FileStatus
}

public enum FileReading: Sendable, Hashable {
  case measured(MeasuredFile)
  case missing
  /// A folder, a link, a device.
  case notRegular
  case unreadable(Errno)
  /// It was changed during each of several readings.
  case changing
  case cancelled
}

/// One thread's reader of whole files.
public final class FileMeter {
  private let sha256: FileDigester
  private let both: FileDigester
  private let measureVerity: Verity.Measure
  private static let attempts = 3
  /// The clock of a file's change time goes in steps of a few milliseconds: what is younger than this might be changed
  /// once more without showing.
  static let clockStep: Int64 = 50_000_000
  /// O_NOATIME: that a file was looked at leaves no trace on it.
  private static let leaveAccessTime: Int32 = 0o1000000

  /// Throws where libcrypto does not work.
  public convenience init() throws { try self.init(verity: Verity.measure) }

  init(verity: @escaping Verity.Measure) throws {
    measureVerity = verity
    sha256 = try FileDigester([.sha256])
    both = try FileDigester([.sha256, .md5])
  }

  /// Reads a file. `progress` is told the bytes of each piece and ends the reading by false.
  public func read(_ path: PathBytes, withMD5: Bool = false, progress: (Int) -> Bool = { _ in true }) -> FileReading {
    for _ in 0..<Self.attempts {
      do {
        if let reading = try attempt(path, withMD5: withMD5, progress) { return reading }
      } catch {
        return Self.reading(after: error)
      }
    }
    return .changing
  }

  /// The digest that the kernel holds a file to, without reading it; nil where there is none or nobody can be asked.
  func verity(of path: PathBytes) -> ContentHash? {
    guard (try? FileStatus.of(path: path, followingLinks: false))?.isRegular == true,
      let file = try? Self.open(path)
    else { return nil }
    return measureVerity(file.rawValue)
  }

  /// Nil where the file changed meanwhile.
  private func attempt(_ path: PathBytes, withMD5: Bool, _ progress: (Int) -> Bool) throws -> FileReading? {
    // A device must not even be opened: some drivers act on it.
    guard try FileStatus.of(path: path, followingLinks: false).isRegular else { return .notRegular }
    let file = try Self.open(path)
    let before = try FileStatus.of(descriptor: file.rawValue)
    guard before.isRegular else { return .notRegular }
    let digester = withMD5 ? both : sha256
    var size: UInt64 = 0
    do {
      try digester.read(file.rawValue) { count in
        size += UInt64(count)
        // One that grows as fast as it is read would have no end.
        return size <= before.size && progress(count)
      }
    } catch let error as Errno where error == Errno(ECANCELED) && size > before.size { return nil }
    let verity = measureVerity(file.rawValue)
    let after = try FileStatus.of(descriptor: file.rawValue)
    guard after.isUnchanged(since: before), after.size == size else { return nil }
    guard let hash = ContentHash(digester.digests[0]) else { return .unreadable(.invalid) }
    return .measured(
      MeasuredFile(
        size: size, hash: hash, md5: withMD5 ? digester.digests[1] : [], verity: verity, seen: Self.seen(after),
        status: after))
  }

  private static func reading(after error: any Error) -> FileReading {
    switch error as? Errno {
    case .noEntry, .notDirectory: .missing
    case .tooManyLinks, Errno(ENXIO): .notRegular
    case Errno(ECANCELED): .cancelled
    case let errno: .unreadable(errno ?? Errno(EIO))
    }
  }

  /// O_NONBLOCK: a FIFO that lies where a file should must not make anybody wait.
  private static func open(_ path: PathBytes) throws(Errno) -> Descriptor {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    do throws(Errno) { return try Descriptor.open(path, flags | leaveAccessTime) } catch .permission {
      // That is for a file's owner and for root.
      return try Descriptor.open(path, flags)
    }
  }

  /// What tells that the file has not been touched since; nil where it is too young to tell.
  private static func seen(_ status: FileStatus) -> SeenFile? {
    guard status.changeTime < Clock.realtime() - clockStep else { return nil }
    return SeenFile(status)
  }
}

extension SeenFile {
  init(_ status: FileStatus) {
    self.init(
      device: DeviceNumber(major: status.deviceMajor, minor: status.deviceMinor), inode: status.inode,
      changeTime: status.changeTime)
  }
}

extension FileStatus {
  func isUnchanged(since earlier: FileStatus) -> Bool {
    isSameFile(as: earlier) && changeTime == earlier.changeTime && size == earlier.size
  }

  /// Somebody other than root can change the file.
  public var isWritableByOthers: Bool { owner != 0 || mode & 0o002 != 0 || (mode & 0o020 != 0 && group != 0) }
}
