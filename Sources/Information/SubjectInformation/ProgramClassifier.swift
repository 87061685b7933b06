// Owns the question what kind of program a process runs: loader, configured interpreter, or neither.
// It must not trust a name: a program is known by its content (loader) or by its true path (interpreter).

internal import AccessModel
internal import BinaryFormat
internal import ProcFS
internal import SystemCalls

/// What a program is to a file that it opens.
struct ClassifiedProgram {
  var programClass: ProgramClass
  var interpreter: CompiledInterpreter?
}

/// One thread's classifier. What a program file is, is remembered by device, inode, change time and size; the file of
/// the process itself is looked up every time.
final class ProgramClassifier {
  private struct Entry {
    var status: FileStatus
    var generation: UInt64
    var program: ClassifiedProgram
  }

  private static let slots = 256
  private var known: [Entry?] = Array(repeating: nil, count: slots)
  private let interpreters: InterpreterTable
  private let room: any WaitingRoom
  private let paths = ExecutablePath(cachedOnly: false)
  private var path: [UInt8] = []

  init(interpreters: InterpreterTable, room: any WaitingRoom) {
    self.interpreters = interpreters
    self.room = room
    path.reserveCapacity(4096)
  }

  func classify(_ pid: Int32) -> Result<ClassifiedProgram, FailureBox> {
    do {
      let status = try ProcessFile.exe.status(pid: pid)
      let slot = Int(truncatingIfNeeded: status.inode &* 0x9E37_79B9_7F4A_7C15 >> 56) & (Self.slots - 1)
      let generation = interpreters.currentGeneration
      if let entry = known[slot], entry.status == status, entry.generation == generation {
        return .success(entry.program)
      }
      let program = try learn(pid, status)
      // A second name may be a path that the configuration does not mean: such a file is looked up every time.
      if status.links == 1 { known[slot] = Entry(status: status, generation: generation, program: program) }
      return .success(program)
    } catch {
      return .failure(FailureBox(error))
    }
  }

  private func learn(_ pid: Int32, _ status: FileStatus) throws(Errno) -> ClassifiedProgram {
    if try runsLoader(pid) { return ClassifiedProgram(programClass: .loader, interpreter: nil) }
    let verified = try paths.read(pid, status, into: &path)
    path.append(0)
    defer { path.removeLast() }
    let configured = interpreters.snapshot.interpreters
    let match = unsafe path.withUnsafeBytes { bytes in
      let text = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
      return configured.first { unsafe $0.matches(text) }
    }
    if let match { return ClassifiedProgram(programClass: .interpreter, interpreter: match) }
    if !verified, let hidden = try hiddenInterpreter(status, configured) {
      return ClassifiedProgram(programClass: .interpreter, interpreter: hidden)
    }
    return ClassifiedProgram(programClass: .ordinary, interpreter: nil)
  }

  /// An interpreter under a path that was bound over it: known by its inode.
  private func hiddenInterpreter(
    _ status: FileStatus, _ configured: [CompiledInterpreter]
  ) throws(Errno) -> CompiledInterpreter? {
    guard room.enter() else { throw .again }
    defer { room.leave() }
    return configured.first { $0.names(status) }
  }

  /// A library that runs as a program; a static position-independent program looks alike but for its own word. Opening /proc/PID/exe raises an event of
  /// our own, which another thread answers at once: so this thread leaves the answer path first.
  private func runsLoader(_ pid: Int32) throws(Errno) -> Bool {
    guard room.enter() else { throw .again }
    defer { room.leave() }
    let program = try unsafe ProcessFile.exe.withPath(pid: pid) { path throws(Errno) in
      try unsafe Descriptor.open(path, 0)
    }
    return try isLoader(program.rawValue)
  }
}

extension ProgramClassifier {
  private func isLoader(_ descriptor: Int32) throws(Errno) -> Bool {
    var failed: Errno?
    let finding = unsafe withUnsafeTemporaryAllocation(byteCount: BinaryInspection.headSize, alignment: 8) { head in
      unsafe BinaryInspection.inspect(head: head) { offset, buffer in
        do throws(Errno) { return try unsafe readDescriptor(descriptor, buffer, at: Int64(clamping: offset)) } catch {
          failed = error
          return nil
        }
      }
    }
    guard let finding else { throw failed ?? .invalid }
    return finding.isLoadableLibrary && finding.format == .elfLibrary
  }
}

/// An errno as the failure that it stands for.
struct FailureBox: Error {
  let failure: Failure
  init(_ error: Errno) { failure = error == .again ? .outOfThreads : SubjectInformation.failure(error) }
}
