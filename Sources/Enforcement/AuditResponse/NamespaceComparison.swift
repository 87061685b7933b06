// Owns which namespaces a new process has that its parent has not, where a call hides its flags.
// It must not compare processes that are gone: their numbers may be others'.

internal import AccessModel
internal import SystemCalls

enum NamespaceComparison {
  /// Kinds in which the two differ, by name; nil where one of them cannot be looked at.
  static func kinds(of child: Int32, unlike parent: Int32, among names: Set<String>? = nil) -> [[UInt8]]? {
    var found: [[UInt8]] = []
    for kind in NamespaceKind.all where names?.contains(kind.name) != false {
      let link = NamespaceKind.link(kind.name)
      // Children of the parent would live in this one, if they were made without a flag.
      guard let before = inode(parent, link) else { return nil }
      guard let now = inode(child, kind.name == "mount" ? "mnt" : kind.name) else { return nil }
      if before != now { found.append([UInt8](kind.name.utf8)) }
    }
    return found
  }

  static func inode(_ pid: Int32, _ link: String) -> UInt64? {
    unsafe PathBytes("/proc/\(pid)/ns/\(link)").withPointer { path in try? unsafe FileStatus.of(path: path).inode }
  }

  /// PROC_USER_INIT_INO (include/linux/proc_ns.h).
  private static let initialUser: UInt64 = 0xEFFF_FFFD

  /// Nil where it cannot be looked at.
  static func isInInitialUserNamespace(_ pid: Int32) -> Bool? { inode(pid, "user").map { $0 == initialUser } }

  /// Whether a process counts its processes as this daemon does.
  static func sharesProcessNumbers(_ pid: Int32) -> Bool {
    guard let own = inode(ProcessSetup.processID, "pid"), let other = inode(pid, "pid") else { return false }
    return own == other
  }
}
