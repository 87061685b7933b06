// Owns which packages dpkg knows: the question to dpkg-query(1) and its answer.
// It must not read the lists of their files.

/// What dpkg-query tells of a package.
struct DpkgPackage: Hashable {
  /// As dpkg shows it: with the architecture where the name alone says too little.
  var shownName: [UInt8]
  var name: [UInt8]
  var architecture: [UInt8]
  var isMultiArchSame: Bool
  var state: State
  var conffiles: [Conffile] = []

  enum State: String, Hashable {
    case notInstalled = "not-installed"
    case configFiles = "config-files"
    case halfInstalled = "half-installed"
    case unpacked
    case halfConfigured = "half-configured"
    case triggersAwaited = "triggers-awaited"
    case triggersPending = "triggers-pending"
    case installed

    /// Whether its files lie on the host.
    var hasFiles: Bool { self != .notInstalled && self != .configFiles }
    /// Whether dpkg may still run one of its scripts; a removed one's postrm runs when it is purged.
    var hasScripts: Bool { self != .notInstalled }
    /// Whether its files may be those of another version.
    var isBroken: Bool { self == .halfInstalled }
  }

  struct Conffile: Hashable {
    var path: [UInt8]
    /// Nil where dpkg has not recorded it yet.
    var md5: [UInt8]?
  }

  /// How the package's files in dpkg's info folder begin, the likelier name first (dpkg's database format 1 names the
  /// architecture where several may be installed side by side).
  var infoNames: [[UInt8]] {
    let plain = [name]
    return isMultiArchSame ? [name + [0x3a] + architecture] + plain : plain
  }
}

enum DpkgPackages {
  static let program = "/usr/bin/dpkg-query"
  static let largestAnswer = 512 << 20

  /// Every package that dpkg knows under this admin folder.
  static func ask(
    adminFolder: [UInt8], _ findings: inout [SourceFinding]
  ) throws(TrustSourceError) -> [DpkgPackage] {
    // A name and its values stand in a line; the lines of the conffiles begin with a blank.
    let format =
      "${binary:Package}\\t${Package}\\t${Architecture}\\t${Multi-Arch}\\t${db:Status-Status}\\n${Conffiles}\\n"
    let folder = String(decoding: adminFolder, as: UTF8.self)
    let answer = try ProgramOutput.of(
      program, ["--admindir=\(folder)", "-W", "-f=\(format)"], limit: largestAnswer)
    return parse(answer, &findings)
  }

  /// The answer of dpkg-query.
  static func parse(_ answer: [UInt8], _ findings: inout [SourceFinding]) -> [DpkgPackage] {
    var packages: [DpkgPackage] = []
    for (index, line) in ByteLines(answer).enumerated() where !line.isEmpty {
      if line.first == 0x20 {
        guard !packages.isEmpty else {
          damaged(index, &findings)
          continue
        }
        switch conffile(line.dropFirst()) {
        case .some(let conffile?): packages[packages.count - 1].conffiles.append(conffile)
        case .some(nil): break
        case nil: damaged(index, package: packages[packages.count - 1].shownName, &findings)
        }
      } else if let package = package(line) {
        packages.append(package)
      } else {
        damaged(index, &findings)
      }
    }
    return packages
  }

  private static func damaged(_ index: Int, package: [UInt8] = [], _ findings: inout [SourceFinding]) {
    findings.append(
      SourceFinding(
        .damagedLine, package: package, place: "dpkg-query:\(index + 1)", "not a line that dpkg-query prints",
        remedy: "run dpkg --audit and repair what it names"))
  }

  private static func package(_ line: ArraySlice<UInt8>) -> DpkgPackage? {
    let fields = line.split(separator: 0x09, omittingEmptySubsequences: false)
    guard fields.count == 5, isName(fields[1]), fields[0].starts(with: fields[1]), isArchitecture(fields[2]),
      let state = DpkgPackage.State(rawValue: String(decoding: fields[4], as: UTF8.self))
    else { return nil }
    return DpkgPackage(
      shownName: Array(fields[0]), name: Array(fields[1]), architecture: Array(fields[2]),
      isMultiArchSame: fields[3].elementsEqual("same".utf8), state: state)
  }

  /// A name becomes part of a file's name, so it has neither slash nor anything else that a package's name has not
  /// (deb-control(5)).
  static func isName(_ name: ArraySlice<UInt8>) -> Bool {
    guard let first = name.first, isAlphanumeric(first) else { return false }
    return name.allSatisfy { isAlphanumeric($0) || $0 == 0x2b || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f }
  }

  /// Empty for a package that was never installed.
  static func isArchitecture(_ name: ArraySlice<UInt8>) -> Bool {
    name.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: false
    }
  }

  /// `PATH MD5 [obsolete] [remove-on-upgrade]`, read from its end, since a path may hold blanks. `.some(nil)` for one
  /// that is to go; nil for what is no such line.
  private static func conffile(_ line: ArraySlice<UInt8>) -> DpkgPackage.Conffile?? {
    var rest = line
    while let blank = rest.lastIndex(of: 0x20) {
      let word = rest[(blank + 1)...]
      rest = rest[..<blank]
      if word.elementsEqual("remove-on-upgrade".utf8) { return .some(nil) }
      if word.elementsEqual("obsolete".utf8) { continue }
      let md5 = Hexadecimal.bytes(word, count: 16)
      guard md5 != nil || word.elementsEqual("newconffile".utf8), rest.first == 0x2f,
        let path = PathText.absolute(rest), path.count > 1
      else { return nil }
      return .some(DpkgPackage.Conffile(path: path, md5: md5))
    }
    return nil
  }
}
