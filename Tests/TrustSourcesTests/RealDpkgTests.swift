// Owns the comparison with this machine's own dpkg database, and with what dpkg itself says of the files.

import ContentDigest
import Foundation
import SystemCalls
import Testing

@testable import TrustSources

private let hasDpkg = isThere("/usr/bin/dpkg") && DpkgSource().isPresent

@Suite(.enabled(if: hasDpkg, "this machine has no dpkg")) struct RealDpkgTests {
  private static let report = Result { try DpkgSource().read() }

  @Test func everyChecksumOfAListedFileIsAnItem() throws {
    let report = try Self.report.get()
    let count = text(try run("/bin/sh", "-c", "cat /var/lib/dpkg/info/*.md5sums | wc -l"))
    let lines = try #require(Int(count.trimmingCharacters(in: .whitespacesAndNewlines)))
    let packages = text(try run("/usr/bin/dpkg-query", "-W", "-f=${db:Status-Status}\n")).split(separator: "\n")
    #expect(report.packageCount == packages.count { $0 != "not-installed" && $0 != "config-files" })
    // Files that other packages share or took over are fewer than one in a hundred.
    let proven = report.items.count { $0.proof != .none && !$0.isConffile }
    #expect(proven <= lines && proven > lines * 99 / 100)
    let scripts = try FileManager.default.contentsOfDirectory(atPath: "/var/lib/dpkg/info").filter {
      ["preinst", "postinst", "prerm", "postrm", "config"].contains(($0 as NSString).pathExtension)
    }
    #expect(Set(scripts.map { "/var/lib/dpkg/info/\($0)" }) == Set(scriptPaths(report)))
    #expect(!report.findings.contains { $0.kind == .damagedLine || $0.kind == .notProtected })
  }

  private func scriptPaths(_ report: SourceReport) -> [String] {
    report.items.filter(\.isMaintainerScript).map { text($0.path) }
  }

  @Test func pathsAreCanonicalAndFollowNoLinkOfAFolder() throws {
    let report = try Self.report.get()
    var folders: Set<String> = []
    for item in report.items { folders.insert(text(item.path[..<item.path.lastIndex(of: 0x2f)!])) }
    for folder in folders where FileManager.default.fileExists(atPath: folder) {
      let found = try canonicalPath(PathBytes(folder.isEmpty ? "/" : folder)).description
      #expect(found == (folder.isEmpty ? "/" : folder))
    }
    if let bash = report.items.first(where: { $0.listedPath == bytes("/bin/bash") }) {
      #expect(text(bash.path) == "/usr/bin/bash" || (try? readLink("/bin")) == nil)
    }
  }

  /// What differs from its checksum, or is missing, is exactly what `dpkg --verify` names.
  @Test func contentsAreWhatDpkgVerifySays() throws {
    let report = try Self.report.get()
    let packages = Set(report.items.map { text($0.origin) }).sorted()
    let chosen = Set(packages.enumerated().filter { $0.offset % 20 == 3 }.map(\.element))
      .union(["bash", "dash", "dpkg", "libc6:amd64", "libpq-dev", "vim-runtime"].filter(packages.contains))
    let items = report.items.filter { chosen.contains(text($0.origin)) }
    let digester = try FileDigester([.md5])
    var different: Set<String> = []
    for item in items {
      guard case .md5(let expected) = item.proof else { continue }
      if try !isContent(item.path, expected, digester) { different.insert(text(item.listedPath)) }
    }
    let lines = text(try run("/usr/bin/dpkg", ["--verify"] + chosen.sorted(), status: nil)).split(separator: "\n")
    let named = Set(lines.compactMap { line in line.firstIndex(of: "/").map { String(line[$0...]) } })
    // dpkg calls a missing folder or link missing as well; those are no items.
    #expect(named.intersection(items.map { text($0.listedPath) }) == different)
    #expect(items.count > 1000)
  }

  private func isContent(_ path: [UInt8], _ md5: [UInt8], _ digester: FileDigester) throws -> Bool {
    guard let file = try? Descriptor.open(PathBytes(path), O_RDONLY | O_NOFOLLOW) else { return false }
    try digester.read(file.rawValue)
    return digester.digests[0] == md5
  }

  @Test func onlyTheNamedPackagesAreRead() throws {
    let report = try DpkgSource().read(packages: ["bash", "no-such-package"])
    #expect(report.packageCount == 1)
    #expect(!report.items.isEmpty && report.items.allSatisfy { text($0.origin) == "bash" })
  }
}
