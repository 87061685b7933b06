// Owns asking a program a question: it is started without a shell, in an environment of its own, and what it prints is
// taken. It must not be used with text of others as a program's name.

internal import Glibc
internal import SystemCalls

enum ProgramOutput {
  /// A program that has not answered by then never will.
  private static let patience: UInt64 = 300_000_000_000
  private static let environment = ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
  private static let largestComplaint = 4096

  /// Standard output of a program that has ended well; its complaint becomes the error.
  static func of(_ program: String, _ arguments: [String], limit: Int) throws(TrustSourceError) -> [UInt8] {
    let end: (output: [UInt8], complaint: [UInt8], status: Int32)
    do throws(Errno) { end = try run(program, arguments, limit: limit) } catch Errno(EFBIG) {
      throw failure(program, "printed more than \(limit) bytes")
    } catch Errno(ETIMEDOUT) {
      throw failure(program, "gave no answer within \(patience / 1_000_000_000) s")
    } catch { throw failure(program, "cannot be run: \(error)") }
    guard end.status == 0 else {
      let line = end.complaint.split(separator: 0x0a).first ?? []
      let said =
        line.isEmpty ? "" : ": " + String(decoding: line, as: UTF8.self).filter { !$0.isNewline && $0 != "\u{1b}" }
      throw failure(program, "failed with \(meaning(of: end.status))\(said)")
    }
    return end.output
  }

  private static func failure(_ program: String, _ message: String) -> TrustSourceError {
    TrustSourceError(.program, program, message, remedy: "run it by hand to see what is wrong with its database")
  }

  private static func meaning(of status: Int32) -> String {
    status & 0x7f == 0 ? "exit status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
  }

  private static func run(
    _ program: String, _ arguments: [String], limit: Int
  ) throws(Errno) -> (output: [UInt8], complaint: [UInt8], status: Int32) {
    var output = try Channel()
    var complaint = try Channel()
    let pid = try start(program, arguments, output: output.writing, complaint: complaint.writing)
    // Only the child may hold the writing ends: their closing is what ends the reading.
    output.closeWriting()
    complaint.closeWriting()
    do throws(Errno) {
      let texts = try collect(output.reading, complaint.reading, limit: limit)
      return (texts.output, texts.complaint, try wait(for: pid))
    } catch {
      ChildProcess.end(pid)
      throw error
    }
  }

  /// socketpair(2), which unlike pipe(2) leaves no moment in which a program that another thread starts gets an end of
  /// it.
  private struct Channel: ~Copyable {
    private let readingEnd: Descriptor
    private var writingEnd: Descriptor?
    let writing: Int32
    var reading: Int32 { readingEnd.rawValue }

    init() throws(Errno) {
      var ends: [Int32] = [-1, -1]
      let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
      _ = try systemCall { socketpair(AF_UNIX, type, 0, &ends) }
      readingEnd = Descriptor(owning: ends[0])
      writingEnd = Descriptor(owning: ends[1])
      writing = ends[1]
    }

    mutating func closeWriting() { writingEnd = nil }
  }

  /// posix_spawn(3) with nothing to read and these ends to write to.
  private static func start(
    _ program: String, _ arguments: [String], output: Int32, complaint: Int32
  ) throws(Errno) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, complaint, 2)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    var settings: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for word in words + settings { free(word) } }
    var pid: pid_t = 0
    let error = posix_spawn(&pid, program, &actions, nil, &words, &settings)
    guard error == 0 else { throw Errno(error) }
    return pid
  }

  /// Reads both until both have ended, so that neither can fill up and stop the program.
  private static func collect(
    _ output: Int32, _ complaint: Int32, limit: Int
  ) throws(Errno) -> (output: [UInt8], complaint: [UInt8]) {
    let deadline = Clock.monotonic() + patience
    var texts: [[UInt8]] = [[], []]
    var open = [output, complaint]
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while open != [-1, -1] {
      guard Clock.monotonic() < deadline else { throw Errno(ETIMEDOUT) }
      let ready = try waitForEvents(open.map { ($0, PollEvents.input) }, milliseconds: 1000)
      for index in 0..<2 where ready[index] != 0 {
        var failed: Errno?
        let got = chunk.withUnsafeMutableBytes { part in
          do throws(Errno) { return try readDescriptor(open[index], part) } catch {
            failed = error
            return 0
          }
        }
        if let failed { throw failed }
        if got == 0 { open[index] = -1 }
        // A complaint is cut, an output is whole or useless.
        let room = index == 0 ? got : min(got, largestComplaint - texts[1].count)
        texts[index].append(contentsOf: chunk[..<room])
        if texts[0].count > limit { throw Errno(EFBIG) }
      }
    }
    return (texts[0], texts[1])
  }

  private static func wait(for pid: Int32) throws(Errno) -> Int32 {
    var status: Int32 = 0
    _ = try systemCall { waitpid(pid, &status, 0) }
    return status
  }
}
