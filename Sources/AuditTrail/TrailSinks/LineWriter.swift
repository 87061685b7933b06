// Owns writing whole lines to a descriptor whose reader may be slow or gone.
// It must not change the descriptor's flags: standard output is shared with the shell that started us.

internal import Glibc
internal import SystemCalls

/// Writes lines, each whole or not at all: the rest of one that was cut short is written before the next.
struct LineWriter: ~Copyable {
  private let descriptor: Descriptor
  private let patience: Int32
  private let largestWrite: Int
  private var rest: ArraySlice<UInt8> = []
  /// The last wait was in vain: until the reader reads again nobody waits.
  private var stalled = false

  /// What poll(2) says a pipe has room for is PIPE_BUF bytes: a longer write could block.
  private static let pipeBuffer = 4096

  /// `patienceMilliseconds` bounds the wait for a slow reader.
  init(_ descriptor: consuming Descriptor, patienceMilliseconds: Int32) {
    let isRegular = (try? FileStatus.of(descriptor: descriptor.rawValue).isRegular) ?? false
    // To a file in one write(2), so that other writers that append cannot come in between.
    largestWrite = isRegular ? .max : Self.pipeBuffer
    self.descriptor = descriptor
    patience = patienceMilliseconds
  }

  mutating func write(line: [UInt8]) -> SinkOutcome {
    do throws(Errno) {
      try writeRest()
      guard rest.isEmpty else { return .dropped }
      let whole = line + [UInt8(ascii: "\n")]
      rest = whole[...]
      try writeRest()
      // Once a part is out the line counts as written: its rest goes first next time.
      guard rest.count == whole.count else { return .written }
    } catch {
      // A full disk may get room again, and the cut line is then completed; a reader that is gone stays gone.
      if error == .pipe || error == .badDescriptor { rest = [] }
      return .dropped
    }
    rest = []
    return .dropped
  }

  /// Writes what there is room for.
  private mutating func writeRest() throws(Errno) {
    while !rest.isEmpty {
      guard try isReady() else { return }
      let part = rest.prefix(largestWrite)
      rest = rest.dropFirst(try writePart(part))
    }
  }

  private mutating func isReady() throws(Errno) -> Bool {
    let events = try waitForEvents([(descriptor.rawValue, PollEvents.output)], milliseconds: stalled ? 0 : patience)
    stalled = events.allSatisfy { $0 == 0 }
    return !stalled
  }

  private func writePart(_ part: ArraySlice<UInt8>) throws(Errno) -> Int {
    // The buffer outlives the call, and the kernel only reads it.
    let result = unsafe part.withUnsafeBytes { buffer -> Result<Int, Errno> in
      do throws(Errno) { return .success(try unsafe descriptor.write(buffer)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
