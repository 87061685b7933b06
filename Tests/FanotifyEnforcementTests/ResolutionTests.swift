// Which folders and files the protected paths name now, in a temporary folder.

import AccessModel
import Glibc
import SystemCalls
import Testing

@testable import FanotifyEnforcement

@Suite struct ResolutionTests {
  private let folder = Tree()

  private func resolve(_ paths: ProtectedPath...) -> Resolution {
    var resolution = Resolution()
    for path in paths { resolution.resolve(path) }
    return resolution
  }

  /// The names of the files below the temporary folder, and the folders that are watched.
  private func found(_ path: ProtectedPath) -> (files: [String], folders: [String]) {
    let resolution = resolve(path)
    return (resolution.files.map { below($0.path) }.sorted(), resolution.folders.map(below).sorted())
  }

  private func below(_ path: PathBytes) -> String {
    let text = path.description
    return text.hasPrefix(folder.path) ? String(text.dropFirst(folder.path.count)) : text
  }

  @Test func aFileIsItselfAndItsFolderIsWatched() throws {
    try folder.file("a/key")
    try folder.file("a/key.bak")
    #expect(found(.file(folder.path + "/a/key")) == (["/a/key"], ["/a"]))
    let status = try FileStatus.of(path: folder.path + "/a/key")
    let resolution = resolve(.file(folder.path + "/a/key"))
    #expect(resolution.files.map(\.identity.inode) == [status.inode])
    #expect(resolution.problems.isEmpty)
  }

  @Test func whatIsNotThereIsAwaitedInTheNearestFolder() throws {
    try folder.directory("a")
    #expect(found(.file(folder.path + "/a/key")) == ([], ["/a"]))
    #expect(found(.file(folder.path + "/a/b/c/key")) == ([], ["/a"]))
    #expect(found(.children(folder.path + "/a/b")) == ([], ["/a"]))
    #expect(found(.prefix(folder.path + "/x/y/z")) == ([], [""]))
    #expect(found(.file("/nothing-here/key")) == ([], ["/"]))
  }

  @Test func aFileInTheWayOfAFolderIsNoFolder() throws {
    try folder.file("a/key")
    #expect(found(.file(folder.path + "/a/key/below")) == ([], ["/a"]))
  }

  @Test func childrenAreTheFilesDirectlyInAFolder() throws {
    for name in ["a/one", "a/two", "a/sub/three", "ab/four"] { try folder.file(name) }
    #expect(found(.children(folder.path + "/a")) == (["/a/one", "/a/two"], ["/a"]))
  }

  @Test func aPrefixIsAllNamesThatBeginSo() throws {
    for name in ["k/host_a", "k/host_b", "k/hos", "k/other", "k/host_dir/deep/x", "k/ohost_a"] { try folder.file(name) }
    let all = found(.prefix(folder.path + "/k/host_"))
    #expect(all.files == ["/k/host_a", "/k/host_b", "/k/host_dir/deep/x"])
    #expect(all.folders == ["/k", "/k/host_dir", "/k/host_dir/deep"])
  }

  @Test func aPrefixThatEndsInASlashIsAWholeTree() throws {
    for name in ["t/one", "t/a/two", "t/a/b/c/three", "tt/four"] { try folder.file(name) }
    #expect(found(.prefix(folder.path + "/t/")).files == ["/t/a/b/c/three", "/t/a/two", "/t/one"])
    #expect(found(.prefix(folder.path + "/t")).files == ["/t/a/b/c/three", "/t/a/two", "/t/one", "/tt/four"])
  }

  @Test func aPrefixIsComparedByteByByte() throws {
    try folder.file("p/caf\u{65}\u{301}")
    #expect(found(.prefix(folder.path + "/p/cafe")).files == ["/p/caf\u{65}\u{301}"])
    #expect(found(.prefix(folder.path + "/p/caf\u{e9}")).files == [])
  }

  @Test func aNameNeedNotBeText() throws {
    try folder.directory("r")
    let raw = PathBytes(folder.path + "/r").appending([0xff, 0x6b, 0x0a])
    _ = try Descriptor.open(raw, O_WRONLY | O_CREAT)
    #expect(resolve(.children(folder.path + "/r")).files.map(\.path) == [raw])
    #expect(resolve(.prefix(folder.path + "/")).files.map(\.path) == [raw])
    // What stands for a byte that is no text is not that byte.
    #expect(found(.prefix(folder.path + "/r/\u{fffd}")).files == [])
  }

  @Test func aLinkStandsForTheFileThatItNames() throws {
    try folder.file("real/file")
    try folder.link("l/link", to: folder.path + "/real/file")
    let resolution = resolve(.file(folder.path + "/l/link"))
    let status = try FileStatus.of(path: folder.path + "/real/file")
    #expect(
      resolution.files.map(\.path.description) == [folder.path + "/l/link"], "under the name that the rule gives it")
    #expect(resolution.files.map(\.identity.inode) == [status.inode])
    #expect(resolution.folders.contains(PathBytes(folder.path + "/l")))
  }

  @Test func aDanglingLinkNamesNothing() throws {
    try folder.link("l/link", to: folder.path + "/none")
    #expect(found(.file(folder.path + "/l/link")).files == [])
  }

  /// A link inside a protected folder leads elsewhere, and what is elsewhere is not protected by it.
  @Test func aFolderIsNotLeftThroughALink() throws {
    try folder.file("out/secret")
    try folder.file("in/own")
    try folder.link("in/file", to: folder.path + "/out/secret")
    try folder.link("in/folder", to: folder.path + "/out")
    try folder.link("in/loop", to: folder.path + "/in")
    #expect(found(.children(folder.path + "/in")).files == ["/in/own"])
    #expect(found(.prefix(folder.path + "/in/")) == (["/in/own"], ["/in"]))
  }

  @Test func onlyRegularFilesAreProtected() throws {
    try folder.file("d/file")
    try #require(mkfifo(folder.path + "/d/fifo", 0o600) == 0)
    #expect(found(.children(folder.path + "/d")).files == ["/d/file"])
    #expect(found(.file(folder.path + "/d/fifo")).files == [])
    #expect(found(.file(folder.path + "/d")).files == [])
  }

  @Test func aFileMayHaveSeveralProtectedNames() throws {
    try folder.file("h/one")
    try #require(link(folder.path + "/h/one", folder.path + "/h/two") == 0)
    let resolution = resolve(.file(folder.path + "/h/one"), .file(folder.path + "/h/two"))
    #expect(resolution.files.count == 2 && Set(resolution.files.map(\.identity)).count == 1)
  }
}
