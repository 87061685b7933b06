// Owns the promise that one liliumd alone keeps audit rules on this host, whatever its state folder is.
// It must not be taken by who senses no system call. It passes from a daemon to the one that takes over without a gap.

import SystemCalls

final class AuditLock: Sendable {
  private static let path = "/run/lilium-audit.lock"
  private static let readWriteCreate: Int32 = 0o102
  private let file: Descriptor

  /// EAGAIN where another process has it. Given back when the last owner goes; the file stays until the next boot.
  init() throws(Errno) {
    file = try Descriptor.open(Self.path, Self.readWriteCreate, mode: 0o600)
    try ProcessSetup.lock(file)
  }

  /// Takes the file that another process has locked, and that stays locked as long as either has it (flock(2)).
  init(inherited: consuming Descriptor) throws(Errno) {
    file = inherited
    try ProcessSetup.lock(file)
  }

  var descriptor: Int32 { file.rawValue }
}
