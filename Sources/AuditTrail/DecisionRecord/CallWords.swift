// Owns the words in which a record tells a person what a system call was about.
// It must not show a text that came with the call as it is: each goes through `displayText`.

internal import AccessModel

extension TrailEntry {
  /// What was called and what it was about, with the error where it failed: `TIOCSTI on /dev/pts/3 -> EPERM`.
  var callWords: String {
    guard present.contains(.call) else { return "(unknown call)" }
    guard let result = call.result, result < 0 else { return deedWords }
    return "\(deedWords) -> \(ErrorNames.name(ofResult: result))"
  }

  private var deedWords: String {
    switch decision.mechanism {
    case .ptrace: joined(requestWords, targetWords.map { "of \($0)" })
    case .mprotect: joined(list(call.protection, "|"), nameWords)
    case .module: moduleWords
    case .kexec: joined(nameWords, list(call.flags, "|"))
    case .mount: mountWords
    case .clone: cloneWords
    case .ioctl: joined(requestWords, placeWords.map { "on \($0)" })
    case .exec, .open: nameWords
    }
  }

  /// `tmpfs on /mnt from none`, where a file system was mounted and its type is known; else the call and its place.
  private var mountWords: String {
    let source = present.contains(.callSource) && !call.source.isEmpty ? "from \(displayText(call.source))" : nil
    guard present.contains(.objectFileSystem), !object.fileSystemType.isEmpty, mountsAnew else {
      return joined(nameWords, list(call.flags, "|"), placeWords, source)
    }
    return joined(displayText(object.fileSystemType), placeWords.map { "on \($0)" }, source)
  }

  /// Not a bind, a move or a change of what is mounted: their file system is beside the point.
  private var mountsAnew: Bool {
    let others: Set<[UInt8]> = [Array("MS_BIND".utf8), Array("MS_MOVE".utf8), Array("MS_REMOUNT".utf8)]
    guard others.isDisjoint(with: call.flags) else { return false }
    return ["mount", "fsmount", "move_mount"].contains { call.name.elementsEqual($0.utf8) }
  }

  private var moduleWords: String {
    let verb = call.name.starts(with: "delete".utf8) ? nameWords : "module"
    let name = present.contains(.callModule) && !call.module.isEmpty ? displayText(call.module) : nil
    guard name != nil || placeWords != nil else { return nameWords }
    return joined(verb, name, placeWords.map { name == nil ? $0 : "from \($0)" })
  }

  private var cloneWords: String {
    let kinds = present.contains(.callNamespaces) ? list(call.namespaces, ",") : nil
    return joined(nameWords, kinds ?? list(call.flags, "|"))
  }

  private var nameWords: String { displayText(call.name) }

  /// The request, or the call itself where it has none, as process_vm_writev(2) has not.
  private var requestWords: String { call.request.isEmpty ? nameWords : displayText(call.request) }

  /// `sshd[812] uid 0`. As for the subject, the program's own file name is shown rather than comm.
  private var targetWords: String? {
    guard present.contains(.targetStatus) else { return nil }
    let isKnown = present.contains(.targetExecutable) && !target.executable.isEmpty
    let name = isKnown ? lastComponent(target.executable) : target.comm
    return "\(displayText(name))[\(target.pid)] uid \(target.uid)"
  }

  private var placeWords: String? {
    guard present.contains(.objectPath), !object.path.isEmpty else { return nil }
    return displayText(object.path) + (object.pathVerified ? "" : " (unverified)")
  }

  private func list(_ words: [[UInt8]], _ separator: String) -> String? {
    words.isEmpty ? nil : words.map(displayText).joined(separator: separator)
  }

  private func joined(_ parts: String?...) -> String { parts.compactMap(\.self).joined(separator: " ") }
}
