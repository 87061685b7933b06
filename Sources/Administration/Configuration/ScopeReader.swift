// Owns the table [scope] of lilium.toml(5).
// It must not look at a control group: that it is there is asked when doors are opened, on the host that they guard.

extension ScopeSettings {
  /// Where the hierarchy is mounted; what stands below it is the control group's own path.
  private static let mountPoint = "/sys/fs/cgroup"

  /// As many as the kernel's programs compare.
  private static let most = 16

  mutating func read(_ given: TableReader) {
    var table = given
    if let paths = table.strings("cgroups", check: Self.fault) {
      for path in paths where !controlGroups.contains(path) { controlGroups.append(path) }
      if controlGroups.count > Self.most, let node = table.node("cgroups") {
        table.report(
          "cgroups", node, "names \(controlGroups.count) control groups; \(Self.most) are the most",
          hint: "name one that is above several of them")
      }
      if controlGroups.count < paths.count, let node = table.node("cgroups") {
        table.report("cgroups", node, "names a control group twice", hint: "write each one once")
      }
    }
    table.finish()
  }

  /// What is wrong with the path of a control group, if anything is.
  private static func fault(_ path: String) -> String? {
    if let fault = faultOfPath(path) { return fault }
    if path == "/" { return "\"/\" is the whole host; write an empty list instead" }
    guard path == mountPoint || path.hasPrefix(mountPoint + "/") else { return nil }
    return "\"\(path)\" is a folder; write the control group's own path, as below \(mountPoint)"
  }
}
