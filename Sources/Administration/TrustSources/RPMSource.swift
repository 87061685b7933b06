// Owns what an RPM database says of the files of its packages: the question to rpm(8), and its answer as a report.
// It must not read those files, nor rpm's database itself.

/// The packages that rpm installed below a root.
public struct RPMSource: Sendable {
  public let root: String
  /// Where the database is looked for, the likelier folder first; as the host sees them.
  private let folders: [String]

  private static let program = "/usr/bin/rpm"
  private static let databases = ["rpmdb.sqlite", "Packages.db", "Packages"]
  private static let largestAnswer = 1 << 30

  /// Without a database folder those are tried that distributions use.
  public init(root: String = "/", databaseFolder: String? = nil) {
    let base = root.hasSuffix("/") ? String(root.dropLast()) : root
    self.root = root
    folders = databaseFolder.map { [$0] } ?? ["\(base)/usr/lib/sysimage/rpm", "\(base)/var/lib/rpm"]
  }

  /// Whether this host has rpm and a database of it.
  public static var isPresent: Bool { RPMSource().isPresent }

  /// Whether there is a database, and the program that reads it.
  public var isPresent: Bool { isFile(Array(Self.program.utf8)) && folder != nil }

  /// rpm would make an empty database where there is none.
  private var folder: String? {
    folders.first { folder in Self.databases.contains { isFile(Array("\(folder)/\($0)".utf8)) } }
  }

  /// Reads the database: what its packages laid on the host and still should lie there.
  public func read() throws(TrustSourceError) -> SourceReport {
    guard let folder else {
      throw TrustSourceError(
        .missing, folders.joined(separator: ", "), "no RPM database",
        remedy: "name its folder, or leave this source out")
    }
    // A file that is replaced or left out by choice has a state of its own; quotes frame what may hold any byte.
    let format =
      "[%{=NAME:shescape} %{=NEVRA:shescape} %{=FILEDIGESTALGO} %{LONGFILESIZES} %{FILEMODES} %{FILEFLAGS} "
      + "%{FILESTATES} %{FILEDIGESTS:shescape} %{FILENAMES:shescape}\\n]"
    let path = String(decoding: try canonicalFolder(Array(folder.utf8)), as: UTF8.self)
    let answer = try ProgramOutput.of(
      Self.program, ["--dbpath", path, "-qa", "--qf", format], limit: Self.largestAnswer)
    guard let files = RPMFileList.parse(answer) else {
      throw TrustSourceError(
        .damaged, "rpm -qa", "its answer has another form than expected", remedy: "run rpm -qa and rpm --rebuilddb")
    }
    return try report(files)
  }

  private func report(_ files: [RPMFileList.File]) throws(TrustSourceError) -> SourceReport {
    var report = SourceReport()
    let resolver = try FolderResolver(root: root)
    var packages: Set<[UInt8]> = []
    var known: [PathKey: Int] = [:]
    var unproven = Tally()
    var weak = Tally()
    for file in files {
      packages.insert(file.identity)
      guard file.isRegular, !file.isGhost, file.isInstalled else { continue }
      guard let listed = PathText.absolute(file.path[...]), listed.count > 1, let place = resolver.place(of: listed)
      else {
        report.findings.append(
          SourceFinding(
            .damagedLine, package: file.package, path: file.path, "not a path that can be a file's",
            remedy: "install the package again"))
        continue
      }
      if file.proof == .none {
        report.withoutChecksum += 1
        if file.hasDigest { weak.add(file.package) } else { unproven.add(file.package) }
      }
      add(
        TrustItem(
          path: place, listedPath: listed, size: file.size, proof: file.proof, origin: file.package,
          isConffile: file.isConfig), &known, &report)
    }
    report.packageCount = packages.count
    report.findings += weak.findings(.weakChecksum) { "\($0) of its files have a checksum other than SHA-256" }
    report.findings += unproven.findings(.withoutChecksum) { "\($0) of its files have no checksum" }
    return report
  }

  /// Several packages may own a file as long as they agree about it.
  private func add(_ item: TrustItem, _ known: inout [PathKey: Int], _ report: inout SourceReport) {
    if let index = known[PathKey(item.path)] {
      if report.items[index].proof == item.proof { return }
      report.findings.append(
        SourceFinding(
          .contradiction, package: item.origin, path: item.path,
          "\(PathText.shown(report.items[index].origin)) has another content for it",
          remedy: "install the one that should have it again"))
    } else {
      known[PathKey(item.path)] = report.items.count
    }
    report.items.append(item)
  }

  /// Files counted by package, in the order in which the packages came.
  private struct Tally {
    private var counts: [[UInt8]: Int] = [:]
    private var order: [[UInt8]] = []

    mutating func add(_ package: [UInt8]) {
      if counts[package] == nil { order.append(package) }
      counts[package, default: 0] += 1
    }

    func findings(_ kind: SourceFinding.Kind, _ message: (Int) -> String) -> [SourceFinding] {
      order.map { package in
        let count = counts[package, default: 0]
        return SourceFinding(
          kind, package: package, count: count, message(count),
          remedy: "vouch for those that must run with liliumctl trust add")
      }
    }
  }
}
