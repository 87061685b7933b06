// Owns a file descriptor: it is closed exactly once, when its owner goes.
// It must not carry a position, a buffer or a policy.

internal import CSystemCalls
public import Glibc

/// An owned file descriptor.
public struct Descriptor: ~Copyable, Sendable {
  public let rawValue: Int32

  /// Takes ownership.
  public init(owning rawValue: Int32) { self.rawValue = rawValue }

  deinit { _ = Glibc.close(rawValue) }

  /// Gives ownership away without closing.
  public consuming func release() -> Int32 {
    let value = rawValue
    discard self
    return value
  }

  /// openat(2) with O_CLOEXEC added.
  public static func open(
    _ path: String, _ flags: Int32, mode: UInt32 = 0, at directory: Int32 = AT_FDCWD
  ) throws(Errno) -> Descriptor {
    Descriptor(
      owning: try shimCall { unsafe lil_openat(directory, path, flags, mode) })
  }

  /// openat(2) of a path that is no Swift string; allocates nothing.
  public static func open(_ path: UnsafePointer<CChar>, _ flags: Int32) throws(Errno) -> Descriptor {
    Descriptor(owning: try shimCall { unsafe lil_openat(AT_FDCWD, path, flags, 0) })
  }

  /// Names a file without opening it (openat2(2), O_PATH; raises no event). ELOOP where the path leads through a magic
  /// link of /proc, which would mean this process and not the one that wrote the path. With `inRoot` the directory
  /// stands for the root folder, also for links.
  public static func name(_ path: UnsafePointer<CChar>, at directory: Int32, inRoot: Bool) throws(Errno) -> Descriptor {
    Descriptor(owning: try shimCall { unsafe lil_open_beneath(directory, path, inRoot ? 1 : 0) })
  }

  /// Whether `name` works at all: a seccomp filter may take openat2(2) away (ENOSYS).
  public static func tryNaming() throws(Errno) {
    _ = try unsafe PathBytes("/").withPointer { path throws(Errno) in
      try unsafe name(path, at: AT_FDCWD, inRoot: false).rawValue
    }
  }

  /// Names a file without opening it, a link itself, and asks no file system (openat2(2), RESOLVE_CACHED): EAGAIN where
  /// the kernel has not all of the path in memory, or where mounts change meanwhile; EINVAL before Linux 5.12, ENOSYS
  /// before 5.6. So it cannot be made to wait for a file server.
  public static func nameCached(_ path: UnsafePointer<CChar>) throws(Errno) -> Descriptor {
    Descriptor(owning: try shimCall { unsafe lil_open_cached(path) })
  }

  /// A new descriptor of the same open file, with the lowest number that is free from `lowest` on (fcntl(2),
  /// F_DUPFD_CLOEXEC). EINVAL where RLIMIT_NOFILE is not above `lowest`.
  public static func duplicate(_ descriptor: Int32, from lowest: Int32 = 3) throws(Errno) -> Descriptor {
    Descriptor(owning: try systemCall { fcntl(descriptor, F_DUPFD_CLOEXEC, lowest) })
  }

  /// read(2); 0 at the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    try unsafe readDescriptor(rawValue, buffer)
  }

  /// write(2) of as much as the kernel takes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
    try systemCall { unsafe Glibc.write(rawValue, bytes.baseAddress, bytes.count) }
  }

  /// Writes all bytes; for descriptors that block.
  public func writeAll(_ bytes: some Sequence<UInt8>) throws(Errno) {
    let whole = [UInt8](bytes)
    var done = 0
    while done < whole.count {
      let rest = whole[done...]
      var failed: Errno?
      done += unsafe rest.withUnsafeBytes { part in
        do throws(Errno) { return try unsafe write(part) } catch {
          failed = error
          return 0
        }
      }
      if let failed { throw failed }
    }
  }

  /// Reads to the end; at most `limit` bytes, then EFBIG.
  public func readAll(limit: Int) throws(Errno) -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      var failed: Errno?
      let got = unsafe chunk.withUnsafeMutableBytes { part in
        do throws(Errno) { return try unsafe read(into: part) } catch {
          failed = error
          return 0
        }
      }
      if let failed { throw failed }
      if got == 0 { return all }
      if all.count + got > limit { throw Errno(EFBIG) }
      all.append(contentsOf: chunk[..<got])
    }
  }
}

/// close(2) on a descriptor that came as a number, with an event. Once only.
public func closeDescriptor(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

/// Closes two descriptors, with one call where their numbers are neighbours. Once only.
public func closeDescriptors(_ a: Int32, _ b: Int32) {
  if (a - b).magnitude == 1, lil_close_range(min(a, b), max(a, b)) == 0 { return }
  closeDescriptor(a)
  closeDescriptor(b)
}

/// O_NONBLOCK for a descriptor and all that share it (fcntl(2)).
public func makeNonblocking(_ descriptor: Int32) throws(Errno) {
  _ = try shimCall { lil_set_nonblocking(descriptor) }
}

/// pread(2): the count of bytes, 0 at the end. May wait for a disk.
public func readDescriptor(
  _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int64
) throws(Errno) -> Int {
  try systemCall { unsafe pread(descriptor, buffer.baseAddress, buffer.count, Int(offset)) }
}

/// As pread(2), but EAGAIN where the content is not in memory, and EOPNOTSUPP where the file system cannot tell
/// (preadv2(2), RWF_NOWAIT).
public func readDescriptorWithoutWaiting(
  _ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, at offset: Int64
) throws(Errno) -> Int {
  try shimCall { unsafe lil_pread_nowait(descriptor, buffer.baseAddress, buffer.count, offset) }
}

/// read(2) on a descriptor that somebody else owns.
@inlinable
public func readDescriptor(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
  try systemCall { unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
}
