// Holds the records of system calls: their fields, their words, and texts in them that try to break out.

import AccessModel
import DecisionRecord
import Foundation
import Testing

@Suite("Records of calls")
struct CallRecordTests {
  private func attach(_ facts: Facts) {
    facts.call.name = bytes("ptrace")
    facts.call.request = bytes("PTRACE_ATTACH")
    facts.call.result = 0
    facts.call.serial = 815
    facts.target.pid = 812
    facts.target.uid = 0
    facts.target.comm = bytes("sshd")
    facts.target.executable = bytes("/usr/sbin/sshd-real")
  }

  @Test("a call with its target")
  func full() {
    let json = text(record(called(.ptrace, fill: attach)).json)
    let tail =
      #""identity":"certain"},"target":{"pid":812,"uid":0,"exe":"/usr/sbin/sshd-real","comm":"sshd"},"#
      + #""operation":{"kind":"call","syscall":"ptrace","architecture":"x86_64","request":"PTRACE_ATTACH","#
      + #""result":0,"audit_serial":815}}"#
    #expect(json.hasSuffix(tail), "\(json)")
    #expect(json.contains(#""verdict":"deny","effect":"contained","reason":"default""#))
    #expect(!json.contains("containment_failure") && !json.contains(#""object""#))
  }

  @Test("every field of an operation, in order")
  func operation() throws {
    let made = called(.clone) {
      $0.call.flags = [bytes("CLONE_NEWUSER"), bytes("0x80")]
      $0.call.protection = [bytes("PROT_EXEC")]
      $0.call.namespaces = [bytes("user")]
      $0.call.source = bytes("none")
      $0.call.module = bytes("nf_tables")
      $0.call.result = -1
    }
    #expect(
      text(record(made).json).hasSuffix(
        #""operation":{"kind":"call","syscall":"clone","architecture":"x86_64","flags":["CLONE_NEWUSER","0x80"],"#
          + #""protection":["PROT_EXEC"],"namespaces":["user"],"source":"none","module":"nf_tables","result":-1}}"#))
    let flat = record(made).journalFields.filter { $0.name == "LILIUM_OPERATION_FLAGS" }.map { text($0.value) }
    #expect(flat == ["CLONE_NEWUSER", "0x80"])
  }

  @Test(
    "each group of facts brings its own keys and no other",
    arguments: [
      (.call, ["kind", "syscall", "architecture", "request", "flags", "protection", "result", "audit_serial"], []),
      (.callNamespaces, ["kind", "namespaces"], []), (.callSource, ["kind", "source"], []),
      (.callModule, ["kind", "module"], []), (.targetStatus, ["kind"], ["pid", "uid", "comm"]),
      (.targetExecutable, ["kind"], ["exe"]), ([], ["kind"], []),
    ] as [(FactSet, Set<String>, Set<String>)])
  func groups(group: FactSet, operation: Set<String>, target: Set<String>) throws {
    let made = called(.ptrace, present: group) {
      attach($0)
      $0.call.flags = [bytes("a")]
      $0.call.protection = [bytes("b")]
      $0.call.namespaces = [bytes("user")]
      $0.call.source = bytes("c")
      $0.call.module = bytes("d")
    }
    let found = try parse(record(made).json)
    #expect(Set((found["operation"] as? [String: Any] ?? [:]).keys) == operation)
    #expect(Set((found["target"] as? [String: Any] ?? [:]).keys) == target)
    #expect((found["target"] == nil) == target.isEmpty)
  }

  @Test("what came of containment", arguments: ContainmentFailure.allCases)
  func containment(failure: ContainmentFailure) throws {
    let made = record(called(.mount, effect: .logged, failure: failure))
    let found = try parse(made.json)
    #expect(found["effect"] as? String == "logged" && found["containment_failure"] as? String == failure.name)
    #expect(made.message.hasPrefix("mount not contained: \(failure.name): "))
  }

  @Test(
    "the words of a call's verdict",
    arguments: [
      (.deny, .enforce, .contained, nil, nil, "contained"), (.deny, .enforce, .contained, nil, 0, "contained"),
      (.deny, .enforce, .prevented, nil, -1, "deny"),
      (.deny, .enforce, .logged, .identityUncertain, 0, "not contained: identity-uncertain"),
      (.deny, .enforce, .logged, nil, -1, "attempt"), (.deny, .enforce, .logged, .processGone, -38, "attempt"),
      (.deny, .enforce, .logged, nil, nil, "not contained"), (.deny, .audit, .logged, nil, 0, "would deny"),
      (.deny, .audit, .logged, nil, -1, "would deny"), (.allow, .enforce, .logged, nil, 0, "allow"),
      (.allow, .audit, .logged, nil, -1, "allow"),
    ] as [(Verdict, Mode, Effect, ContainmentFailure?, Int64?, String)])
  func verdictWords(
    verdict: Verdict, mode: Mode, effect: Effect, failure: ContainmentFailure?, result: Int64?, expected: String
  ) {
    let made = called(.kexec, verdict, mode: mode, effect: effect, failure: failure) { $0.call.result = result }
    let line = text(record(made).terminalLine(TerminalStyle()))
    #expect(line.dropFirst("12:00:00.123 ".count).hasPrefix(expected + " "))
    #expect(line.dropFirst("12:00:00.123 ".count + expected.count).drop { $0 == " " }.hasPrefix("kexec  "))
    #expect(record(made).message.hasPrefix("kexec \(expected): kexec"))
  }

  @Test("the rate limit's words")
  func suppressed() {
    let sample = decision(.deny, .default, mechanism: .ptrace)
    let words = record(.suppressed(Suppression(sample: sample, count: 5, seconds: 10))).message
    #expect(words == "5 more of contain ptrace (default) in 10 s were not recorded: rate limit")
  }

  @Test("the whole sentence")
  func sentence() {
    #expect(
      record(called(.ptrace, fill: attach)).message
        == "ptrace contained: PTRACE_ATTACH of sshd-real[812] uid 0 by bash[1234] uid 1000: default; "
        + "to learn more: liliumctl explain 7f3a9c-42")
  }

