// Builds what the kernel would have recorded, as its own text, so that no test depends on a parser's shortcuts.

import AccessModel
import Foundation
import SystemCalls
import Testing

@testable import AuditNetlink
@testable import AuditResponse
@testable import ProcFS

/// The lines of one event; all share a time and a serial.
struct RecordText {
  var call: KnownCall
  var architecture = AuditArchitecture.x86_64
  var arguments: [UInt64] = []
  var success = "yes"
  var exit = "0"
  var pid: Int32 = 4242
  var uids = "auid=1000 uid=1001 gid=1002 euid=1003 suid=1003 fsuid=1003 egid=1004 sgid=1004 fsgid=1004"
  var tail = #"tty=pts3 ses=7 comm="bash" exe="/usr/bin/bash" subj=unconfined key="lilium.x""#
  /// Type and text of the other records.
  var others: [(type: UInt16, text: String)] = []
  /// Nanoseconds since the epoch.
  var time: Int64 = 1_700_000_000_123_000_000

  var syscall: String {
    let words = (0..<4).map { "a\($0)=" + String($0 < arguments.count ? arguments[$0] : 0, radix: 16) }
    let number = call.number(on: architecture) ?? 9999
    return "arch=\(String(architecture.rawValue, radix: 16)) syscall=\(number) success=\(success) exit=\(exit) "
      + words.joined(separator: " ") + " items=0 ppid=4200 pid=\(pid) \(uids) \(tail)"
  }

  func event() throws -> AuditEvent {
    try RecordText.event([(AuditType.syscall, syscall)] + others, time: time)
  }

  func record() throws -> CallRecord { try #require(CallRecord(event())) }

  static func event(
    _ lines: [(type: UInt16, text: String)], time: Int64 = 1_700_000_000_123_000_000
  ) throws -> AuditEvent {
    let seconds = time / 1_000_000_000
    let milliseconds = String(time / 1_000_000 % 1000 + 1000).dropFirst()
    var assembler = EventAssembler()
    for line in lines + [(AuditType.eoe, "")] {
      let text = "audit(\(seconds).\(milliseconds):77): \(line.text)"
      assembler.add(try #require(AuditEntry(type: line.type, text: Array(text.utf8))), now: 0)
    }
    let event = assembler.takeReady(now: 0)
    return try #require(event)
  }

  /// As the kernel writes text that holds a blank, a quote, a control character or a byte beyond ASCII.
  static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { String(format: "%02X", $0) }.joined()
  }
}

extension RecordText {
  /// CWD and PATH records of a call that was given names of files; `names` as they stand behind `name=`.
  func naming(_ names: [String], from folder: String = #""/home/ada""#) -> RecordText {
    var changed = self
    changed.others.append((AuditType.cwd, "cwd=\(folder)"))
    for (item, name) in names.enumerated() {
      changed.others.append(
        (
          AuditType.path,
          "item=\(item) name=\(name) inode=\(item + 2) dev=00:2a mode=040755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL "
            + "cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0"
        ))
    }
    return changed
  }
}

/// A mount as a table shows it.
func entry(_ id: UInt64, _ place: String, type: String = "tmpfs", source: String = "none") -> MountEntry {
  MountEntry(
    id: id, parent: 1, major: 0, minor: 42, root: Array("/".utf8), mountPoint: Array(place.utf8),
    type: Array(type.utf8), source: Array(source.utf8))
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
func texts(_ list: [[UInt8]]) -> [String] { list.map(text) }

/// What a request says of itself, before anybody fetches more.
func described(_ mechanism: Mechanism, _ record: CallRecord, mount: MountFinding? = nil) -> Facts {
  let facts = Facts()
  facts.begin(pid: record.pid, operation: .call)
  CallRequest(
    record, mechanism: mechanism, received: 0, caller: nil, mount: mount, namespaces: record.namespacesByFlags
  )
  .describe(into: facts)
  return facts
}

/// Mounts that were there all along.
func longAgo(_ entries: [MountEntry]) -> [MountLedger.Identity: Int64] {
  Dictionary(entries.map { (MountLedger.Identity($0), 0) }, uniquingKeysWith: { first, _ in first })
}
