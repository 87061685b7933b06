// Holds the flat form: names that journald takes, exact bytes, weights, and the hint on a denial.

import AccessModel
import DecisionRecord
import Testing

@Suite("Journal form")
struct JournalFormTests {
  @Test("a decision's fields in their order")
  func golden() {
    let made = record(entry()).journalFields.map { "\($0.name)=\(text($0.value))" }
    #expect(
      made == [
        "MESSAGE=deny exec of /tmp/x by bash[1234] uid 1000: 50-site.rules:12; "
          + "to learn more: liliumctl explain 7f3a9c-42",
        "MESSAGE_ID=c1a5d6d3fe8d4fd7817f31e7f59c46d7", "PRIORITY=4", "SYSLOG_IDENTIFIER=liliumd", "OBJECT_PID=1234",
        "LILIUM_SCHEMA=1", "LILIUM_ID=7f3a9c-42", "LILIUM_TIME=2026-01-31T12:00:00.123456Z", "LILIUM_KIND=decision",
        "LILIUM_MECHANISM=exec", "LILIUM_MODE=enforce", "LILIUM_VERDICT=deny", "LILIUM_EFFECT=prevented",
        "LILIUM_REASON=rule", "LILIUM_RULE=50-site.rules:12", "LILIUM_ANSWER_US=14", "LILIUM_SUBJECT_PID=1234",
        "LILIUM_SUBJECT_PPID=1", "LILIUM_SUBJECT_START=123", "LILIUM_SUBJECT_UID=1000", "LILIUM_SUBJECT_EUID=0",
        "LILIUM_SUBJECT_GID=100", "LILIUM_SUBJECT_AUID=1000", "LILIUM_SUBJECT_SESSION=3",
        "LILIUM_SUBJECT_EXE=/usr/bin/bash", "LILIUM_SUBJECT_COMM=bash", "LILIUM_SUBJECT_CAPABILITIES=CAP_CHOWN",
        "LILIUM_SUBJECT_CAPABILITIES=CAP_SYS_PTRACE", "LILIUM_SUBJECT_USERNS_INITIAL=true",
        "LILIUM_SUBJECT_MNTNS_INITIAL=false", "LILIUM_SUBJECT_CGROUP=/system.slice/x.service",
        "LILIUM_SUBJECT_UNIT=x.service", "LILIUM_SUBJECT_IDENTITY=certain", "LILIUM_OBJECT_PATH=/tmp/x",
        "LILIUM_OBJECT_PATH_VERIFIED=true", "LILIUM_OBJECT_DEV=8:1", "LILIUM_OBJECT_INODE=12",
        "LILIUM_OBJECT_SIZE=34", "LILIUM_OBJECT_OWNER=1000", "LILIUM_OBJECT_GROUP=1000", "LILIUM_OBJECT_MODE=0755",
        "LILIUM_OBJECT_LINKS=1", "LILIUM_OBJECT_KIND=elf-executable", "LILIUM_OBJECT_FSTYPE=ext4",
        "LILIUM_OPERATION_KIND=execute",
      ])
  }

  @Test("names keep their exact bytes; the message cannot be driven by them", arguments: hostileNames)
  func hostile(name: [UInt8]) throws {
    let fields = record(named: name).journalFields
    #expect(fields.filter { $0.name == "LILIUM_OBJECT_PATH" }.map(\.value) == [name])
    #expect(fields.filter { $0.name == "LILIUM_SUBJECT_EXE" }.map(\.value) == [name])
    let message = try #require(fields.first { $0.name == "MESSAGE" })
    #expect(!drivesReader(message.value))
    #expect(!fields.contains { $0.name.hasSuffix("_B64") })
  }

  @Test("every name is one that journald takes")
  func names() {
    let all = record(entry(failure: .objectUnreadable)).journalFields.map(\.name)
    #expect(all.allSatisfy { $0.utf8.count <= 64 && $0.wholeMatch(of: /[A-Z][A-Z0-9_]*/) != nil })
  }

  @Test(
    "weights",
    arguments: [
      (decision(.deny, mode: .enforce), 4),
      (decision(.deny, mode: .audit), 5),
      (decision(.allow, mode: .enforce), 6),
      (decision(.allow, .failure(.deadline), mode: .enforce), 4),
      (decision(.deny, .failure(.deadline), mode: .audit), 4),
    ])
  func weights(decision: Decision, expected: Int) { #expect(record(entry(decision)).priority == expected) }

  @Test("an allow has no hint")
  func hint() {
    #expect(record(entry(decision(.allow))).message == "allow exec of /tmp/x by bash[1234] uid 1000: 50-site.rules:12")
    #expect(record(entry(decision(.deny, mode: .audit))).message.hasSuffix("liliumctl explain 7f3a9c-42"))
  }
}
