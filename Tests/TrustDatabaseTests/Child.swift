// Owns running parts of these tests in a process of their own: this program once more, with one test and a scenario.
// A scenario that is not kept ends with a status that is not 0.

import Glibc
import SystemCalls
import Testing
import TrustDatabase

/// What a child does with the store in its folder.
enum Scenario: String {
  /// Changes all entries of the store in each generation, until it is killed.
  case writeForEver
  /// Adds one to a counter 25 times.
  case count
  /// Holds the lock until it is killed.
  case hold
  /// Fills the file system that the store is on; then makes room.
  case fill
  /// The same with a limit on the size of files, and SIGXFSZ ignored.
  case limit
  /// Reads what it cannot write.
  case read
}

enum Child {
  private static let variable = "LILIUM_TRUST_SCENARIO"
  private static var program: String {
    (try? String(decoding: readLink("/proc/self/exe"), as: UTF8.self)) ?? ""
  }

  /// What this process is to do, where it is a child.
  static var task: (scenario: Scenario, trust: String)? {
    guard let value = ProcessSetup.environment(variable), let colon = value.firstIndex(of: ":"),
      let scenario = Scenario(rawValue: String(value[..<colon]))
    else { return nil }
    return (scenario, String(value[value.index(after: colon)...]))
  }

  private static func command(_ scenario: Scenario, _ trust: String) -> [String] {
    [
      "\(variable)=\(scenario.rawValue):\(trust)", program, "--testing-library", "swift-testing", "--no-parallel",
      "--filter", "ChildTests",
    ]
  }

  static func start(_ scenario: Scenario, in folder: Folder) throws -> Int32 {
    try ChildProcess.start("/usr/bin/env", ["env"] + command(scenario, folder.trust))
  }

  /// On a file system of its own that has this many bytes.
  static func run(_ scenario: Scenario, in folder: Folder, onFileSystemOf size: Int) throws -> Int32 {
    try run(scenario, in: folder, after: "mount -t tmpfs -o size=\(size),mode=755 lilium \"$1\"")
  }

  static func runReadOnly(_ scenario: Scenario, in folder: Folder) throws -> Int32 {
    try run(scenario, in: folder, after: "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\"")
  }

  /// In a mount namespace of its own, after these commands of the shell; `$1` is the folder.
  private static func run(_ scenario: Scenario, in folder: Folder, after mounts: String) throws -> Int32 {
    let script = mounts + " && shift && exec env \"$@\""
    let words = ["-m", "--propagation", "private", "sh", "-c", script, "sh", folder.path]
    return try TrustDatabaseTests.run("/usr/bin/unshare", words + command(scenario, folder.trust))
  }

  static let canMount = geteuid() == 0 && (try? TrustDatabaseTests.run("/usr/bin/unshare", ["-m", "true"])) == 0
}

@Suite(.enabled(if: Child.task != nil, "runs as a child of the others")) struct ChildTests {
  @Test func scenario() throws {
    let (scenario, trust) = try #require(Child.task)
    let store = TrustStore(folder: trust)
    switch scenario {
    case .writeForEver: try writeForEver(store)
    case .count: for _ in 0..<25 { try addOne(store) }
    case .hold:
      try store.update(waitingSeconds: 60) {
        try $0.set(entry(1), at: bytes("/held"))
        while true { sleep(60) }
      }
    case .fill: try fill(store, trust) {}
    case .limit:
      signal(SIGXFSZ, SIG_IGN)
      let unlimited = try setFileSizeLimit(1 << 20)
      try fill(store, trust) { _ = try? setFileSizeLimit(unlimited) }
    case .read:
      #expect(try store.snapshot().entry(at: bytes("/a")) == entry(1))
      let lock = trust + "/lock"
      #expect(throws: TrustStoreError.system(SystemCallError("open", lock, Errno(EROFS)))) { try store.update { _ in } }
      store.removeStaleFiles()
    }
  }

  /// The soft limit (setrlimit(2)); gives the one before.
  private func setFileSizeLimit(_ size: rlim_t) throws -> rlim_t {
    let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    var limit = rlimit()
    try #require(getrlimit(resource, &limit) == 0)
    let before = limit.rlim_cur
    limit.rlim_cur = size
    try #require(setrlimit(resource, &limit) == 0)
    return before
  }

  private func writeForEver(_ store: TrustStore) throws {
    var round = 0
    while true {
      round += 1
      try store.update(waitingSeconds: 60) { try writeRound(round, $0) }
    }
  }

  /// Larger and larger generations, until there is no room: then the last one is whole. One that is small enough, or
  /// written when there is room, can take its place.
  private func fill(_ store: TrustStore, _ trust: String, makingRoom: () -> Void) throws {
    var written = 0
    var refused: TrustStoreError?
    while refused == nil, written < 20000 {
      do {
        try store.update { transaction in
          for number in written..<(written + 500) { try transaction.set(entry(number), at: bytes("/\(number)")) }
        }
        written += 500
      } catch let error as TrustStoreError {
        refused = error
      }
    }
    guard case .full(let path) = refused else {
      Issue.record("\(written) entries, then \(String(describing: refused)) instead of no room")
      return
    }
    #expect(path.hasPrefix(trust + "/generation-") || path.hasPrefix(trust + "/current"))
    let snapshot = try store.snapshot()
    #expect(written > 500 && snapshot.manifest.paths == written)
    for number in 0..<written {
      let found = try snapshot.entry(at: bytes("/\(number)"))
      #expect(found == entry(number))
    }
    #expect(throws: TrustStoreError.self) {
      try store.update { for number in 0..<20000 { try $0.set(entry(number), at: bytes("/\(number)")) } }
    }
    #expect(try store.manifest() == snapshot.manifest)
    makingRoom()
    let small = try store.update { for number in 10..<written { try $0.remove(bytes("/\(number)")) } }
    #expect(small.paths == 10)
    #expect(try everything(store.snapshot()).count == 10)
  }
}

/// All entries of one round are of that round.
func writeRound(_ round: Int, _ transaction: TrustTransaction) throws {
  for number in 0..<400 { try transaction.set(entry(round), at: bytes("/\(number)")) }
  try transaction.setWherever(content(round % 10))
}

func addOne(_ store: TrustStore) throws {
  try store.update(waitingSeconds: 120) { transaction in
    let count = try transaction.entry(at: bytes("/count"))?.contents.first?.size ?? 0
    try transaction.set(TrustEntry(contents: [content(1, size: count + 1)]), at: bytes("/count"))
  }
}
