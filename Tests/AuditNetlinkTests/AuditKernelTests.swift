// Tests against the kernel's own audit system, with auditctl(8) as the second witness. Root is needed; rules with keys
// `lilium.test.*` come and go, and auditing is left as it was found.

import AuditNetlink
import Foundation
import Glibc
import SystemCalls
import Testing

@Suite("The kernel's audit system", .serialized)
struct AuditKernelTests {
  private static let auditctl = "/usr/sbin/auditctl"

  /// A call that fails and harms nobody: ptrace(2) of no process, with a mark as its fourth argument.
  static let probe = "call(\(KnownCall.ptrace.number(on: .native) ?? 0), 16, -1, 0, 0x4c494c)"

  func rule(
    _ calls: [KnownCall] = [.ptrace], _ conditions: [AuditCondition] = [], on architecture: AuditArchitecture = .native,
    key: String = "a"
  ) throws -> AuditRule {
    try #require(
      AuditRule(architecture: architecture, calls: calls, conditions: conditions, key: AuditHost.keyPrefix + key))
  }

  var probeRule: AuditRule {
    get throws { try rule([.ptrace], [.init(.argument3, .equal, 0x4c494c)]) }
  }

  // MARK: Control

  @Test func theStatusIsWhatAuditctlSays() async throws {
    try await AuditHost.withAudit { control in
      let status = try control.status()
      let words = try AuditHost.run(Self.auditctl, ["-s"]).output.split(separator: "\n")
      func said(_ name: String) -> UInt32? {
        words.first { $0.hasPrefix(name + " ") }.flatMap { UInt32($0.dropFirst(name.count + 1)) }
      }
      #expect(status.enabled == said("enabled") && status.isOn && !status.isLocked)
      #expect(status.failure == said("failure") && status.pid == said("pid"))
      #expect(status.rateLimit == said("rate_limit") && status.lost == said("lost"))
      #expect(status.backlogLimit == said("backlog_limit") && status.backlogWaitTime == said("backlog_wait_time"))
    }
  }

  @Test func auditingIsSwitched() async throws {
    try await AuditHost.withAudit { control in
      try control.setEnabled(true)
      #expect(try control.status().isOn)
    }
  }

  @Test func theBacklogLimitIsRaised() async throws {
    try await AuditHost.withAudit { control in
      let before = try control.status().backlogLimit
      try control.setBacklogLimit(before + 100)
      #expect(try control.status().backlogLimit == before + 100)
      try control.setBacklogLimit(before)
    }
  }

  @Test func aRuleComesAndGoes() async throws {
    try await AuditHost.withAudit { control in
      let rule = try rule()
      let before = try control.rules()
      #expect(throws: Errno.noEntry) { try control.delete(rule) }
      try control.add(rule)
      #expect(throws: Errno.exists) { try control.add(rule) }
      let own = try AuditHost.own(control)
      #expect(own.count == 1 && own[0].matches(rule) && own[0].key == Array(rule.key.utf8))
      #expect(try control.rules().count == before.count + 1)
      try control.delete(own[0])
      #expect(throws: Errno.noEntry) { try control.delete(own[0]) }
      #expect(try control.rules() == before)
    }
  }

  @Test func manyRulesAreListed() async throws {
    try await AuditHost.withAudit { control in
      let rules = try (0..<100).map { try rule([.ioctl], [.init(.argument1, .equal, UInt32($0) << 16)], key: "n\($0)") }
      for rule in rules { try control.add(rule) }
      let own = try AuditHost.own(control)
      #expect(own.count == rules.count)
      #expect(zip(own, rules).allSatisfy { $0.matches($1) }, "in the order in which they came")
      for rule in rules { try control.delete(rule) }
    }
  }

  @Test func fourThreadsAtOnceKeepTheirAnswers() async throws {
    try await AuditHost.withAudit { control in
      let second = try AuditControl()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<4 {
          let mine = task % 2 == 0 ? control : second
          let rule = try rule([.ioctl], key: "t\(task)")
          group.addTask {
            for _ in 0..<20 {
              try mine.add(rule)
              #expect(try mine.status().isOn)
              #expect(try mine.rules().contains { $0.matches(rule) })
              try mine.delete(rule)
              #expect(throws: Errno.noEntry) { try mine.delete(rule) }
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  // MARK: The same rule in auditctl's words

  static let everyCondition: [[AuditCondition]] =
    [[]]
    + AuditCondition.Comparison.allCases.map { [.init(.argument2, $0, 0x8000_0006)] }
    + AuditCondition.Field.allCases.map { [.init($0, .equal, 1)] }
    + AuditCondition.Field.allCases.map { [.init($0, .notEqual, 0)] }
    + [
      [.init(.exit, .equal, UInt32(bitPattern: -1))], [.init(.exit, .notEqual, UInt32(bitPattern: -38))],
      [.init(.exit, .greaterOrEqual, 0)], [.init(.auid, .equal, .max)], [.init(.auid, .notEqual, .max)],
      [.init(.uid, .greater, 999), .init(.uid, .lessOrEqual, 60000), .init(.argument1, .bitTest, 6)],
      [.init(.argument0, .equal, .max)], [.init(.argument0, .equal, 0x8000_0000)], [.init(.success, .equal, 0)],
      Array(repeating: .init(.argument1, .notEqual, 5), count: 61),
    ]

  /// Our line through auditctl and our rule through netlink are one rule to the kernel.
  @Test(arguments: AuditArchitecture.compatibles)
  func auditctlMakesTheSameRule(_ architecture: AuditArchitecture) async throws {
    try await AuditHost.withAudit { control in
      var rules = try Self.everyCondition.map { try rule([.mount, .ioctl], $0, on: architecture) }
      rules.append(try rule(KnownCall.allCases, on: architecture))
      for rule in rules {
        let said = try AuditHost.run(Self.auditctl, rule.text.split(separator: " ").map(String.init))
        try #require(said.status == 0, "\(rule.text): \(said.output)")
        let listed = try #require(try AuditHost.own(control).first)
        #expect(listed.matches(rule), "\(rule.text) became \(listed.text)")
        #expect(throws: Errno.exists, "\(rule.text)") { try control.add(rule) }
        try control.delete(rule)
        try control.add(rule)
        #expect(try AuditHost.own(control) == [listed])
        #expect(listed.text == rule.text, "listed rules read as they are written")
        try control.delete(listed)
      }
    }
  }

  /// The lines of others, as auditctl takes them and as ListedRule tells them.
  static let others: [(line: String, text: String?)] = [
    ("-a never,exit -F arch=b64 -S ptrace -F auid>=1000 -F key=lilium.test.o", nil),
    (
      "-a never,exit -S all -F uid=12345 -F key=lilium.test.o", "-a never,exit -S all -F uid=12345 -F key=lilium.test.o"
    ),
    ("-a always,exit -F arch=b64 -S openat -F path=/etc/passwd -F perm=wa -F key=lilium.test.o", nil),
    ("-a always,exit -F arch=b64 -S openat -F dir=/etc -F filetype=file -F key=lilium.test.o", nil),
    ("-a always,exit -F arch=b64 -S execve -F exe=/bin/ls -F success=1 -F key=lilium.test.o", nil),
    ("-w /etc/shadow -p rwa -k lilium.test.o", nil),
    ("-a never,task -F uid=12345", "-a never,task -F uid=12345"),
    ("-a always,exclude -F msgtype=CWD -F pid=1234567", nil),
    ("-a never,filesystem -F fstype=tracefs -F key=lilium.test.o", nil),
    ("-a always,exit -F arch=b64 -S mount -C uid!=euid -F key=lilium.test.o", nil),
  ]

  @Test(arguments: others.map(\.line))
  func rulesOfOthersAreListedAndDeleted(_ line: String) async throws {
    try await AuditHost.withAudit { control in
      let before = try control.rules()
      let said = try AuditHost.run(Self.auditctl, line.split(separator: " ").map(String.init))
      try #require(said.status == 0, "\(line): \(said.output)")
      let listed = try #require(try control.rules().first { !before.contains($0) })
      defer { #expect(throws: Never.self) { try control.delete(listed) } }
      #expect(listed.list != nil && listed.action != nil)
      if let expected = Self.others.first(where: { $0.line == line })?.text { #expect(listed.text == expected) }
      // auditctl itself lists it in nearly the same words.
      #expect(!listed.text.contains("?"), "\(listed.text)")
      if !line.contains("fstype"), !line.contains("-C") {
        let again = try AuditHost.run(Self.auditctl, listed.text.split(separator: " ").map(String.init))
        #expect(again.output.contains("exists"), "\(listed.text) is another rule: \(again.output)")
      }
    }
  }

  @Test func aRuleThatHidesACallIsSeen() async throws {
    try await AuditHost.withAudit { control in
      func listed(_ words: String) throws -> ListedRule {
        let before = try control.rules()
        let said = try AuditHost.run(Self.auditctl, words.split(separator: " ").map(String.init))
        try #require(said.status == 0, "\(said.output)")
        let found = try #require(try control.rules().first { !before.contains($0) })
        try control.delete(found)
        return found
      }
      let one = try listed("-a never,exit -F arch=b64 -S ptrace,mount -F key=lilium.test.h")
      #expect(one.action == .never && one.list == .exit && !one.hasOtherConditions)
      #expect(one.covers(.ptrace, on: .native) && one.covers(.mount, on: .native))
      #expect(!one.covers(.umount2, on: .native) && !one.covers(.ptrace, on: AuditArchitecture.compatibles[1]))
      let all = try listed("-a never,exit -S all -F auid=5 -F key=lilium.test.h")
      #expect(all.hasOtherConditions)
      for call in KnownCall.allCases {
        for architecture in AuditArchitecture.compatibles {
          #expect(all.covers(call, on: architecture) == (call.number(on: architecture) != nil))
        }
      }
      let other = try listed("-a never,exit -F arch!=b64 -S all -F key=lilium.test.h")
      #expect(!other.covers(.ptrace, on: .native) && other.covers(.ptrace, on: AuditArchitecture.compatibles[1]))
      let task = try listed("-a never,task -F uid=12345")
      #expect(task.list == .task && task.action == .never && !task.covers(.ptrace, on: .native))
      #expect(task.hasOtherConditions)
    }
  }
}
