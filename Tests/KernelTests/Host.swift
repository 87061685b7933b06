// Owns one test's own small host: a shell in a private mount namespace, a tmpfs that may be marked, a liliumd on it.
// It must not mark any file system that others use: every daemon that it starts is given its own mount point alone.

import Foundation
import Testing

/// What a command did.
struct Outcome: Sendable, CustomStringConvertible {
  var status: Int32
  var output: String
  var description: String { "status \(status): \(output)" }
}

struct HostError: Error, CustomStringConvertible {
  let description: String
}

/// A shell under `unshare -m` and `timeout -s KILL`, driven over pipes. Everything that it started ends with it.
final class Host {
  let folder: String
  /// The mount point of the file system that may be marked.
  var mount: String { "\(folder)/m" }
  private let shell = Process()
  private let input = Pipe()
  private let output = Pipe()
  private var buffered = Data()

  init(fileSystem: String = "tmpfs", seconds: Int = 180) throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw HostError(description: "mkdtemp failed") }
    folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    shell.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    shell.arguments = [
      "-s", "KILL", "\(seconds)", "unshare", "-m", "--propagation", "private", "bash", "--norc", "--noprofile",
    ]
    shell.standardInput = input
    shell.standardOutput = output
    shell.standardError = output
    try shell.run()
    try check(run("chmod 755 . && mkdir m rules state"))
    if fileSystem == "tmpfs" {
      try check(run("mount -t tmpfs -o mode=755 tmpfs m"))
    } else {
      try check(
        run(
          "truncate -s \(fileSystem == "xfs" ? 512 : 128)M image && mkfs.\(fileSystem) -q image && mount -o loop image m && chmod 755 m"
        ))
    }
  }

  deinit {
    _ = try? run(
      "kill $(cat daemon.pid) 2>/dev/null; wait; \(endDaemons); umount -R m 2>/dev/null; exit 0", seconds: 10)
    try? input.fileHandleForWriting.close()
    shell.terminate()
    shell.waitUntilExit()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Ends what took over from a daemon of this host, and is no child of its shell. Before its file system goes, on which
  /// it must not be left without.
  var endDaemons: String { "for p in $(pgrep -f ^\(folder)/liliumd); do kill -KILL $p; done" }

  /// Runs a script in a subshell of the host; standard error and output are one.
  func run(_ script: String, seconds: Double = 60) throws -> Outcome {
    let mark = "--end-\(UInt64.random(in: 1...(.max)))--"
    let text = "( cd \(folder) && { \(script)\n} ) 2>&1 </dev/null; printf '\\n\(mark) %d\\n' $?\n"
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    let end = Date().addingTimeInterval(seconds)
    while true {
      if let range = buffered.range(of: Data("\n\(mark) ".utf8)), buffered[range.upperBound...].contains(0x0a) {
        let before = String(decoding: buffered[..<range.lowerBound], as: UTF8.self)
        let rest = buffered[range.upperBound...]
        let line = rest.prefix { $0 != 0x0a }
        buffered = Data(rest.dropFirst(line.count + 1))
        let status = Int32(String(decoding: line, as: UTF8.self)) ?? -1
        return Outcome(status: status, output: before.trimmingCharacters(in: .newlines))
      }
      var ready = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard end.timeIntervalSinceNow > 0 else {
        throw HostError(description: "no answer in \(seconds) s to: \(script)")
      }
      guard poll(&ready, 1, 200) > 0 else { continue }
      let more = output.fileHandleForReading.availableData
      if more.isEmpty {
        throw HostError(description: "the host's shell ended: \(String(decoding: buffered, as: UTF8.self))")
      }
      buffered.append(more)
    }
  }

  func check(_ outcome: Outcome) throws {
    guard outcome.status == 0 else { throw HostError(description: outcome.description) }
  }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    chmod("\(folder)/\(name)", 0o644)
  }

  func read(_ name: String) -> String {
    (try? String(decoding: Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")), as: UTF8.self)) ?? ""
  }
}

// MARK: - The daemon

extension Host {
  /// Where the test runner's own build put liliumd and liliumctl.
  static let products: String = {
    let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return (runner as NSString).deletingLastPathComponent
  }()

  static func configuration(
    _ mounts: [String], socket: String, exec: String, open: String, calls: String = "", logsAllows: Bool = true,
    more: String
  ) -> String {
    """
    [mode]
    exec = "\(exec)"
    open = "\(open)"
    \(calls)
    [coverage]
    filesystems = [\(mounts.map { "\"\($0)\"" }.joined(separator: ", "))]
    [log]
    allows = \(logsAllows)
    rate_limit = { per_second = 1000000, burst = 1000000 }
    queue = 65536
    [control]
    socket = "\(socket)"
    group = ""
    \(more)
    """
  }

  /// Writes configuration and rules and starts liliumd; returns once it is ready. A test that unmounts the file
  /// system names a folder on it for `coverage`: its mount point would then be the host's own. Records go to `records.json`.
  func start(
    rules: String, coverage: String? = nil, exec: String = "enforce", open: String = "off", calls: String = "",
    logsAllows: Bool = true, more: String = "", also: [String] = [], seconds: Int = 150
  ) throws {
    try write("rules/50-test.rules", rules)
    try write(
      "lilium.toml",
      Self.configuration(
        [coverage ?? mount] + also, socket: "\(folder)/control.sock", exec: exec, open: open, calls: calls,
        logsAllows: logsAllows, more: more))
    try restart(seconds: seconds)
  }

  /// Starts liliumd with the configuration and the rules as they are.
  func restart(seconds: Int = 150) throws {
    try check(
      run(
        """
        rm -f daemon.err daemon.pid
        timeout -s KILL \(seconds) \(Self.products)/liliumd --config lilium.toml --rules rules --state state \
          --foreground --output json > records.json 2> daemon.err &
        echo $! > timeout.pid
        for i in $(seq 200); do
          grep -q Ctrl-C daemon.err && break
          kill -0 $! 2>/dev/null || { cat daemon.err; exit 1; }
          sleep 0.05
        done
        grep -q Ctrl-C daemon.err && pgrep -P $(cat timeout.pid) > daemon.pid
        """))
  }

  /// Ends the daemon in order and returns when it is gone.
  func stop() throws -> Outcome {
    try run(
      """
      kill -TERM $(cat daemon.pid)
      for i in $(seq 200); do kill -0 $(cat daemon.pid) 2>/dev/null || break; sleep 0.05; done
      kill -0 $(cat daemon.pid) 2>/dev/null && { echo still running; exit 1; }
      cat daemon.err
      """)
  }

  func control(_ arguments: String) throws -> Outcome {
    try run("\(Self.products)/liliumctl \(arguments) --socket control.sock")
  }

  /// The decision records that are written so far.
  func records() throws -> [[String: Any]] {
    try read("records.json").split(separator: "\n").map { line in
      guard let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        throw HostError(description: "not a record: \(line)")
      }
      return record
    }
  }

  /// Waits until a record satisfies the condition.
  func record(_ matches: ([String: Any]) -> Bool) throws -> [String: Any]? {
    for _ in 0..<60 {
      if let found = try? records().first(where: matches) { return found }
      usleep(50_000)
    }
    return nil
  }

  /// Copies of a small program: allowed under every name that does not begin with `bad`.
  func addPrograms() throws {
    try check(
      run("cp /bin/true m/good && cp /bin/true m/bad && printf '#!/bin/sh\\necho ran\\n' > m/bad.sh && chmod 755 m/*"))
  }

  /// Denies what lies under a name that begins with `bad`, as most tests want it.
  var usualRules: String {
    """
    deny exec when object.path.startsWith("\(mount)/bad")
    allow exec
    """
  }
}

extension [String: Any] {
  subscript(path keys: String...) -> Any? {
    var value: Any? = self
    for key in keys { value = (value as? [String: Any])?[key] }
    return value
  }
}
