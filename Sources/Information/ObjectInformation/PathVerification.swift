// Owns the question under what path the initial mount namespace knows a file that an event shows.
// It must not believe a path that does not resolve to that very file: an unprivileged user can forge it.

internal import AccessModel
internal import ProcFS
internal import SystemCalls

/// One thread's means to read and recover paths.
@safe final class PathVerification {
  private let scratch: UnsafeMutableRawBufferPointer
  private let mounts: MountTable
  private let room: any WaitingRoom
  private static let capacity = 4096 + 16
  private static let flagsDirectory: Int32 = 0o200000

  init(mounts: MountTable, room: any WaitingRoom) {
    unsafe scratch = .allocate(byteCount: Self.capacity, alignment: 8)
    self.mounts = mounts
    self.room = room
  }

  deinit { unsafe scratch.deallocate() }

  /// Puts the path of the open file into `path`; true where it may be believed. Where the event's own path does not
  /// resolve to the file, the true one is looked for by the file's handle.
  func read(_ descriptor: Int32, status: FileStatus, into path: inout [UInt8]) throws(Errno) -> Bool {
    let count = try readLink(of: descriptor)
    unsafe path.replace(with: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
    if try names(status) { return true }
    if status.links == 0 { return false }
    guard let recovered = recover(descriptor, status) else { return false }
    unsafe path.replace(with: UnsafeRawBufferPointer(rebasing: scratch[..<recovered]))
    return true
  }

  /// readlink(2) of /proc/self/fd/N into the scratch, ended by a zero byte.
  private func readLink(of descriptor: Int32) throws(Errno) -> Int {
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<(Self.capacity - 1)])
    let count = try unsafe DescriptorLink.withPath(descriptor) { link throws(Errno) in
      try unsafe SystemCalls.readLink(link, into: target)
    }
    unsafe scratch[count] = 0
    return count
  }

  /// Whether the path in the scratch names the file.
  private func names(_ status: FileStatus) throws(Errno) -> Bool {
    do {
      let path = unsafe UnsafePointer(scratch.baseAddress!.assumingMemoryBound(to: CChar.self))
      return try unsafe FileStatus.of(path: path, followingLinks: false).isSameFile(as: status)
    } catch {
      return false
    }
  }

  /// name_to_handle_at(2) on the event's descriptor, then open_by_handle_at(2) with O_PATH on the initial namespace's
  /// mount: raises no event, but may wait for a disk.
  private func recover(_ descriptor: Int32, _ status: FileStatus) -> Int? {
    guard let place = mounts.place(major: status.deviceMajor, minor: status.deviceMinor), room.enter() else {
      return nil
    }
    defer { room.leave() }
    do {
      var handle = try FileHandle(of: descriptor)
      // Held only now: an open folder would keep its file system from being unmounted.
      let mount = try Descriptor.open(PathBytes(place.mountPoint), Self.flagsDirectory)
      let found = try handle.openPath(mount: mount.rawValue)
      let count = try readLink(of: found.rawValue)
      return try names(status) ? count : nil
    } catch {
      return nil
    }
  }
}
