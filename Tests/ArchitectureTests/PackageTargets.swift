// Owns what Package.swift declares: targets, the folders they live in, and what each one depends on.
// It must not judge the arrows: ArrowTests does.

/// A target as Package.swift declares it.
struct DeclaredTarget {
  let name: String
  /// The stage folder, or the program's own name.
  let stage: String
  let dependencies: Set<String>
}

enum PackageTargets {
  /// Every target below Sources by its name.
  static func read(_ manifest: String) -> [String: DeclaredTarget] {
    var found: [String: DeclaredTarget] = [:]
    for target in helpers(manifest) + plain(manifest) { found[target.name] = target }
    return found
  }

  /// `stage("Folder", "Name", [...])` and `shim("Folder", "Name")`.
  private static func helpers(_ manifest: String) -> [DeclaredTarget] {
    manifest.matches(of: /(?:stage|shim)\(\s*"(\w+)",\s*"(\w+)"(?:,\s*\[([^\]]*)\])?/).map { match in
      DeclaredTarget(
        name: String(match.2), stage: String(match.1), dependencies: names(match.3 ?? ""))
    }
  }

  /// `.target(name: "Name", ... path: "Sources/Folder/Name")`, `.systemLibrary(...)` and `.executableTarget(...)`.
  private static func plain(_ manifest: String) -> [DeclaredTarget] {
    let pattern = /\.(?:target|systemLibrary|executableTarget)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/
    return manifest.matches(of: pattern).compactMap { match in
      let name = String(match.1)
      let rest = manifest[match.range.upperBound...]
      // The path of a target stands before the next target begins.
      let own = rest.firstRange(of: /\.(?:target|systemLibrary|executableTarget)\(|\n\n/)?.lowerBound ?? rest.endIndex
      let path = rest[..<own].firstMatch(of: /path: "(\w+)\/(\w+)/)
      if let path, path.1 != "Sources" { return nil }
      return DeclaredTarget(name: name, stage: String(path?.2 ?? match.1), dependencies: names(match.2 ?? ""))
    }
  }

  /// The quoted names of a dependency list; a product's package and a library of the system are left out.
  private static func names(_ list: Substring) -> Set<String> {
    let products = list.replacing(/,\s*package: "[^"]*"/, with: "")
      .replacing(/\.linkedLibrary\("[^"]*"\)/, with: "")
    return Set(products.matches(of: /"([\w-]+)"/).map { String($0.1) })
  }
}
