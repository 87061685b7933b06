// Owns what `exec` does on a real kernel: programs, scripts, libraries, loaders, links, mounts and namespaces.

import Foundation
import Testing

/// One after another: each marks a file system of its own.
@Suite(.serialized) struct ExecTests {
  static let denied = "Operation not permitted"

  @Test func allowsAndDeniesPrograms() throws {
    let host = try Host()
    try host.addPrograms()
    try host.start(rules: host.usualRules)
    #expect(try host.run("m/good").status == 0)
    let bad = try host.run("m/bad")
    #expect(bad.status == 126 && bad.output.contains(Self.denied), "\(bad)")
    let record = try #require(try host.record { ($0[path: "object", "path"] as? String)?.hasSuffix("/bad") == true })
    #expect(record["verdict"] as? String == "deny")
    #expect(record["effect"] as? String == "prevented")
    #expect(record["rule"] as? String == "50-test.rules:1")
    #expect(record[path: "subject", "exe"] as? String == "/usr/bin/bash")
    #expect(record[path: "subject", "identity"] as? String == "certain")
    #expect(record[path: "object", "kind"] as? String == "elf-executable")
    #expect(try host.stop().status == 0)
  }

  @Test func auditDeniesNothing() throws {
    let host = try Host()
    try host.addPrograms()
    try host.start(rules: host.usualRules, exec: "audit")
    #expect(try host.run("m/bad").status == 0)
    let record = try #require(try host.record { $0["verdict"] as? String == "deny" })
    #expect(record["mode"] as? String == "audit")
    #expect(record["effect"] as? String == "logged")
  }

  @Test func deniesScriptsHoweverTheyAreRun() throws {
    let host = try Host()
    try host.addPrograms()
    try host.check(
      host.run(
        """
        printf 'echo ran\\n' > m/bad-plain; printf 'print("ran")\\n' > m/bad-python
        printf 'print("ran")\\n' > m/badmodule.py; chmod 755 m/bad-*
        """))
    try host.start(rules: host.usualRules)
    for script in [
      "m/bad.sh", "sh m/bad.sh", "cd m && sh ./bad.sh", ". m/bad.sh", "sh < m/bad.sh", "sh m/bad-plain",
      "bash -x m/bad-plain",
      "/usr/bin/python3 m/bad-python", "/usr/bin/python3 -W ignore m/bad-python",
      "cd m && /usr/bin/python3 -c 'import badmodule'",
    ] {
      let outcome = try host.run(script)
      #expect(outcome.status != 0 && !outcome.output.split(separator: "\n").contains("ran"), "\(script): \(outcome)")
    }
    // The same files are data to whoever only reads them.
    for script in [
      "cat m/bad.sh", "cp m/bad.sh m/copy", "tar cf copy.tar m", "grep ran m/bad-plain", "wc m/badmodule.py",
    ] {
      let outcome = try host.run(script)
      #expect(outcome.status == 0, "\(script): \(outcome)")
    }
  }

  /// Links of /proc mean the subject to the subject, and the daemon to the daemon.
  @Test func isNotLedAstrayByLinksOfProc() throws {
    let host = try Host()
    try host.check(
      host.run("printf 'echo ran\\n' > m/bad-plain; ln -s /proc/self/cwd/bad-plain m/link; ln -s bad-plain m/short"))
    try host.start(rules: host.usualRules)
    for script in [
      "cd m && sh /proc/self/cwd/bad-plain", "cd m && sh link", "cd m && sh short", "sh /dev/fd/6 6< m/bad-plain",
      "cd m && sh -o errexit ./bad-plain", "cd m && bash --rcfile /etc/passwd bad-plain",
    ] {
      let outcome = try host.run(script)
      #expect(!outcome.output.split(separator: "\n").contains("ran"), "\(script): \(outcome)")
    }
  }

  /// A shell that reads its commands from a descriptor goes on reading and writing files.
  @Test func aScriptOnADescriptorMayUseFiles() throws {
    let host = try Host()
    try host.addPrograms()
    try host.check(host.run("printf 'echo data > m/bad-output; read x < m/bad-output; echo got $x; m/bad' > plain"))
    try host.start(rules: host.usualRules)
    let outcome = try host.run("bash /dev/fd/6 6< plain; bash <(cat plain)")
    #expect(outcome.output.split(separator: "\n").count { $0 == "got data" } == 2, "\(outcome)")
    // Records are written after the answer: the daemon's end is when all are there.
    #expect(try host.stop().status == 0)
    let records = try host.records().filter { ($0[path: "object", "path"] as? String)?.hasSuffix("m/bad") == true }
    #expect(records.count == 2 && records.allSatisfy { $0[path: "operation", "kind"] as? String == "execute" })
  }

