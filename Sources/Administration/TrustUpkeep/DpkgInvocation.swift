// Owns what a running dpkg was asked to do: the archives on its command line, its root and its admin folder.
// It must not read an archive, nor change anything.

internal import Glibc
public import SystemCalls
internal import TrustSources

/// One dpkg, as its hook sees it.
public struct DpkgInvocation: Sendable, Hashable {
  public var owner: TransactionOwner
  /// Where it lays files.
  public var root: String
  public var adminFolder: String
  /// Absolute paths.
  public var archives: [String]
  /// It changes nothing (`--no-act`), so that there is nothing to follow.
  public var isDryRun: Bool

  /// dpkg starts a hook through system(3), so that a shell stands between, or nothing where the shell gave way to its
  /// last command. Nil where no dpkg is above this process.
  public static func above(pid: Int32 = ProcessSetup.processID) -> DpkgInvocation? {
    var pid = pid
    for _ in 0..<4 {
      guard let parent = parent(of: pid), parent > 1 else { return nil }
      pid = parent
      guard isDpkg(pid), let owner = TransactionOwner(pid: pid) else { continue }
      let words = readText("/proc/\(pid)/cmdline").split(separator: 0, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      let folder = (try? readLink("/proc/\(pid)/cwd")).map { String(decoding: $0, as: UTF8.self) } ?? "/"
      return DpkgInvocation(owner: owner, arguments: Array(words.dropFirst()), workingFolder: folder)
    }
    return nil
  }

  /// dpkg passes root and admin folder to its hooks in the environment, whether they came from its command line, its
  /// configuration or its own environment (dpkg(1), DPKG_ROOT and DPKG_ADMINDIR). A dpkg before 1.21 does not; then the
  /// command line says it.
  init(
    owner: TransactionOwner, arguments: [String], workingFolder: String,
    environment: (String) -> String? = ProcessSetup.environment
  ) {
    self.owner = owner
    let line = CommandLine(arguments)
    let given = environment("DPKG_ROOT") ?? line.root ?? ""
    root = Self.absolute(given.isEmpty ? "/" : given, workingFolder)
    let admin = environment("DPKG_ADMINDIR") ?? line.adminFolder ?? ""
    adminFolder = Self.absolute(admin.isEmpty ? Self.adminFolder(of: root) : admin, workingFolder)
    archives = line.files.flatMap { name -> [String] in
      let path = Self.absolute(name, workingFolder)
      return line.isRecursive ? ArchiveSearch.archives(below: path) : [path]
    }
    isDryRun = line.isDryRun
  }

  /// Whether the admin folder is the one of the root. What packages another folder names says nothing about what is
  /// installed below the root. False where either is not there.
  public var speaksForItsRoot: Bool {
    let own = Self.adminFolder(of: root)
    guard let own = try? FolderResolver(root: own).root, let given = try? FolderResolver(root: adminFolder).root else {
      return false
    }
    return own == given
  }

  fileprivate static func adminFolder(of root: String) -> String {
    root.hasSuffix("/") ? root + "var/lib/dpkg" : root + "/var/lib/dpkg"
  }

  private static func absolute(_ path: String, _ folder: String) -> String {
    path.hasPrefix("/") ? path : folder.hasSuffix("/") ? folder + path : folder + "/" + path
  }

  /// One that has just replaced itself runs a file that has no name any more (proc_pid_exe(5)).
  static func isDpkg(_ pid: Int32) -> Bool {
    let program = (try? readLink("/proc/\(pid)/exe")) ?? []
    return ["/dpkg", "/dpkg (deleted)"].contains { program.ends(with: Array($0.utf8)) }
  }

  static func parent(of pid: Int32) -> Int32? {
    let text = readText("/proc/\(pid)/stat")
    guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
    return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
  }

  /// dpkg's command line, as far as it says where and what.
  struct CommandLine: Hashable {
    var root: String?
    var adminFolder: String?
    var isRecursive = false
    var isDryRun = false
    var files: [String] = []

    /// Options that take a value, which may stand in the next word.
    private static let valued: Set<String> = [
      "--admindir", "--root", "--instdir", "--debug", "--ignore-depends", "--status-fd", "--status-logger", "--log",
      "--pre-invoke", "--post-invoke", "--path-exclude", "--path-include", "--abort-after", "--verify-format",
    ]

    init(_ arguments: [String]) {
      var words = arguments[...]
      var isOver = false
      while let word = words.popFirst() {
        if isOver || !word.hasPrefix("-") || word == "-" {
          if !word.isEmpty { files.append(word) }
        } else if word == "--" {
          isOver = true
        } else if word.hasPrefix("--") {
          let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
          let value = parts.count > 1 ? parts[1] : Self.valued.contains(word) ? words.popFirst() : nil
          take(parts[0], value)
        } else {
          takeLetters(word)
        }
      }
    }

    private mutating func take(_ option: String, _ value: String?) {
      switch option {
      case "--recursive": isRecursive = true
      // dpkg takes a word behind the first file for a file, and acts.
      case "--no-act", "--dry-run", "--simulate": isDryRun = isDryRun || files.isEmpty
      case "--admindir": adminFolder = value
      case "--instdir": root = value
      case "--root":
        root = value
        adminFolder = value.map(DpkgInvocation.adminFolder(of:))
      default: break
      }
    }

    /// Letters in one word; -D takes the rest of the word as its value.
    private mutating func takeLetters(_ word: String) {
      for letter in word.dropFirst() {
        if letter == "D" { return }
        if letter == "R" { isRecursive = true }
      }
    }
  }
}
