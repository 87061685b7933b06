// Owns the path of the program that a process runs, and whether the initial mount namespace confirms it.
// It must not believe a link's text that does not resolve to the file that runs.

internal import ProcFS
internal import SystemCalls

/// One thread's means to read /proc/PID/exe.
@safe final class ExecutablePath {
  private let scratch: UnsafeMutableRawBufferPointer
  private static let capacity = 4096 + 16

  init() { unsafe scratch = .allocate(byteCount: Self.capacity, alignment: 8) }
  deinit { unsafe scratch.deallocate() }

  /// Puts the path into `path`; true where it names the running file.
  func read(_ pid: Int32, _ status: FileStatus, into path: inout [UInt8]) throws(Errno) -> Bool {
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<(Self.capacity - 1)])
    let count = try unsafe ProcessFile.exe.readLink(pid: pid, into: target)
    unsafe scratch[count] = 0
    unsafe path.replace(with: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
    do {
      let name = unsafe UnsafePointer(scratch.baseAddress!.assumingMemoryBound(to: CChar.self))
      return try unsafe FileStatus.of(path: name, followingLinks: false).isSameFile(as: status)
    } catch {
      return false
    }
  }
}
