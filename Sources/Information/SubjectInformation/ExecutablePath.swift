// Owns the path of the program that a process runs, and whether the initial mount namespace confirms it.
// It must not believe a link's text that does not resolve to the file that runs.

internal import ProcFS
internal import SystemCalls

/// One thread's means to read /proc/PID/exe.
@safe final class ExecutablePath {
  private let scratch: UnsafeMutableRawBufferPointer
  /// The process chooses what its path leads through: a thread that nobody takes the place of must not wait for the
  /// file server behind it. A program that runs has its path in memory as a rule; where not, it is not confirmed.
  private let cachedOnly: Bool
  private static let capacity = 4096 + 16

  /// The kernel refuses now and then while anybody mounts anything: nobody is to take away others' confirmation so.
  private static let attempts = 8

  init(cachedOnly: Bool) {
    self.cachedOnly = cachedOnly
    unsafe scratch = .allocate(byteCount: Self.capacity, alignment: 8)
  }
  deinit { unsafe scratch.deallocate() }

  /// Puts the path into `path`; true where it names the running file.
  func read(_ pid: Int32, _ status: FileStatus, into path: inout [UInt8]) throws(Errno) -> Bool {
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<(Self.capacity - 1)])
    let count = try unsafe ProcessFile.exe.readLink(pid: pid, into: target)
    unsafe scratch[count] = 0
    unsafe path.replace(with: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
    let name = unsafe UnsafePointer(scratch.baseAddress!.assumingMemoryBound(to: CChar.self))
    let named =
      cachedOnly ? unsafe Self.cachedStatus(name) : try? unsafe FileStatus.of(path: name, followingLinks: false)
    return named?.isSameFile(as: status) ?? false
  }

  /// What the path names, asking no file system; nil where that is not known. A kernel that cannot is asked plainly.
  private static func cachedStatus(_ name: UnsafePointer<CChar>) -> FileStatus? {
    for _ in 0..<attempts {
      do throws(Errno) {
        let file = try unsafe Descriptor.nameCached(name)
        return try FileStatus.of(descriptor: file.rawValue)
      } catch {
        switch error {
        case .again: continue
        case .invalid, .noSystemCall: return try? unsafe FileStatus.of(path: name, followingLinks: false)
        default: return nil
        }
      }
    }
    return nil
  }
}
