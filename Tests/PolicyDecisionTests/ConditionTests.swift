// The meaning of conditions on known facts, checked against what CEL says.

import AccessModel
import PolicyDecision
import PolicyLanguage
import Testing

@Suite struct ConditionTests {
  private func isTrue(_ condition: String, _ facts: Facts = sheet()) -> Bool {
    decided(policy("allow exec when \(condition)"), .exec, facts) == "allow rule"
  }

  /// Each holds on the sheet, and its negation does not.
  @Test(arguments: [
    "subject.pid == 42", "subject.ppid == 41", "subject.uid == 1000", "subject.euid == 1001", "subject.gid == 100",
    "subject.egid == 101", "27 in subject.groups", "!(28 in subject.groups)", "subject.gid in subject.groups",
    "size(subject.groups) == 2", "subject.auid == 1000", "subject.session == 3", "subject.comm == \"bash\"",
    "subject.exe == \"/usr/bin/bash\"", "subject.exe_dev == \"259:4294967295\"", "subject.exe_inode == 12",
    "\"CAP_NET_RAW\" in subject.capabilities", "!(\"CAP_SYS_PTRACE\" in subject.capabilities)",
    "\"CAP_SYS_PTRACE\" in subject.permitted_capabilities", "subject.permitted_capabilities.size() == 2",
    "!(object.path in subject.capabilities)", "subject.userns_initial", "subject.mntns_initial",
    "subject.cgroup == \"/user.slice\"", "subject.unit == \"\"", "subject.terminal == \"pts/3\"",
    "subject.parent_exe == \"/usr/sbin/sshd\"",
    "object.path == \"/usr/bin/ls\"", "object.directory == \"/usr/bin\"", "object.dev == \"8:1\"",
    "object.dev.startsWith(\"8:\")", "object.dev.size() == 3", "object.inode == 4711", "object.size == 1000",
    "object.owner == 0", "object.group == 0", "object.mode == 0x1ed", "!object.setuid", "!object.setgid",
    "!object.group_writable", "!object.world_writable", "object.links == 1", "object.kind == \"elf-executable\"",
    "object.interpreter == \"\"", "object.fstype == \"ext4\"", "\"nosuid\" in object.mount_flags",
    "!(\"noexec\" in object.mount_flags)", "object.mount_flags.size() == 2", "object.path_verified",
    "object.trusted", "object.sha256 == \"\(sampleDigest)\"", "object.sha256 in [\"\(sampleDigest)\"]",
    "object.sha256.startsWith(\"e3b0c442\")", "object.sha256.endsWith(\"b855\")", "object.sha256.size() == 64",
    "object.sha256.matches(\"^[0-9a-f]{64}$\")", "object.sha256 > \"e3b0\"", "!(object.sha256 == object.path)",
    "!object.directory_world_writable", "operation.kind == \"execute\"",
    // Relations.
    "subject.uid != 1001", "subject.uid < 1001", "subject.uid <= 1000", "subject.uid > -1", "subject.uid >= 1000",
    "!(subject.uid < 1000)", "object.path < \"/usr/bin/lt\"", "object.path > \"/usr/bin/l\"", "object.path >= \"/usr\"",
    "object.path <= \"/usr/bin/ls\"", "object.setuid < object.path_verified", "object.setuid == false",
    "subject.uid in [1, 1000]", "!(subject.uid in [1, 2])", "!(subject.uid in [])",
    "object.fstype in [\"xfs\", \"ext4\"]",
    "!(object.fstype in [])", "!(object.path == subject.exe)", "object.inode == object.inode",
    "subject.uid == subject.auid", "(subject.uid == 1000) == object.path_verified",
    // Strings.
    "object.path.startsWith(\"/usr/\")", "object.path.startsWith(\"\")", "!object.path.startsWith(\"/usr/bin/lsx\")",
    "object.path.endsWith(\"/ls\")", "object.path.endsWith(\"\")", "!object.path.endsWith(\"/l\")",
    "object.path.contains(\"bin\")", "object.path.contains(\"\")", "object.path.contains(\"/usr/bin/ls\")",
    "!object.path.contains(\"/usr/bin/ls/\")", "object.path.contains(object.interpreter)",
    "\"/usr/bin/ls -l\".startsWith(object.path)", "object.path.matches(\"bin\")", "object.path.matches(\"^/usr/.*s$\")",
    "!object.path.matches(\"^bin\")", "object.path.matches(\"\")", "object.path.size() == 11",
    // Precedence: ! before relations, && before ||.
    "object.path_verified || object.setuid && object.setgid", "!object.setuid == true",
    "!(object.setuid || object.setgid)", "object.setuid && object.setgid || object.path_verified",
  ])
  func holds(_ condition: String) {
    #expect(isTrue(condition))
    #expect(!isTrue("!(\(condition))"))
  }

