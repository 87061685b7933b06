// Owns which rule files count: order, overriding, masking, names, permissions, identity.

import Configuration
import Glibc
import PolicyLanguage
import SystemCalls
import Testing

@Suite struct RuleFilesTests {
  let vendor = Folder()
  let site = Folder()

  private func load(trust: FileTrust = .anyOwner) -> RuleFiles {
    RuleFiles.load(from: [vendor.path, site.path], trust: trust)
  }

  @Test func sortedByNameOverAllFolders() throws {
    try vendor.write("50-b.rules")
    try site.write("10-z.rules")
    try vendor.write("99-a.rules")
    try site.write("50-a.rules")
    let files = load()
    #expect(files.sources.map(\.file) == ["10-z.rules", "50-a.rules", "50-b.rules", "99-a.rules"])
    #expect(files.findings == [])
  }

  @Test func aLaterFolderReplacesAndMasks() throws {
    try vendor.write("50-a.rules", "vendor")
    try vendor.write("60-b.rules", "vendor")
    try site.write("50-a.rules", "site")
    site.link("60-b.rules", to: "/dev/null")
    let files = load()
    #expect(files.sources.map(\.path) == ["\(site.path)/50-a.rules"])
    #expect(files.sources.map(\.bytes) == [Array("site".utf8)])
    #expect(files.findings == [])
  }

  @Test(arguments: ["50-a.rules", "00-A_b.c-9.rules"])
  func namesThatCount(_ name: String) throws {
    try site.write(name)
    #expect(load().sources.map(\.file) == [name])
  }

  @Test(arguments: [
    "a.rules", "5-a.rules", "50-.rules", "50-a b.rules", "50-é.rules", "50-a.rule", "50a.rules", "README",
  ])
  func otherNamesAreIgnoredWithAWarning(_ name: String) throws {
    try site.write(name)
    let files = load()
    #expect(files.sources.isEmpty)
    #expect(files.findings.map(\.severity) == [.warning])
  }

  @Test(arguments: ["50-a.rules~", "50-a.rules.dpkg-old", "50-a.rules.dpkg-dist", ".50-a.rules.swp", "#50-a.rules#"])
  func backupsAreIgnoredInSilence(_ name: String) throws {
    try site.write(name)
    let files = load()
    #expect(files.sources.isEmpty)
    #expect(files.findings == [])
  }

  @Test(arguments: [0o664, 0o646] as [UInt32])
  func aFileThatOthersCanWriteIsRefused(_ mode: UInt32) throws {
    try site.write("50-a.rules", mode: mode)
    let files = load()
    #expect(files.sources.isEmpty)
    #expect(files.findings.map(\.message) == ["must not be writable by group or others"])
    #expect(load(trust: .anyone).findings == [])
  }

  @Test func aFolderThatOthersCanWriteIsRefused() throws {
    chmod(site.path, 0o777)
    try vendor.write("50-a.rules")
    let files = load()
    #expect(files.findings.map(\.path) == [site.path])
    #expect(files.findings.hasErrors)
  }

  @Test(.enabled(if: geteuid() == 0)) func anotherOwnersFileIsRefused() throws {
    try site.write("50-a.rules")
    chown("\(site.path)/50-a.rules", 1234, 1234)
    #expect(load(trust: .rootAlone).findings.map(\.message) == ["must be owned by root, not by uid 1234"])
    #expect(load(trust: .anyOwner).findings == [])
  }

  @Test func onlyRegularFilesCount() throws {
    mkfifo("\(site.path)/50-fifo.rules", 0o600)
    site.link("60-dangling.rules", to: "/nonexistent")
    site.link("70-folder.rules", to: "/usr")
    let files = load()
    #expect(files.sources.isEmpty)
    #expect(
      files.findings.map(\.message) == ["not a regular file", "a link that leads nowhere", "not a regular file"])
  }

  @Test func aLargeFileIsRefused() throws {
    try site.write("50-a.rules", String(repeating: "#", count: 1 << 20))
    #expect(load().findings == [])
    try site.write("50-a.rules", String(repeating: "#", count: (1 << 20) + 1))
    #expect(load().findings.map(\.message) == ["larger than 1 MiB"])
  }

  @Test func aNamedFolderMustExist() {
    let files = RuleFiles.load(from: ["/nonexistent/rules.d"], trust: .anyone)
    #expect(files.findings.hasErrors)
    #expect(files.findings.first?.path == "/nonexistent/rules.d")
  }

  /// Computed with sha256sum over the bytes that the identity is defined by.
  @Test func theIdentityIsTheDigestOfNamesAndContents() throws {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    #expect(load().identity == empty)
    try vendor.write("50-a.rules", "deny exec\n")
    #expect(load().identity == "44cfea3075e6c7e3d868586e4c055fc326f4e3eaefc4abf1060c41bd732a7d06")
  }

  @Test func theIdentityTellsNamesAndContentsApart() throws {
    try vendor.write("50-a.rules", "x")
    let first = load().identity
    try vendor.write("50-a.rules", "y")
    let second = load().identity
    try site.write("50-a.rules", "x")
    #expect(load().identity == first)
    site.link("50-a.rules2", to: "/dev/null")
    try site.write("51-a.rules", "")
    #expect(Set([first, second, load().identity]).count == 3)
  }
}

@Suite struct ConfigurationFileTests {
  let folder = Folder()

  @Test func aNamedFileMustExist() {
    let (configuration, findings) = Configuration.load(path: "\(folder.path)/none.toml")
    #expect(configuration == nil)
    #expect(findings.first?.rendered.hasPrefix("\(folder.path)/none.toml: error: no such file\n") == true)
  }

  @Test func permissionsAndKind() throws {
    try folder.write("w.toml", mode: 0o666)
    let path = "\(folder.path)/w.toml"
    let messages = { (path: String) in Configuration.load(path: path, trust: .anyOwner).findings.map(\.message) }
    #expect(messages(path) == ["must not be writable by group or others"])
    #expect(messages(folder.path) == ["not a regular file"])
    try folder.write("w.toml", String(repeating: "#", count: (1 << 20) + 1))
    #expect(messages(path) == ["larger than 1 MiB"])
  }

  @Test func noFileAtTheDefaultPathMeansDefaults() throws {
    guard access(Configuration.defaultPath, F_OK) != 0 else { return }
    #expect(Configuration.load().configuration == Configuration())
  }
}