  /// The kernel shows no path of more than 4,096 bytes.
  @Test func deniesWhatLiesTooDeepForAPath() throws {
    let host = try Host()
    try host.write(
      "deep.py",
      """
      import os, sys
      os.chdir("\(host.mount)")
      for i in range(30):
          if sys.argv[1] == "make": os.mkdir("d" * 200)
          os.chdir("d" * 200)
      if sys.argv[1] == "make": open("plain", "w").write("print(qq(ran))")
      else: os.execv("/usr/bin/perl", ["perl", "./plain"])
      """)
    try host.check(host.run("/usr/bin/python3 deep.py make"))
    #expect(try host.run("/usr/bin/python3 deep.py run").output.contains("ran"))
    try host.start(rules: "allow exec when object.path_verified\ndeny exec\n")
    let outcome = try host.run("/usr/bin/python3 deep.py run")
    #expect(outcome.output.contains("Operation not permitted") && !outcome.output.contains("ran"), "\(outcome)")
  }

  @Test func deniesLibrariesAndLoaders() throws {
    let host = try Host()
    try host.addPrograms()
    try host.write(
      "lib.c", "#include <stdio.h>\n__attribute__((constructor)) static void in(void) { puts(\"ran\"); }\n")
    try host.check(host.run("gcc -shared -fPIC -o m/badlib.so lib.c && cp m/badlib.so m/goodlib.so"))
    try host.start(rules: host.usualRules)
    #expect(try host.run("LD_PRELOAD=\(host.mount)/goodlib.so /bin/true").output.contains("ran"))
    #expect(try !host.run("LD_PRELOAD=\(host.mount)/badlib.so /bin/true").output.contains("ran"))
    let dlopen = try host.run("python3 -c 'import ctypes; ctypes.CDLL(\"\(host.mount)/badlib.so\")'")
    #expect(dlopen.status != 0 && !dlopen.output.contains("ran"), "\(dlopen)")
    let loader = "$(readlink -f /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1 | head -1)"
    #expect(try host.run("\(loader) m/good").status == 0)
    #expect(try host.run("\(loader) m/bad").status != 0)
    // A linker, an archiver and a debugger's tools read programs as data.
    #expect(try host.run("cp m/bad m/other && strings m/bad >/dev/null 2>&1; cmp m/bad m/other").status == 0)
  }

