// Owns what the information points of all threads share, and makes one for each thread.
// It must not fetch anything.

import AccessModel
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
  private let protected = Mutex<any ProtectedNames>(NoProtectedNames())

  init(interpreters: [Interpreter]) throws(SystemCallError) {
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
      subject: SubjectInformation(interpreters: interpreters, namespaces: namespaces, room: room))
  }
}
