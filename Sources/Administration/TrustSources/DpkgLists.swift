// Owns the two texts that dpkg keeps for each package: the names of its files and their checksums.
// It must not look at the files that they name.

enum DpkgLists {
  /// More than any package's list; such a file is not read.
  static let largest = 256 << 20

  /// A list (`/.`, `/usr`, `/usr/bin/x`, one a line), in its order, made absolute. The root itself is left out.
  static func paths(
    _ text: [UInt8], place: String, package: [UInt8], _ findings: inout [SourceFinding]
  ) -> [[UInt8]] {
    var paths: [[UInt8]] = []
    for (index, line) in ByteLines(text).enumerated() {
      guard line.first == 0x2f, let path = PathText.absolute(line) else {
        findings.append(damaged(place, index, package, "not an absolute path that can be a file's"))
        continue
      }
      if path.count > 1 { paths.append(path) }
    }
    return paths
  }

  /// Checksums (deb-md5sums(5): MD5, two blanks, a path below the root), by absolute path. Of two lines for one path
  /// the last one counts, as it does for dpkg.
  static func checksums(
    _ text: [UInt8], place: String, package: [UInt8], _ findings: inout [SourceFinding]
  ) -> [PathKey: [UInt8]] {
    var checksums: [PathKey: [UInt8]] = [:]
    checksums.reserveCapacity(text.count / 80)
    for (index, line) in ByteLines(text).enumerated() {
      guard line.count > 34, let md5 = Hexadecimal.bytes(line.prefix(32), count: 16),
        line.dropFirst(32).prefix(2).elementsEqual([0x20, 0x20]),
        let path = PathText.absolute(line.dropFirst(34)), path.count > 1
      else {
        findings.append(damaged(place, index, package, "not an MD5, two blanks and a path"))
        continue
      }
      checksums[PathKey(path)] = md5
    }
    return checksums
  }

  private static func damaged(_ place: String, _ index: Int, _ package: [UInt8], _ message: String) -> SourceFinding {
    SourceFinding(
      .damagedLine, package: package, place: "\(place):\(index + 1)", message,
      remedy: "install the package again (apt-get install --reinstall)")
  }
}