  /// A call, its facts, and what a person reads of it.
  struct Deed: Sendable {
    let mechanism: Mechanism
    let name: String
    let expected: String
    var present: FactSet = .recordOfCall.union(.ofCall)
    var fill: @Sendable (Facts) -> Void = { _ in }
  }

  private static let noTarget = FactSet.recordOfCall.union(.ofCall).subtracting([.targetStatus, .targetExecutable])
  private static let placed = FactSet.recordOfCall.union(.ofCall).union([.objectPath, .objectFileSystem])

  private static let deeds: [Deed] = [
    Deed(mechanism: .ptrace, name: "ptrace", expected: "PTRACE_TRACEME", present: noTarget) {
      $0.call.request = bytes("PTRACE_TRACEME")
    },
    Deed(mechanism: .ptrace, name: "process_vm_writev", expected: "process_vm_writev of cat[9] uid 7") {
      ($0.target.pid, $0.target.uid, $0.target.comm) = (9, 7, bytes("cat"))
    },
    Deed(mechanism: .mprotect, name: "mmap", expected: "PROT_WRITE|PROT_EXEC mmap -> EACCES") {
      $0.call.protection = [bytes("PROT_WRITE"), bytes("PROT_EXEC")]
      $0.call.result = -13
    },
    Deed(mechanism: .module, name: "init_module", expected: "module nf_tables") { $0.call.module = bytes("nf_tables") },
    Deed(mechanism: .module, name: "finit_module", expected: "module x from /tmp/x", present: placed) {
      $0.call.module = bytes("x")
    },
    Deed(mechanism: .module, name: "finit_module", expected: "module /tmp/x -> ENOSYS", present: placed) {
      $0.call.result = -38
    },
    Deed(mechanism: .module, name: "delete_module", expected: "delete_module x") { $0.call.module = bytes("x") },
    Deed(mechanism: .module, name: "init_module", expected: "init_module -> EPERM") { $0.call.result = -1 },
    Deed(mechanism: .kexec, name: "kexec_load", expected: "kexec_load"),
    Deed(mechanism: .kexec, name: "kexec_file_load", expected: "kexec_file_load KEXEC_FILE_UNLOAD -> error 512") {
      $0.call.flags = [bytes("KEXEC_FILE_UNLOAD")]
      $0.call.result = -512
    },
    Deed(mechanism: .mount, name: "mount", expected: "ext4 on /tmp/x from none", present: placed) {
      $0.call.flags = [bytes("MS_NOSUID")]
      $0.call.source = bytes("none")
    },
    Deed(mechanism: .mount, name: "mount", expected: "mount MS_BIND|MS_REC /tmp/x from /src", present: placed) {
      $0.call.flags = [bytes("MS_BIND"), bytes("MS_REC")]
      $0.call.source = bytes("/src")
    },
    Deed(mechanism: .mount, name: "umount2", expected: "umount2 /tmp/x", present: placed),
    Deed(mechanism: .mount, name: "mount", expected: "mount from none -> EPERM") {
      $0.call.source = bytes("none")
      $0.call.result = -1
    },
    Deed(mechanism: .mount, name: "pivot_root", expected: "pivot_root /tmp/x (unverified)", present: placed) {
      $0.object.pathVerified = false
    },
    Deed(mechanism: .clone, name: "unshare", expected: "unshare user,mount") {
      $0.call.namespaces = [bytes("user"), bytes("mount")]
      $0.call.flags = [bytes("CLONE_NEWUSER")]
    },
    Deed(mechanism: .clone, name: "clone", expected: "clone CLONE_NEWNS|0x11") {
      $0.call.flags = [bytes("CLONE_NEWNS"), bytes("0x11")]
    },
    Deed(mechanism: .clone, name: "clone3", expected: "clone3"),
    Deed(mechanism: .ioctl, name: "ioctl", expected: "TIOCSTI on /tmp/x -> EIO", present: placed) {
      $0.call.request = bytes("TIOCSTI")
      $0.call.result = -5
    },
    Deed(mechanism: .ioctl, name: "ioctl", expected: "0x5412") { $0.call.request = bytes("0x5412") },
    Deed(mechanism: .ioctl, name: "ioctl", expected: "(unknown call)", present: .recordOfCall),
    Deed(mechanism: .kexec, name: "kexec_load", expected: "kexec_load -> error 9223372036854775808") {
      $0.call.result = .min
    },
  ]