  /// What a condition means must not depend on what is folded when it is loaded.
  @Test(arguments: [
    ("\"a\" < \"b\"", true), ("\"a\" < \"B\"", false), ("\"\" < \"a\"", true), ("\"ä\" > \"z\"", true),
    ("1 < 2", true), ("-1 < -2", false), ("false < true", true), ("true < true", false), ("true >= true", true),
    ("3 in [1, 2, 3]", true), ("\"c\" in [\"a\"]", false), ("size(\"äö😀\") == 3", true), ("size([]) == 0", true),
    ("[1, 2].size() == 2", true), ("size([\"a\"]) == 1", true), ("\"abc\".contains(\"bc\")", true),
    ("\"abc\".endsWith(\"abc\")", true), ("\"abc\".startsWith(\"abcd\")", false), ("\"ab1\".matches(\"[0-9]\")", true),
    ("!true", false), ("!!true", true), ("true && true && false", false), ("false || false || true", true),
    ("true || false && false", true), ("1 == 1 == true", true), ("0x7fffffffffffffff == 9223372036854775807", true),
  ])
  func constants(_ condition: String, _ expected: Bool) {
    #expect(isTrue(condition) == expected)
  }

  @Test(
    arguments: [
      ([0xff, 0xff], 2), ([0xc3, 0xa4], 1), ([0xc3], 1), ([0xe2, 0x82], 2), ([0xe2, 0x82, 0xac], 1), ([0xc0, 0x80], 2),
      ([0xed, 0xa0, 0x80], 3), ([0xe0, 0x80, 0x80], 3), ([0xf0, 0x8f, 0xbf, 0xbf], 4),
      ([0xf0, 0x9f, 0x98, 0x80], 1), ([0xf4, 0x90, 0x80, 0x80], 4), ([], 0),
    ] as [([UInt8], Int)])
  func sizeCountsCodePointsAndStrayBytes(_ name: [UInt8], _ size: Int) {
    let facts = sheet { $0.object.path = name }
    #expect(isTrue("object.path.size() == \(size)", facts))
  }

  @Test(arguments: [("/a", "/"), ("/", "/"), ("/a/b", "/a"), ("/a/b/c", "/a/b"), ("", ""), ("a", "")])
  func directories(_ path: String, _ directory: String) {
    let facts = sheet { $0.object.path = bytes(path) }
    #expect(
      isTrue("object.directory == \"\(directory)\"", facts)
        || directory.isEmpty && isTrue("object.directory.size() == 0", facts))
  }

  @Test(
    arguments: [
      (0o4755, "object.setuid"), (0o2755, "object.setgid"), (0o775, "object.group_writable"),
      (0o757, "object.world_writable"),
    ] as [(UInt16, String)])
  func modeBits(_ mode: UInt16, _ condition: String) {
    let flags = ["object.setuid", "object.setgid", "object.group_writable", "object.world_writable"]
    let facts = sheet { $0.object.mode = mode }
    for flag in flags { #expect(isTrue(flag, facts) == (flag == condition)) }
  }

  @Test func numbersBeyondTheLanguagesIntAreNotMistaken() {
    let facts = sheet {
      $0.object.identity.inode = .max
      $0.subject.executableIdentity.inode = .max - 1
    }
    #expect(!isTrue("object.inode == 9223372036854775807", facts))
    #expect(isTrue("object.inode > 9223372036854775807", facts))
    #expect(!isTrue("object.inode == -1", facts))
    #expect(!isTrue("object.inode == subject.exe_inode", facts))
    #expect(!isTrue("object.inode in [-1, 9223372036854775807]", facts))
  }

  @Test func everyKindAndFlagHasItsName() {
    for kind in ContentKind.allCases {
      #expect(isTrue("object.kind == \"\(kind.name)\"", sheet { $0.object.kind = kind }))
    }
    for (flag, name) in MountFlags.names {
      let facts = sheet { $0.object.mountFlags = flag }
      for (_, other) in MountFlags.names {
        #expect(isTrue("\"\(other)\" in object.mount_flags", facts) == (other == name))
      }
    }
    for capability in Capability.allCases {
      let facts = sheet { $0.subject.effectiveCapabilities = CapabilitySet(bits: 1 << UInt64(capability.rawValue)) }
      for other in Capability.allCases {
        #expect(isTrue("\"\(other.name)\" in subject.capabilities", facts) == (other == capability))
      }
      #expect(isTrue("subject.capabilities.size() == 1", facts))
    }
    let named = sheet { $0.subject.comm = bytes("CAP_NET_RAW") }
    #expect(isTrue("subject.comm in subject.capabilities", named))
  }

  @Test func aHostilePatternTakesLinearTime() {
    let facts = sheet { $0.object.path = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20) }
    #expect(!isTrue("object.path.matches(\"(a*)*(a|aa)+b$\")", facts))
    #expect(isTrue("object.path.matches(\"^(a|a?){30}a{30}\")", facts))
  }

  @Test func bytesThatAreNotTextAreComparedAsTheyAre() {
    let facts = sheet { $0.object.path = bytes("/a/") + [0xff, 0x0a, 0x00] + bytes("b") }
    #expect(isTrue("object.path.startsWith(\"/a/\") && object.path.endsWith(\"\\n\\0" + "00b\")", facts))
    #expect(!isTrue("object.path == \"/a/ÿ\\n\\000b\"", facts))
    #expect(isTrue("object.directory == \"/a\" && object.path.matches(\"b$\")", facts))
  }
}
