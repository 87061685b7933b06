// Owns the reading of /proc/PID/status (proc_pid_status(5)): credentials, groups, capabilities, name.
// It must not open the file.

/// What a process's status says. Kept and filled again, so that it allocates nothing when warm.
public struct ProcessStatus: Sendable, Hashable {
  /// The thread name with the kernel's escapes undone.
  public var name: [UInt8] = []
  public var parent: Int32 = 0
  /// Real, effective, saved, file system.
  public var uids: InlineIDs = InlineIDs()
  public var gids: InlineIDs = InlineIDs()
  public var groups: [UInt32] = []
  /// Bit n is capability n.
  public var permitted: UInt64 = 0
  public var effective: UInt64 = 0

  /// Real and effective id.
  public struct InlineIDs: Sendable, Hashable {
    public var real: UInt32 = 0
    public var effective: UInt32 = 0
  }

  public init() {
    name.reserveCapacity(64)
    groups.reserveCapacity(64)
  }

  /// Fills itself from the file's text. False where a needed line is missing or unreadable: then nothing here counts.
  public mutating func read(_ text: UnsafeRawBufferPointer) -> Bool {
    var cursor = unsafe ByteCursor(text)
    var found: UInt8 = 0
    while !cursor.isAtEnd {
      if cursor.take("Name:\t") {
        unsafe readName(cursor.until(0x0a))
        found |= 1
      } else if cursor.take("PPid:") {
        guard let id = Self.number(&cursor), let parent = Int32(exactly: id) else { return false }
        self.parent = parent
        found |= 2
        cursor.skipLine()
      } else if cursor.take("Uid:") {
        guard let ids = Self.ids(&cursor) else { return false }
        uids = ids
        found |= 4
      } else if cursor.take("Gid:") {
        guard let ids = Self.ids(&cursor) else { return false }
        gids = ids
        found |= 8
      } else if cursor.take("Groups:") {
        guard readGroups(&cursor) else { return false }
        found |= 16
      } else if cursor.take("CapPrm:") {
        guard let set = Self.mask(&cursor) else { return false }
        permitted = set
        found |= 32
      } else if cursor.take("CapEff:") {
        guard let set = Self.mask(&cursor) else { return false }
        effective = set
        return found | 64 == 127
      } else {
        cursor.skipLine()
      }
    }
    return false
  }

  /// The kernel writes a line feed as \n and a backslash as \\ in the name (fs/proc/array.c, proc_task_name).
  private mutating func readName(_ raw: UnsafeRawBufferPointer) {
    name.removeAll(keepingCapacity: true)
    var index = 0
    while index < raw.count {
      let byte = unsafe raw[index]
      let next = index + 1 < raw.count ? unsafe raw[index + 1] : 0
      if byte == 0x5c, next == 0x6e || next == 0x5c {
        name.append(next == 0x6e ? 0x0a : 0x5c)
        index += 2
      } else {
        name.append(byte)
        index += 1
      }
    }
  }

  private mutating func readGroups(_ cursor: inout ByteCursor) -> Bool {
    groups.removeAll(keepingCapacity: true)
    while true {
      cursor.skipBlanks()
      guard let byte = cursor.peek, byte != 0x0a else { break }
      guard let id = cursor.decimal(), let group = UInt32(exactly: id) else { return false }
      groups.append(group)
    }
    cursor.skipLine()
    return true
  }

  private static func number(_ cursor: inout ByteCursor) -> UInt64? {
    cursor.skipBlanks()
    return cursor.decimal()
  }

  private static func ids(_ cursor: inout ByteCursor) -> InlineIDs? {
    guard let real = number(&cursor).flatMap({ UInt32(exactly: $0) }),
      let effective = number(&cursor).flatMap({ UInt32(exactly: $0) })
    else { return nil }
    cursor.skipLine()
    return InlineIDs(real: real, effective: effective)
  }

  /// Only a whole line counts: a number that was cut would be a smaller set.
  private static func mask(_ cursor: inout ByteCursor) -> UInt64? {
    cursor.skipBlanks()
    guard let set = cursor.hexadecimal(), cursor.peek == 0x0a else { return nil }
    cursor.advance()
    return set
  }
}