  @Test("what a person reads of a call", arguments: deeds.indices)
  func deed(index: Int) {
    let deed = Self.deeds[index]
    let made = called(deed.mechanism, .allow, present: deed.present) {
      $0.call.name = bytes(deed.name)
      deed.fill($0)
    }
    #expect(record(made).message == "\(deed.mechanism.name) allow: \(deed.expected) by bash[1234] uid 1000: default")
    #expect(text(record(made).terminalLine(TerminalStyle())).contains("  \(deed.expected)  "))
  }

  @Test("hostile texts drive nobody and pose as nothing", arguments: hostileNames)
  func hostile(name: [UInt8]) throws {
    for mechanism in Mechanism.allCases where mechanism.isCall {
      let made = called(mechanism, present: Self.placed) {
        attach($0)
        $0.call.name = name
        $0.call.architecture = name
        $0.call.request = name
        $0.call.flags = [name]
        $0.call.protection = [name]
        $0.call.namespaces = [name]
        $0.call.source = name
        $0.call.module = name
        $0.target.comm = name
        $0.target.executable = name
        $0.object.path = name
        $0.object.fileSystemType = name
      }
      #expect(!drivesReader(record(made).json) && !drivesReader(record(made).terminalLine(TerminalStyle())))
      #expect(!drivesReader(bytes(record(made).message)))
      let found = try parse(record(made).json)
      #expect(found["verdict"] as? String == "deny")
      guard String(validating: name, as: UTF8.self) == nil else { continue }
      let operation = try #require(found["operation"] as? [String: Any])
      #expect(operation["source_b64"] as? String == Data(name).base64EncodedString())
      let target = try #require(found["target"] as? [String: Any])
      #expect(target["exe_b64"] as? String == Data(name).base64EncodedString())
    }
    let change = SensingChange(what: "x", detail: String(decoding: name, as: UTF8.self), isProblem: true)
    #expect(!drivesReader(record(.sensingChanged(change)).terminalLine(TerminalStyle())))
  }
}
