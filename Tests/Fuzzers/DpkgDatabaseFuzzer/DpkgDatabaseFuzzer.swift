// Fuzzes the texts of package databases: the first byte chooses the text, the rest is its content.
// libFuzzer calls it; a broken promise traps.

@testable import TrustSources

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  guard count > 0, let data else { return 0 }
  let text = Array(UnsafeBufferPointer(start: data + 1, count: count - 1))
  switch data[0] % 6 {
  case 0: list(text)
  case 1: checksums(text)
  case 2: diversions(text)
  case 3: packages(text)
  case 4: rpm(text)
  default: control(text)
  }
  return 0
}

private func lineCount(_ text: [UInt8]) -> Int { text.count { $0 == 0x0a } + 1 }

private func check(path: [UInt8]) { precondition(PathText.fault(path) == nil, "a path can be a file's") }

private func check(_ findings: [SourceFinding]) {
  for finding in findings {
    precondition(!finding.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }, "fit to print")
  }
}

private func list(_ text: [UInt8]) {
  var findings: [SourceFinding] = []
  let paths = DpkgLists.paths(text, place: "list", package: [0x70], &findings)
  precondition(paths.count + findings.count <= lineCount(text), "a path is one line")
  paths.forEach(check(path:))
  check(findings)
}

private func checksums(_ text: [UInt8]) {
  var findings: [SourceFinding] = []
  let sums = DpkgLists.checksums(text, place: "md5sums", package: [0x70], &findings)
  precondition(sums.count + findings.count <= lineCount(text), "a checksum is one line")
  for (path, md5) in sums {
    check(path: path.bytes)
    precondition(md5.count == 16)
  }
  check(findings)
}

private func diversions(_ text: [UInt8]) {
  guard let table = try? DiversionTable(text, place: "diversions") else { return }
  precondition(table.count <= lineCount(text) / 3 + 1, "a diversion has three lines")
  for line in ByteLines(text) {
    guard let path = PathText.absolute(line), path.count > 1 else { continue }
    check(path: table.name(of: path, from: [0x70]))
  }
}

private func packages(_ text: [UInt8]) {
  var findings: [SourceFinding] = []
  for package in DpkgPackages.parse(text, &findings) {
    for name in package.infoNames { precondition(!name.isEmpty && !name.contains(0x2f), "a name is no path") }
    for conffile in package.conffiles {
      check(path: conffile.path)
      precondition(conffile.md5 == nil || conffile.md5?.count == 16)
    }
  }
  check(findings)
}

private func rpm(_ text: [UInt8]) {
  for file in RPMFileList.parse(text) ?? [] {
    if case .sha256(let hash) = file.proof { precondition(hash.count == 32 && file.hasDigest) }
    precondition(file.path.count < text.count)
  }
}

private func control(_ text: [UInt8]) {
  guard let fields = try? ControlFields(text) else { return }
  precondition(!fields.package.isEmpty && !fields.package.contains(0x2f) && !fields.architecture.contains(0x2f))
  precondition(!fields.version.contains(0x0a))
}
