// Owns changing a trust file: whole lines come and go, all others stay as they are.
// It must not decide what is trusted: its caller names the entries.

extension TrustFile {
  /// What became of a file.
  public struct Change: Sendable, Hashable {
    public let added: Int
    public let removed: Int
  }

  /// Adds entries that are not there yet, at the end, after taking away the lines for which `removing` is true;
  /// comments and other lines stay. A missing file is begun; one with an error is left alone, and its first error is
  /// thrown. The file is replaced whole, or not at all; two editors wait for one another.
  public static func edit(
    _ path: String, adding: [Entry] = [], removing: (Entry) -> Bool = { _ in false },
    protection: SourceProtection = .ofThisProcess
  ) throws(TrustSourceError) -> Change {
    let replacement = try FileReplacement(path, protection)
    let old: [UInt8]
    do { old = try ProtectedFile.read(Array(path.utf8), limit: largestFile, protection) } catch {
      guard error.kind == .missing else { throw error }
      old = heading
    }
    let (file, errors) = parse(old, name: PathText.shown(Array(path.utf8)))
    guard let file else { throw errors[0] }
    let gone = Set(file.lines.filter { removing($0.entry) }.map(\.number))
    var present = Set(file.lines.filter { !gone.contains($0.number) }.map(\.entry))
    let new = adding.filter { present.insert($0).inserted }
    guard !gone.isEmpty || !new.isEmpty else { return Change(added: 0, removed: 0) }
    try replacement.commit(text(old, without: gone, with: new))
    return Change(added: new.count, removed: gone.count)
  }

  /// The canonical text of these entries, in their order.
  public static func text(of entries: [Entry]) -> [UInt8] {
    var text: [UInt8] = []
    for entry in entries { text += entry.line + [0x0a] }
    return text
  }

  private static let heading = Array(
    "# What the administrator vouches for; see liliumctl(8). One entry a line: PATH SIZE SHA256\n".utf8)

  private static func text(_ old: [UInt8], without gone: Set<Int>, with new: [Entry]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(old.count + 128 * new.count)
    for (index, line) in ByteLines(old).enumerated() where !gone.contains(index + 1) {
      text += line
      text.append(0x0a)
    }
    return text + self.text(of: new)
  }
}
