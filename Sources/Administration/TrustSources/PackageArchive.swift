// Owns reading a .deb (deb(5)): every file that it brings, by content, and every script that it runs.
// It must not unpack anything, and reads as a stream: what is kept grows with the number of members alone.

internal import ContentDigest
internal import SystemCalls

public enum PackageArchive {
  /// Reads the whole archive. What dpkg would not unpack is an error, and so is what no package is as large as.
  public static func contents(of path: String) throws(TrustSourceError) -> PackageContents {
    // Whoever wrote the archive, root is about to install it: it only has to be a file.
    let bytes = Array(path.utf8)
    let file = try ProtectedFile.openRegular(bytes, 0) { _ in nil }
    do throws(ArchiveFault) { return try contents(of: file) } catch {
      throw TrustSourceError(
        .damaged, PathText.shown(bytes), "not a package that dpkg would unpack: \(error.message)",
        remedy: "look at it with dpkg-deb --info, and fetch it again")
    }
  }

  /// Limits that no package comes near, so that a hostile archive ends before it fills memory or time.
  enum Limit {
    static let members = 4_000_000
    /// All names together, in bytes.
    static let names = 256 << 20
    /// All contents together, in bytes.
    static let content: UInt64 = 64 << 30
    static let control: UInt64 = 64 << 20
    static let controlFile = 1 << 20
  }

  private static func contents(of file: consuming Descriptor) throws(ArchiveFault) -> PackageContents {
    let archive = try ArchiveReader(ar: file)
    try readVersion(archive)
    try enter("control.tar", archive)
    let control = try readControl(ArchiveReader(tarIn: archive))
    try enter("data.tar", archive)
    let files = try readFiles(ArchiveReader(tarIn: archive))
    return PackageContents(
      package: control.fields.package, version: control.fields.version, architecture: control.fields.architecture,
      isMultiArchSame: control.fields.isMultiArchSame, files: files, scripts: control.scripts)
  }

  /// The first member says which format it is: 2 with any minor number.
  private static func readVersion(_ archive: ArchiveReader) throws(ArchiveFault) {
    guard let first = try archive.next(), first.name == Array("debian-binary".utf8) else {
      throw ArchiveFault(message: "it does not begin with debian-binary")
    }
    let version = try small(archive, limit: 1024)
    guard version.starts(with: "2.".utf8) else { throw ArchiveFault(message: "a format other than 2") }
  }

  /// Goes to the member of this name, whatever compression its ending names; those that begin with `_` may come before.
  private static func enter(_ name: String, _ archive: ArchiveReader) throws(ArchiveFault) {
    while let member = try archive.next() {
      if member.name?.first == 0x5f { continue }
      if let found = member.name, found.starts(with: name.utf8) { return }
      break
    }
    throw ArchiveFault(message: "\(name) is not where it should be")
  }

  // MARK: control.tar

  private static func readControl(
    _ archive: ArchiveReader
  ) throws(ArchiveFault) -> (fields: ControlFields, scripts: [PackageContents.Script]) {
    var fields: ControlFields?
    var scripts: [PackageContents.Script] = []
    var hasher = try MemberHasher(limit: Limit.control)
    while let member = try archive.next() {
      try hasher.count(member)
      guard case .file = member.kind, let name = member.name, let path = PathText.absolute(name[...]) else { continue }
      if path.elementsEqual("/control".utf8) {
        fields = try ControlFields(try small(archive, limit: Limit.controlFile))
      } else {
        let (size, sha256) = try hasher.hash(archive)
        let name = String(decoding: path.dropFirst(), as: UTF8.self)
        guard scriptNames.contains(name) else { continue }
        scripts.append(PackageContents.Script(name: name, size: size, sha256: sha256))
      }
    }
    guard let fields else { throw ArchiveFault(message: "control.tar has no control file") }
    return (fields, scripts)
  }

  private static let scriptNames: Set<String> = ["preinst", "postinst", "prerm", "postrm", "config"]

  private static func small(_ archive: ArchiveReader, limit: Int) throws(ArchiveFault) -> [UInt8] {
    var content: [UInt8] = []
    _ = try archive.readContent { (piece: UnsafeRawBufferPointer) throws(ArchiveFault) in
      content.append(contentsOf: piece)
      if content.count > limit { throw ArchiveFault(message: "a member has more than \(limit) bytes") }
    }
    return content
  }

  // MARK: data.tar

  private static func readFiles(_ archive: ArchiveReader) throws(ArchiveFault) -> [PackageContents.File] {
    var files: [PackageContents.File] = []
    var known: [[UInt8]: Int] = [:]
    var hasher = try MemberHasher(limit: Limit.content)
    while let member = try archive.next() {
      try hasher.count(member)
      if case .other = member.kind { continue }
      let path = try unpackedPath(member.name)
      switch member.kind {
      case .file:
        let (size, sha256) = try hasher.hash(archive)
        files.append(PackageContents.File(path: path, size: size, sha256: sha256))
      case .hardLink(let name):
        // dpkg links to what it has unpacked already.
        guard let index = known[try unpackedPath(name)] else {
          throw ArchiveFault(message: "\(PathText.shown(path)) is a link to a file that does not come before it")
        }
        files.append(PackageContents.File(path: path, size: files[index].size, sha256: files[index].sha256))
      case .other: continue
      }
      known[path] = files.count - 1
    }
    return files
  }

  /// The absolute path that dpkg unpacks a name to.
  private static func unpackedPath(_ name: [UInt8]?) throws(ArchiveFault) -> [UInt8] {
    guard let name else { throw ArchiveFault(message: "a member without a name") }
    guard let path = PathText.absolute(name[...]), path.count > 1, !path.contains(0x0a) else {
      throw ArchiveFault(message: "a file cannot be named \(PathText.shown(name))")
    }
    return path
  }
}

/// Hashes members and keeps to the limits of one archive.
private struct MemberHasher {
  private let digester: Digester
  private let limit: UInt64
  private var content: UInt64 = 0
  private var members = 0
  private var names = 0

  init(limit: UInt64) throws(ArchiveFault) {
    self.limit = limit
    do throws(DigestError) { digester = try Digester(.sha256) } catch { throw ArchiveFault(message: "\(error)") }
  }

  mutating func count(_ member: ArchiveMember) throws(ArchiveFault) {
    if member.isPax { throw ArchiveFault(message: "tar headers of the POSIX interchange format") }
    members += 1
    names += member.name?.count ?? 0
    guard members <= PackageArchive.Limit.members else { throw ArchiveFault(message: "too many members") }
    guard names <= PackageArchive.Limit.names else { throw ArchiveFault(message: "names too long") }
  }

  mutating func hash(_ archive: ArchiveReader) throws(ArchiveFault) -> (size: UInt64, sha256: [UInt8]) {
    digester.reset()
    let size = try archive.readContent { (piece: UnsafeRawBufferPointer) throws(ArchiveFault) in
      digester.update(piece)
      content += UInt64(piece.count)
      if content > limit { throw ArchiveFault(message: "contents of more than \(limit) bytes") }
    }
    do throws(DigestError) { return (size, try digester.finish()) } catch { throw ArchiveFault(message: "\(error)") }
  }
}
