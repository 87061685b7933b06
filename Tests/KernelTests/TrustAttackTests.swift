// Owns what attackers tried on trust in content, on a real kernel: each test is a way that once led in, or nearly did.
// It must not unmount a file system that `coverage` names by its mount point: the host's own would take its place.

import Foundation
import Testing

@Suite(.serialized) struct TrustAttackTests {
  /// Another file system can have the same device number, inode, change time and size: what was read of the one says
  /// nothing of the other.
  @Test func anotherFileSystemInItsPlaceIsReadAnew() throws {
    let host = try Host()
    try host.write(
      "image.sh",
      """
      # image.sh IMAGE WORD: an image whose app/tool prints the word, with a change time that is always the same
      printf '#!/bin/sh\\necho %s\\n' $2 > tool.$2
      truncate -s 32M $1
      mkfs.ext4 -q -O ^metadata_csum,^has_journal -U 11111111-1111-1111-1111-111111111111 $1
      mount -o loop $1 n; mkdir n/inside n/app; cp tool.$2 n/app/tool; chmod 755 n n/app n/app/tool; sync; umount n
      debugfs -w -R 'sif /app/tool ctime 20240101000000' $1; debugfs -w -R 'sif /app/tool ctime_extra 0' $1
      """)
    try host.check(host.run("mkdir n; sh image.sh a GOOD && sh image.sh b EVIL && mount -o loop a n"))
    try host.check(host.trust("add n/app/tool"))
    try host.start(rules: Host.contentRules, coverage: "\(host.folder)/n/inside", logsAllows: false)
    let before = try host.run("n/app/tool; n/app/tool; stat -c '%d %i %s %z' n/app/tool")
    #expect(before.output.contains("GOOD"))
    let after = try host.run(
      """
      umount n
      for i in 1 2 3 4 5 6 7 8 9 10; do
        mount -o loop b n; [ "$(stat -c %d n/app/tool)" = \(before.output.split(separator: "\n").last?.split(separator: " ").first ?? "") ] && break
        umount n; sleep 0.3
      done
      stat -c '%d %i %s %z' n/app/tool
      sleep 4; n/app/tool
      """)
    #expect(after.status == 126 && !after.output.contains("EVIL"), "\(after)")
    #expect(after.output.split(separator: "\n").first == before.output.split(separator: "\n").last, "not the same key")
  }

  /// A path is trusted, not the inode behind it: what the kernel remembers must not cover its other names.
  @Test func anotherNameIsAskedAbout() throws {
    let host = try Host()
    try host.check(host.run("mkdir m/a m/b m/c && cp /bin/true m/a/tool && ln m/a/tool m/b/other && sleep 0.2"))
    try host.check(host.trust("add m/a/tool"))
    try host.start(rules: Host.contentRules, logsAllows: false)
    #expect(try host.run("m/b/other").status == 126)
    #expect(try host.run("m/a/tool && m/a/tool && sleep 0.2 && m/a/tool").status == 0)
    #expect(try host.run("m/b/other").status == 126)
    try host.check(host.run("rm m/b/other && mount --bind m/a m/c && sleep 0.5"))
    #expect(try host.run("m/a/tool && m/a/tool && sleep 0.2 && m/a/tool").status == 0)
    #expect(try host.run("m/c/tool").status == 126)
  }

  /// Uid 0 alone is not the administrator: a service may have it without a single capability.
  @Test func uidZeroWithoutCapabilitiesChangesNothing() throws {
    let host = try TrustTests.host()
    try host.write(
      "ask.py",
      """
      import os, socket, sys
      s = socket.socket(socket.AF_UNIX); s.connect("control.sock")
      s.sendall(('{"protocol":1,"request":"%s"}\\n' % sys.argv[1]).encode()); print(s.recv(400))
      if len(sys.argv) > 2: os.execv(sys.argv[2], sys.argv[2:])
      """)
    let bare = "setpriv --bounding-set -all --inh-caps -all python3 ask.py"
    for request in ["read-files", "trust-changed", "reload"] {
      #expect(try host.run("\(bare) \(request)").output.contains("forbidden"), "\(request)")
    }
    #expect(try !host.run("\(bare) status").output.contains("forbidden"))
    // Who may read files to vouch for them may not run them.
    let loader = "/lib64/ld-linux-x86-64.so.2"
    #expect(try host.run("python3 ask.py read-files").output.contains("reading"))
    #expect(try host.run("python3 ask.py read-files \(loader) m/other").status != 0)
  }
}
