// Paths that are bytes: their folders, their names, and handing them to the kernel unchanged.

import Glibc
import SystemCalls
import Testing

@Suite struct PathBytesTests {
  @Test(arguments: [
    ("/a/b", "/a"), ("/a", "/"), ("/", "/"), ("/a/b/", "/a/b"), ("a", "/"), ("", "/"), ("/a//b", "/a/"),
  ])
  func theFolderStandsBeforeTheLastSlash(_ path: String, _ folder: String) {
    #expect(PathBytes(path).folder == PathBytes(folder))
  }

  @Test(arguments: [("/", "x", "/x"), ("/a", "x", "/a/x"), ("/a/", "x", "/a/x")])
  func aNameStandsBehindOneSlash(_ path: String, _ name: String, _ expected: String) {
    #expect(PathBytes(path).appending(Array(name.utf8)) == PathBytes(expected))
  }

  @Test func theKernelGetsTheBytesAsTheyAre() throws {
    let folder = Folder()
    let path = PathBytes(folder.path).appending([0xff, 0x0a, 0xc3])
    _ = try Descriptor.open(path, O_WRONLY | O_CREAT)
    #expect(try FileStatus.of(path: path).isRegular)
    #expect(path.withPointer { String(cString: $0) } == path.description)
    #expect(throws: Errno.noEntry) { _ = try FileStatus.of(path: PathBytes(path.description)) }
    path.withPointer { _ = unlink($0) }
  }

  @Test func pathsAreSortedByTheirBytes() {
    let sorted = [PathBytes("/a"), PathBytes("/a/b"), PathBytes("/b"), PathBytes([0x2f, 0xff])]
    #expect(Array(sorted.reversed()).sorted() == sorted)
  }
}
