// Owns what the information points of all threads share, and makes one for each thread.
// It must not fetch anything.

import AccessModel
import Configuration
import FanotifyEnforcement
import Integrity
import ObjectInformation
import ProcFS
import SubjectInformation
import Synchronization
import SystemCalls

final class InformationFactory: Sendable {
  let mounts = MountTable()
  let interpreters: InterpreterTable
  let namespaces: InitialNamespaces
  let processes: ProcessTable
  /// What the kernel remembers of allows, and who hears of changed files; nil where this kernel can do neither.
  let memory: RememberedAllows?
  let integrity = IntegrityModes()
  private let digests = DigestCache()
  private let storage: StorageTable
  private let trust: any TrustBase
  private let protected = Mutex<any ProtectedNames>(NoProtectedNames())

  init(interpreters: [Interpreter], trust: any TrustBase) throws(SystemCallError) {
    self.trust = trust
    memory = try? RememberedAllows()
    memory?.inform(digests)
    storage = memory?.storage ?? StorageTable()
    self.interpreters = InterpreterTable(interpreters)
    namespaces = try InitialNamespaces()
    processes = ProcessTable(namespaces: namespaces)
  }

  /// Files that open rules name, for the threads that are made from now on.
  func protect(with names: any ProtectedNames) { protected.withLock { $0 = names } }

  func make(for mechanism: Mechanism, room: any WaitingRoom) -> any InformationPoint {
    if mechanism.isCall { return CallSubjectInformation(processes: processes) }
    let names: any ProtectedNames = mechanism == .open ? protected.withLock { $0 } : NoProtectedNames()
    return Information(
      object: ObjectInformation(mounts: mounts, room: room, protected: names),
      // Nil only where there is no memory left for a digest.
      integrity: try? IntegrityInformation(
        base: trust, cache: digests, modes: integrity, watch: memory ?? NoContentWatch(), room: room,
        storage: storage),
      subject: SubjectInformation(interpreters: interpreters, namespaces: namespaces, room: room))
  }
}

/// Where the kernel tells of no change, no digest is kept.
private struct NoContentWatch: ContentWatch {
  func watch(_ descriptor: Int32) -> Bool { false }
}

extension IntegrityModes {
  func replace(with settings: IntegritySettings) {
    let everywhere = (place: [UInt8](), mode: settings.mode)
    replace(with: [everywhere] + settings.prefixes.map { (place: Array($0.path.utf8), mode: $0.mode) })
  }
}
