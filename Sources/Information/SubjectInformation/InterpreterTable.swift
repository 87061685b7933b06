// Owns which programs the configuration calls interpreters, compiled for comparing bytes; replaced on reload.
// It must not look at a process.

public import AccessModel
internal import Glibc
internal import Synchronization
internal import SystemCalls

/// One interpreter as the answer path compares it.
final class CompiledInterpreter: Sendable {
  let patterns: [[CChar]]
  let suffixes: [[UInt8]]
  let inlineOptions: [UInt8]
  let valueOptions: [UInt8]
  let readsArguments: Bool

  init(_ interpreter: Interpreter) {
    patterns = interpreter.paths.map { $0.utf8.map { CChar(bitPattern: $0) } + [0] }
    suffixes = interpreter.suffixes.map { Array($0.utf8) }
    inlineOptions = Array(interpreter.inlineOptions.utf8)
    valueOptions = Array(interpreter.valueOptions.utf8)
    readsArguments = interpreter.readsArguments
  }

  /// Whether the program's path, ended by a zero byte, matches (fnmatch(3); a wildcard does not match a slash).
  func matches(_ path: UnsafePointer<CChar>) -> Bool {
    patterns.contains { unsafe fnmatch($0, path, FNM_PATHNAME) == 0 }
  }
}

extension CompiledInterpreter {
  /// Whether a path of the initial mount namespace that matches names this very file. Reads folders: for a thread that
  /// nobody waits for.
  func names(_ status: FileStatus) -> Bool {
    patterns.contains { pattern in
      var found = unsafe glob_t()
      defer { unsafe globfree(&found) }
      guard unsafe glob(pattern, GLOB_NOSORT, nil, &found) == 0 else { return false }
      for index in 0..<Int(unsafe found.gl_pathc) {
        guard let path = unsafe found.gl_pathv[index] else { continue }
        if let other = try? unsafe FileStatus.of(path: path), other.isSameFile(as: status) { return true }
      }
      return false
    }
  }
}

/// Shared by all threads.
public final class InterpreterTable: Sendable {
  struct Snapshot: Sendable {
    /// Counts replacements: what was learnt under another number is void.
    var generation: UInt64 = 0
    var interpreters: [CompiledInterpreter] = []
  }

  private let state = Mutex(Snapshot())
  private let generation = Atomic<UInt64>(0)

  public init(_ interpreters: [Interpreter]) { replace(with: interpreters) }

  public func replace(with interpreters: [Interpreter]) {
    let compiled = interpreters.map(CompiledInterpreter.init)
    state.withLock {
      $0.interpreters = compiled
      $0.generation += 1
      generation.store($0.generation, ordering: .releasing)
    }
  }

  var currentGeneration: UInt64 { generation.load(ordering: .acquiring) }
  var snapshot: Snapshot { state.withLock { $0 } }
}
