// Owns reading one file or link of /proc/PID (proc(5)) into the caller's buffer, without allocating.
// It must not interpret what it reads.

public import SystemCalls

/// Files of /proc/PID that Lilium reads. procfs raises no permission events, so the answer path may open them.
public enum ProcessFile: Sendable {
  case status, stat, loginuid, sessionid, cgroup, cmdline, mountinfo
  case exe, root, cwd, userNamespace, mountNamespace
  /// The folder itself, with its final slash.
  case folder

  fileprivate var name: StaticString {
    switch self {
    case .status: "status"
    case .stat: "stat"
    case .loginuid: "loginuid"
    case .sessionid: "sessionid"
    case .cgroup: "cgroup"
    case .cmdline: "cmdline"
    case .mountinfo: "mountinfo"
    case .exe: "exe"
    case .root: "root"
    case .cwd: "cwd"
    case .userNamespace: "ns/user"
    case .mountNamespace: "ns/mnt"
    case .folder: ""
    }
  }

  /// Runs `body` with the path `/proc/PID/NAME`, followed by `suffix`.
  public func withPath<Result: ~Copyable, Failure: Error>(
    pid: Int32, suffix: UnsafeRawBufferPointer? = nil,
    _ body: (UnsafePointer<CChar>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let prefix: StaticString = "/proc/"
    let extra = unsafe suffix?.count ?? 0
    return try unsafe withUnsafeTemporaryAllocation(byteCount: 48 + extra, alignment: 1) { buffer throws(Failure) in
      var end = 0
      func append(_ byte: UInt8) {
        unsafe buffer[end] = byte
        end += 1
      }
      prefix.withUTF8Buffer { for index in $0.indices { append(unsafe $0[index]) } }
      // No process has the number 0, so what is none gives the path of none.
      let pid = max(pid, 0)
      var divisor: Int32 = 1
      while pid / divisor >= 10 { divisor *= 10 }
      while divisor > 0 {
        append(UInt8(0x30 + (pid / divisor) % 10))
        divisor /= 10
      }
      append(0x2f)
      name.withUTF8Buffer { for index in $0.indices { append(unsafe $0[index]) } }
      if let suffix = unsafe suffix { for index in suffix.indices { append(unsafe suffix[index]) } }
      append(0)
      return try unsafe body(buffer.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  /// Reads the file from its start; what does not fit is cut. The count of bytes.
  public func read(pid: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    let file = try unsafe withPath(pid: pid) { path throws(Errno) in try unsafe Descriptor.open(path, 0) }
    var count = 0
    while count < buffer.count {
      let got = try unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
      if got == 0 { break }
      count += got
    }
    return count
  }

  /// readlink(2) of the link; what does not fit is cut.
  public func readLink(pid: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    try unsafe withPath(pid: pid) { path throws(Errno) in try unsafe SystemCalls.readLink(path, into: buffer) }
  }

  /// The status of the file that the link leads to.
  public func status(pid: Int32) throws(Errno) -> FileStatus {
    try unsafe withPath(pid: pid) { path throws(Errno) in try unsafe FileStatus.of(path: path) }
  }
}
