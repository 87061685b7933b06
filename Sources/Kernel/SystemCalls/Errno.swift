// Owns the error of a system call: its number, its name, its sentence.
// It must not know which call failed: the thrower says that.

internal import Glibc

/// An errno(3) value.
public struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: Int32
  public init(_ rawValue: Int32) { self.rawValue = rawValue }

  public static let again = Errno(EAGAIN)
  public static let interrupted = Errno(EINTR)
  public static let noEntry = Errno(ENOENT)
  public static let noProcess = Errno(ESRCH)
  public static let permission = Errno(EPERM)
  public static let access = Errno(EACCES)
  public static let invalid = Errno(EINVAL)
  public static let exists = Errno(EEXIST)
  public static let tooManyFiles = Errno(EMFILE)
  public static let systemTooManyFiles = Errno(ENFILE)
  public static let notSupported = Errno(EOPNOTSUPP)
  public static let noSystemCall = Errno(ENOSYS)
  public static let nameTooLong = Errno(ENAMETOOLONG)
  public static let stale = Errno(ESTALE)
  public static let pipe = Errno(EPIPE)
  public static let tooManyLinks = Errno(ELOOP)
  public static let badMessage = Errno(EBADMSG)
  public static let notDirectory = Errno(ENOTDIR)
  public static let badDescriptor = Errno(EBADF)
  public static let noData = Errno(ENODATA)
  public static let timedOut = Errno(ETIMEDOUT)

  /// strerror(3)'s sentence.
  public var description: String {
    var text = [CChar](repeating: 0, count: 128)
    let found = unsafe strerror_r(rawValue, &text, text.count)
    return found == 0
      ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : "errno \(rawValue)"
  }
}

/// A failed system call with its name and what it was about.
public struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
  public let call: String
  public let subject: String
  public let errno: Errno
  public init(_ call: String, _ subject: String, _ errno: Errno) {
    self.call = call
    self.subject = subject
    self.errno = errno
  }
  public var description: String { "\(call) \(subject): \(errno)" }
}
