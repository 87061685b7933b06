// Owns the few fields of a package's control file (deb-control(5)) that name it.
// It must not know where the file came from.

struct ControlFields: Hashable {
  var package: [UInt8]
  var version: [UInt8]
  var architecture: [UInt8]
  var isMultiArchSame: Bool

  /// Of several fields with one name dpkg takes none.
  init(_ text: [UInt8]) throws(ArchiveFault) {
    var fields: [[UInt8]: [UInt8]] = [:]
    for line in ByteLines(text) {
      // A line that goes on begins with a blank; no field that is looked for has one.
      guard line.first != 0x20, line.first != 0x09, let colon = line.firstIndex(of: 0x3a) else { continue }
      let name = line[..<colon].map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }
      guard fields.updateValue(Self.trimmed(line[(colon + 1)...]), forKey: name) == nil else {
        throw ArchiveFault(message: "its control file has the field \(PathText.shown(name)) twice")
      }
    }
    let field = { (name: String) in fields[Array(name.utf8)] ?? [] }
    package = field("package")
    version = field("version")
    architecture = field("architecture")
    isMultiArchSame = field("multi-arch").elementsEqual("same".utf8)
    guard DpkgPackages.isName(package[...]) else { throw ArchiveFault(message: "its control file names no package") }
    guard !architecture.isEmpty, DpkgPackages.isArchitecture(architecture[...]) else {
      throw ArchiveFault(message: "its control file names no architecture")
    }
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0d }
    let begun = text.drop(while: isBlank)
    return Array(begun.prefix((begun.lastIndex { !isBlank($0) } ?? begun.startIndex - 1) - begun.startIndex + 1))
  }
}
