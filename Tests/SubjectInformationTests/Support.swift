// Owns processes that a test starts and ends, files for them to run, and an information point that looks at them.
// It must not test anything.

import AccessModel
import Glibc
import SubjectInformation
import Synchronization
import SystemCalls
import Testing

/// A child process; killed and reaped when its owner goes.
final class Child {
  let pid: Int32
  private var isReaped = false

  /// Starts a program, and waits until the process runs it.
  init(_ arguments: [String], folder: String? = nil) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for number in 0...2 as ClosedRange<Int32> {
      posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
    }
    let names = arguments.map(Self.threadName)
    let arguments = (folder.map { ["/usr/bin/env", "-C", $0] } ?? []) + arguments
    var texts = arguments.map { strdup($0) } + [nil]
    defer { for text in texts { free(text) } }
    var child: pid_t = 0
    let error = posix_spawn(&child, arguments[0], &actions, nil, &texts, environ)
    pid = child
    if error != 0 { throw SystemCallError("posix_spawn", arguments[0], Errno(error)) }
    // posix_spawn(3) returns a little before the exec is done; env(1) changes the folder, then execs once more.
    for _ in 0..<5000 {
      let name = try? Descriptor.open("/proc/\(child)/comm", O_RDONLY).readAll(limit: 64)
      if let name, names.contains(Array(name.dropLast())) { return }
      Clock.sleep(nanoseconds: 1_000_000)
    }
  }

  /// What the kernel calls a thread that runs this path.
  private static func threadName(_ path: String) -> [UInt8] {
    Array((path.utf8.split(separator: 0x2f).last ?? path.utf8[...]).prefix(15))
  }

  /// Waits until the process is a zombie, and leaves it one.
  func waitUntilDead() {
    var info = siginfo_t()
    waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT)
  }

  func kill() { Glibc.kill(pid, SIGKILL) }

  func reap() {
    if isReaped { return }
    isReaped = true
    kill()
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  deinit { reap() }
}

/// A temporary folder that goes with its owner.
final class Folder {
  let path: String

  init() {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("mkdtemp") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  @discardableResult func write(_ name: String, _ text: String) throws -> String {
    try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o755).writeAll(text.utf8)
    return "\(path)/\(name)"
  }

  deinit {
    guard let stream = opendir(path) else { return }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      unlink("\(path)/\(name)")
    }
    closedir(stream)
    rmdir(path)
  }
}

/// A waiting room that counts who came, and may be full.
final class Room: WaitingRoom {
  private let entered = Atomic(0)
  private let left = Atomic(0)
  private let isFull: Bool
  init(isFull: Bool = false) { self.isFull = isFull }

  func enter() -> Bool {
    if isFull { return false }
    entered.add(1, ordering: .relaxed)
    return true
  }

  func leave() { left.add(1, ordering: .relaxed) }
  var visits: Int { entered.load(ordering: .relaxed) }
  var isEmpty: Bool { visits == left.load(ordering: .relaxed) }
}

let shell = Interpreter(
  name: "shell", paths: ["/bin/sh", "/usr/bin/{sh,dash}", "/usr/bin/sh", "/usr/bin/dash", "/usr/bin/bash"],
  suffixes: [".sh"], inlineOptions: "c", valueOptions: "oO", readsArguments: true)
let python = Interpreter(
  name: "python", paths: ["/usr/bin/python3*"], suffixes: [".py", ".pyc"], inlineOptions: "cm", valueOptions: "WX",
  readsArguments: true)

func information(_ interpreters: [Interpreter] = [shell, python], room: Room = Room()) throws -> SubjectInformation {
  SubjectInformation(interpreters: InterpreterTable(interpreters), namespaces: try InitialNamespaces(), room: room)
}

/// Fetches these facts about a process.
func facts(
  _ wanted: FactSet, of pid: Int32, object: Int32 = -1, by information: SubjectInformation? = nil
) throws -> Facts {
  let facts = Facts()
  facts.begin(pid: pid, operation: .open, objectHandle: object)
  try (information ?? SubjectInformationTests.fresh()).fetch(wanted, into: facts)
  #expect(facts.missing(of: wanted.intersection(.subject)) == [], "nothing that was wanted is left missing")
  #expect(facts.present.isDisjoint(with: facts.failed))
  return facts
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
