// Owns reading file content for a held request: at once where it is in memory, in the waiting room where it is not.
// It must not let a thread that others wait for wait for a disk.

public import AccessModel
internal import SystemCalls

public enum ContentAccess {
  /// The smallest unit in which file content is kept in memory, on every architecture.
  private static let pageSize: UInt64 = 4096

  /// Fills as much of the buffer as the file has at `offset`; nil and a failure where it cannot be read.
  public static func read(
    _ descriptor: Int32, _ offset: UInt64, _ buffer: UnsafeMutableRawBufferPointer, _ room: any WaitingRoom,
    _ failure: inout Failure
  ) -> Int? {
    guard let start = Int64(exactly: offset) else { return 0 }
    var count = 0
    do {
      count = try unsafe readDescriptorWithoutWaiting(descriptor, buffer, at: start)
      // What is in memory ends with a page, so a count that ends within one ends with the file.
      if count == buffer.count || (offset + UInt64(count)) % pageSize != 0 || count == 0 { return count }
    } catch {
      guard error == .again || error == .notSupported else { return nil }
    }
    guard room.enter() else {
      failure = .outOfThreads
      return nil
    }
    defer { room.leave() }
    return try? unsafe readDescriptor(descriptor, buffer, at: start)
  }
}
