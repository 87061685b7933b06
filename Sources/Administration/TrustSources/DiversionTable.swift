// Owns where dpkg lays a file instead of where its package says: dpkg-divert(1)'s diversions.
// It must not follow links: dpkg compares the names as they are listed.

/// The diversions of one admin folder.
public struct DiversionTable: Sendable, Hashable {
  private var diversions: [PathKey: Diversion] = [:]

  private struct Diversion: Sendable, Hashable {
    var target: [UInt8]
    /// The package that keeps the name; empty for the administrator's own, which holds for every package.
    var keeper: [UInt8]
  }

  public var count: Int { diversions.count }
  private static let largest = 16 << 20

  /// The diversions of a dpkg database. No file means none.
  public init(adminFolder: String, protection: SourceProtection = .ofThisProcess) throws(TrustSourceError) {
    try self.init(folder: Array(adminFolder.utf8), protection)
  }

  init(folder: [UInt8], _ protection: SourceProtection) throws(TrustSourceError) {
    let path = folder + Array("/diversions".utf8)
    var text: [UInt8] = []
    do { text = try ProtectedFile.read(path, limit: Self.largest, protection) } catch {
      guard error.kind == .missing else { throw error }
    }
    try self.init(text, place: PathText.shown(path))
  }

  /// Three lines a diversion: the name, where it goes, and who keeps the name (`:` for the administrator). A text that
  /// is not of this form is an error: what it hides would be looked for at the wrong place.
  init(_ text: [UInt8], place: String) throws(TrustSourceError) {
    let lines = Array(ByteLines(text))
    guard lines.count % 3 == 0 else { throw Self.damaged(place, lines.count, "a diversion has three lines") }
    for start in stride(from: 0, to: lines.count, by: 3) {
      guard lines[start].first == 0x2f, let name = PathText.absolute(lines[start]), name.count > 1 else {
        throw Self.damaged(place, start + 1, "not an absolute path")
      }
      guard lines[start + 1].first == 0x2f, let target = PathText.absolute(lines[start + 1]), target.count > 1 else {
        throw Self.damaged(place, start + 2, "not an absolute path")
      }
      let keeper = lines[start + 2]
      let isLocal = keeper.elementsEqual([0x3a])
      guard isLocal || DpkgPackages.isName(keeper) else {
        throw Self.damaged(place, start + 3, "neither a package nor a colon")
      }
      diversions[PathKey(name)] = Diversion(target: target, keeper: isLocal ? [] : Array(keeper))
    }
  }

  /// The name under which the file lies that this package (its bare name) lists under `path`.
  public func name(of path: [UInt8], from package: [UInt8]) -> [UInt8] {
    guard !diversions.isEmpty, let diversion = diversions[PathKey(path)], diversion.keeper != package else {
      return path
    }
    return diversion.target
  }

  private static func damaged(_ place: String, _ line: Int, _ message: String) -> TrustSourceError {
    TrustSourceError(
      .damaged, "\(place):\(line)", message, remedy: "compare it with diversions-old beside it and repair it")
  }
}
