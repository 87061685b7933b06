// Holds how a sysctl is read and written, on files that stand in for /proc/sys and on a sysctl that is always there.

import Glibc
import ProcFS
import SystemCalls
import Testing

/// Stands in for /proc/sys.
private final class Settings {
  let path: String

  init(_ name: String, _ text: String) throws {
    var template = Array("/tmp/lilium-test-sysctl-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
    try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT, mode: 0o600).writeAll(Array(text.utf8))
  }

  deinit {
    unlink("\(path)/name")
    rmdir(path)
  }
}

@Suite("Sysctls") struct SysctlTests {
  @Test func aValueIsReadAndWritten() throws {
    let folder = try Settings("name", "-12\n")
    let sysctl = Sysctl("name", below: folder.path)
    #expect(try sysctl.read() == -12)
    try sysctl.checkWritable()
    try sysctl.write(356)
    #expect(try sysctl.read() == 356)
  }

  @Test(arguments: ["", "\n", "1 2\n", "yes\n", "99999999999999999999\n"])
  func whatIsNoWholeNumberIsRefused(_ text: String) throws {
    let folder = try Settings("name", text)
    #expect(throws: Errno.badMessage) { try Sysctl("name", below: folder.path).read() }
  }

  @Test func whatThisKernelHasNotIsNoEntry() {
    #expect(throws: Errno.noEntry) { try Sysctl("kernel.lilium_has_none").read() }
    #expect(throws: Errno.noEntry) { try Sysctl("kernel.lilium_has_none").checkWritable() }
  }

  @Test func theKernelsOwnAreFound() throws { #expect(try Sysctl("kernel.pid_max").read() > 0) }
}
