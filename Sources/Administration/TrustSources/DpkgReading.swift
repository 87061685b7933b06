// Owns one pass over a dpkg database: package by package, into one report.
// It must not decide which packages are read.

internal import SystemCalls

final class DpkgReading {
  var report = SourceReport()
  /// Every name in dpkg's info folder.
  var infoFiles: Set<[UInt8]> = []
  let infoFolder: [UInt8]
  private let resolver: FolderResolver
  private let diversions: DiversionTable
  private let protection: SourceProtection
  /// The first item of each path.
  private var known: [PathKey: Int] = [:]

  private static let scripts = ["preinst", "postinst", "prerm", "postrm", "config"].map { Array($0.utf8) }

  init(folder: [UInt8], resolver: FolderResolver, diversions: DiversionTable, protection: SourceProtection) {
    infoFolder = folder + Array("/info".utf8)
    self.resolver = resolver
    self.diversions = diversions
    self.protection = protection
  }

  func read(_ package: DpkgPackage) {
    if package.state.hasScripts { addScripts(of: package) }
    guard package.state.hasFiles else { return }
    report.packageCount += 1
    if package.state.isBroken {
      find(
        .incomplete, package, "its installation was broken off, so its files may be those of another version",
        remedy: "run dpkg --configure --pending, or install it again")
    }
    guard let list = text("list", of: package) else {
      find(
        .listMissing, package, "the list of its files is not there",
        remedy: "install it again (apt-get install --reinstall)")
      return
    }
    let paths = DpkgLists.paths(list.bytes, place: list.place, package: package.shownName, &report.findings)
    let sums = text("md5sums", of: package)
    let checksums =
      sums.map { DpkgLists.checksums($0.bytes, place: $0.place, package: package.shownName, &report.findings) } ?? [:]
    addFiles(paths, checksums, of: package, hasList: sums != nil)
  }

  // MARK: Files

  private func addFiles(_ paths: [[UInt8]], _ checksums: [PathKey: [UInt8]], of package: DpkgPackage, hasList: Bool) {
    let conffiles = Dictionary(package.conffiles.map { (PathKey($0.path), $0.md5) }, uniquingKeysWith: { $1 })
    report.items.reserveCapacity(report.items.count + checksums.count)
    var unproven = 0
    for path in paths {
      let key = PathKey(path)
      let conffile = conffiles.isEmpty ? nil : conffiles[key]
      // What dpkg keeps for a conffile is what the package brought, whatever the administrator made of it.
      let md5 = conffile.flatMap { $0 } ?? checksums[key]
      if md5 == nil, conffile == nil, resolver.isKnownFolder(path) { continue }
      let name = diversions.name(of: path, from: package.name)
      guard let place = resolver.place(of: name) else {
        find(
          .damagedLine, package, path: path, "the links among its folders have no end",
          remedy: "look at them with namei -l")
        continue
      }
      if md5 == nil {
        guard isFile(place) else { continue }
        unproven += 1
      }
      if name != path { addDiversion(of: path, to: name, package) }
      add(
        TrustItem(
          path: place, listedPath: path, proof: md5.map { .md5($0) } ?? .none, origin: package.shownName,
          isConffile: conffile != nil), of: package)
    }
    guard unproven > 0 else { return }
    report.withoutChecksum += unproven
    find(
      .withoutChecksum, package, count: unproven,
      hasList ? "\(unproven) of its files have no checksum" : "it has no checksums, and \(unproven) files",
      remedy: "vouch for those that must run with liliumctl trust add")
  }

  private func addDiversion(of path: [UInt8], to name: [UInt8], _ package: DpkgPackage) {
    report.diverted += 1
    find(
      .diverted, package, path: path, "diverted to \(PathText.shown(name))",
      remedy: "dpkg-divert --list names who did it")
  }

  /// Several packages may own a file as long as they agree about it (Multi-Arch: same).
  private func add(_ item: TrustItem, of package: DpkgPackage) {
    if let index = known[PathKey(item.path)] {
      if report.items[index].proof == item.proof { return }
      let other = PathText.shown(report.items[index].origin)
      find(
        .contradiction, package, path: item.path, "\(other) has another content for it",
        remedy: "install the one that should have it again")
    } else {
      known[PathKey(item.path)] = report.items.count
    }
    report.items.append(item)
  }

  // MARK: dpkg's own files

  private func addScripts(of package: DpkgPackage) {
    for infoName in package.infoNames {
      for script in Self.scripts {
        let name = infoName + [0x2e] + script
        guard infoFiles.contains(name) else { continue }
        let path = infoFolder + [0x2f] + name
        add(
          TrustItem(
            path: path, listedPath: path, proof: .none, origin: package.shownName, isMaintainerScript: true),
          of: package)
      }
    }
  }

  /// A text of the info folder, or nil where the package has none that can be believed.
  private func text(_ suffix: String, of package: DpkgPackage) -> (bytes: [UInt8], place: String)? {
    for infoName in package.infoNames {
      let name = infoName + [0x2e] + Array(suffix.utf8)
      guard infoFiles.contains(name) else { continue }
      let path = infoFolder + [0x2f] + name
      do throws(TrustSourceError) {
        return (try ProtectedFile.read(path, limit: DpkgLists.largest, protection), PathText.shown(path))
      } catch {
        report.findings.append(
          SourceFinding(
            error.kind == .notProtected ? .notProtected : .listMissing, package: package.shownName, place: error.place,
            error.message, remedy: error.remedy))
        return nil
      }
    }
    return nil
  }

  private func find(
    _ kind: SourceFinding.Kind, _ package: DpkgPackage, path: [UInt8] = [], count: Int = 1, _ message: String,
    remedy: String
  ) {
    report.findings.append(
      SourceFinding(kind, package: package.shownName, path: path, count: count, message, remedy: remedy))
  }
}

/// Whether a regular file lies there; a link is none.
func isFile(_ path: [UInt8]) -> Bool {
  (try? FileStatus.of(path: PathBytes(path), followingLinks: false))?.isRegular ?? false
}
