// Owns starting a program that is to take this process's place: as a child of its parent, with descriptors of its own.
// It must not wait for it: whoever is its parent does.

internal import CSystemCalls
internal import Glibc

/// What one process starts to go on in its stead.
public struct SiblingProcess: ~Copyable, Sendable {
  public let pid: Int32
  public let handle: ProcessHandle

  /// The first number that a handed descriptor gets in the new process; the others follow.
  public static let firstDescriptor: Int32 = 3

  /// Starts a program whose parent is the caller's own, so that a manager of services sees its end. It gets standard
  /// input and output, and `descriptors` as 3, 4, and so on; no signal is blocked or ignored. Returns once it runs, or
  /// with what execve(2) says; EPERM may be a refusal of whoever guards the host. The calling thread alone waits.
  public static func start(
    _ path: String, _ arguments: [String], environment: [String], descriptors: [Int32]
  ) throws(Errno) -> SiblingProcess {
    let words = unsafe CWords(arguments)
    let variables = unsafe CWords(environment)
    var pidfd: Int32 = -1
    let name = unsafe strdup(path)
    defer { unsafe free(name) }
    // Everything that is pointed to outlives the call: it returns when the child needs it no more.
    let pid = try shimCall {
      unsafe descriptors.withUnsafeBufferPointer { numbers in
        var program = unsafe lil_program(
          path: name, arguments: words.pointer, environment: variables.pointer, descriptors: numbers.baseAddress,
          count: UInt32(numbers.count), error: 0)
        return unsafe lil_start_sibling(&program, &pidfd)
      }
    }
    unsafe withExtendedLifetime((words, variables)) {}
    return SiblingProcess(pid: pid, handle: ProcessHandle(owning: pidfd))
  }
}

/// A list of C strings that ends with NULL.
@unsafe private final class CWords {
  private let words: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
  var pointer: UnsafePointer<UnsafeMutablePointer<CChar>?> { unsafe UnsafePointer(words.baseAddress!) }

  init(_ texts: [String]) {
    unsafe words = .allocate(capacity: texts.count + 1)
    for (index, text) in texts.enumerated() { unsafe words.initializeElement(at: index, to: strdup(text)) }
    unsafe words.initializeElement(at: texts.count, to: nil)
  }

  deinit {
    for index in unsafe words.indices { unsafe free(words[index]) }
    unsafe words.deallocate()
  }
}
