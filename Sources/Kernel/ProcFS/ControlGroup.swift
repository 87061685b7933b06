// Owns the reading of /proc/PID/cgroup (cgroups(7)) and the systemd unit that a control group's path names.
// It must not ask systemd.

public enum ControlGroup {
  /// The path in the cgroup2 hierarchy, or, where systemd still keeps its own (`name=systemd`), in that one.
  public static func path(in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var cursor = unsafe ByteCursor(text)
    var unified: UnsafeRawBufferPointer?
    var named: UnsafeRawBufferPointer?
    while !cursor.isAtEnd {
      if cursor.take("0::") {
        unsafe unified = cursor.until(0x0a)
      } else {
        _ = unsafe cursor.until(0x3a)
        if cursor.take("name=systemd:") { unsafe named = cursor.until(0x0a) } else { cursor.skipLine() }
      }
    }
    // Beside the unified hierarchy, systemd's own says nothing by its root.
    if let path = unsafe named, unsafe path.count > 1 || unified == nil { return unsafe path }
    return unsafe unified
  }

  /// The unit's name in such a path: the first part behind the leading slices, as in `/system.slice/x.service/sub`.
  /// Empty where the path names none.
  public static func unit(in path: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var cursor = unsafe ByteCursor(path)
    while !cursor.isAtEnd {
      let part = unsafe cursor.until(0x2f)
      if unsafe part.isEmpty || (ends(part, ".slice")) { continue }
      // systemd puts _ before a name that the kernel keeps for itself.
      let name = unsafe part[0] == 0x5f ? UnsafeRawBufferPointer(rebasing: part[1...]) : part
      for suffix in unitSuffixes where unsafe ends(name, suffix) { return unsafe name }
      return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return unsafe UnsafeRawBufferPointer(start: nil, count: 0)
  }

  private static let unitSuffixes: [StaticString] = [".service", ".scope", ".socket", ".mount", ".swap"]

  private static func ends(_ bytes: UnsafeRawBufferPointer, _ suffix: StaticString) -> Bool {
    let length = suffix.utf8CodeUnitCount
    guard bytes.count > length else { return false }
    for index in 0..<length
    where unsafe bytes[bytes.count - length + index] != suffix.utf8Start[index] { return false }
    return true
  }
}