  @Test func knowsAFileByWhateverNameItIsReached() throws {
    let host = try Host()
    try host.addPrograms()
    try host.check(
      host.run("ln m/bad m/bad-link; ln -s bad m/symlink; mkdir n && mount --bind m n"))
    try host.start(rules: host.usualRules)
    for name in ["m/bad-link", "m/symlink"] { #expect(try host.run(name).status == 126, "\(name)") }
    // A mount of the initial namespace is a name of its own, and a true one.
    #expect(try host.run("n/bad").status == 0)
    let record = try #require(try host.record { ($0[path: "object", "path"] as? String)?.hasSuffix("/n/bad") == true })
    #expect(record[path: "object", "path_verified"] as? Bool == true)
    #expect(try host.run("mv m/bad m/now-good && m/now-good").status == 0)
    #expect(try host.run("cp m/good m/x && mv m/x m/bad && m/bad").status == 126)
  }

  /// O_TMPFILE, then exec through /proc/self/fd.
  @Test func deniesFilesWithoutAName() throws {
    let host = try Host()
    try host.addPrograms()
    try host.write(
      "nameless.py",
      """
      import os, sys
      w = os.open("\(host.mount)", os.O_TMPFILE | os.O_RDWR, 0o755)
      os.write(w, open("/bin/true", "rb").read())
      r = os.open(f"/proc/self/fd/{w}", os.O_RDONLY)
      os.close(w)
      os.execv(f"/proc/self/fd/{r}", ["true"])
      """)
    try host.start(rules: "deny exec when object.links == 0\nallow exec\n")
    let outcome = try host.run("python3 nameless.py")
    #expect(outcome.status != 0 && outcome.output.contains("PermissionError"), "\(outcome)")
    let record = try #require(try host.record { $0["verdict"] as? String == "deny" })
    #expect(record[path: "object", "path_verified"] as? Bool == false)
    #expect(record[path: "object", "links"] as? Int == 0)
  }

  /// An unprivileged user binds a denied program over an allowed name in namespaces of his own.
  @Test(arguments: ["tmpfs", "ext4"]) func isNotFooledByAForgedPath(fileSystem: String) throws {
    let host = try Host(fileSystem: fileSystem)
    try host.addPrograms()
    try host.start(rules: "allow exec when object.path == \"\(host.mount)/good\"\ndeny exec\n")
    let forge = """
      chmod 711 \(host.folder); setpriv --reuid 65534 --regid 65534 --clear-groups unshare -Urm sh -c \
        'mount --bind m/bad m/good && m/good'
      """
    let outcome = try host.run(forge)
    #expect(outcome.status == 126, "\(outcome)")
    let record = try #require(try host.record { $0["verdict"] as? String == "deny" })
    #expect(record[path: "object", "path"] as? String == "\(host.mount)/bad")
    #expect(record[path: "object", "path_verified"] as? Bool == true)
    #expect(record[path: "subject", "userns_initial"] as? Bool == false)
    #expect(try host.run("m/good").status == 0)
  }

  @Test func followsOverlays() throws {
    let host = try Host()
    try host.addPrograms()
    try host.check(
      host.run(
        """
        mkdir -p m/lower m/upper m/work merged && cp m/good m/lower/good && cp m/bad m/lower/bad
        mount -t overlay overlay -o lowerdir=m/lower,upperdir=m/upper,workdir=m/work merged
        """))
    try host.start(
      rules: "deny exec when object.path.endsWith(\"/bad\")\nallow exec when object.path_verified\ndeny exec\n",
      also: ["\(host.folder)/merged"])
    for path in ["m/lower/bad", "merged/bad"] { #expect(try host.run(path).status == 126, "\(path)") }
    for path in ["m/lower/good", "merged/good"] { #expect(try host.run(path).status == 0, "\(path)") }
    let record = try #require(
      try host.record { ($0[path: "object", "path"] as? String)?.hasSuffix("merged/bad") == true })
    #expect(record[path: "object", "fstype"] as? String == "overlay")
    // Bound over an allowed name in a mount namespace: its true name cannot be recovered, so it is not believed.
    let forged = "unshare -m --propagation private sh -c 'mount --bind merged/bad merged/good && merged/good'"
    #expect(try host.run(forged).status == 126)
  }

  @Test func guardsAFileSystemThatIsMountedLater() throws {
    let host = try Host()
    try host.start(rules: host.usualRules)
    try host.check(host.run("mount -t tmpfs -o mode=755 tmpfs m && cp /bin/true m/bad && cp /bin/true m/good"))
    usleep(500_000)
    #expect(try host.run("m/good").status == 0)
    #expect(try host.run("m/bad").status == 126)
    try host.check(host.run("umount m && mount -t tmpfs -o mode=755 tmpfs m && cp /bin/true m/bad"))
    usleep(500_000)
    #expect(try host.run("m/bad").status == 126)
  }

  @Test func seesTheFactsOfTheSubject() throws {
    let host = try Host()
    try host.addPrograms()
    try host.start(
      rules: """
        deny exec when subject.uid == 65534 && 12 in subject.groups
        deny exec when !subject.userns_initial && "CAP_SYS_ADMIN" in subject.capabilities
        deny exec when subject.parent_exe.endsWith("/python3.11-does-not-exist")
        allow exec when subject.exe.startsWith("/usr/") && subject.pid > 1 && subject.ppid > 0
        deny exec
        """)
    #expect(try host.run("m/good").status == 0)
    #expect(try host.run("chmod 711 .; setpriv --reuid 65534 --regid 65534 --groups 11,12 m/good").status != 0)
    #expect(try host.run("setpriv --reuid 65534 --regid 65534 --groups 11 m/good").status == 0)
    #expect(try host.run("unshare -Ur m/good").status != 0)
  }
}
