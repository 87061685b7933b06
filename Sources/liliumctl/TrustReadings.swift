// Owns what is looked at on the host about trust for `liliumctl doctor`: readings only.
// It must not judge them, and must not change anything.

internal import Fanotify
internal import Glibc
internal import SystemCalls
internal import TrustDatabase

/// What the host says about trust, and about the kernel's part in it.
struct TrustReadings {
  /// What of a package manager's hook is there.
  enum HookState: Equatable {
    case installed, absent
    /// It does not call this program's transactions.
    case foreign
    /// It calls a program that is not there.
    case broken(program: String)
  }

  struct Hook {
    let path: String
    /// What it is to call, at least.
    let words: [String]
    var state = HookState.absent
  }

  /// Ignore marks that go with the inode are accepted.
  var canIgnore: Bool
  /// Why changes of files on the root file system are not told; nil where they are.
  var watchRefusal: Errno?
  /// A read lease on a program was given.
  var hasLeases: Bool
  /// The root file system can hold a file to a digest.
  var hasVerity: Bool
  /// What the verified database is, or why there is none.
  var store: Result<TrustManifest, TrustStoreError>
  /// Seconds since the epoch.
  var now: Int64
  /// Empty where dpkg is not the package manager.
  var hooks: [Hook]

  /// A program that every host has.
  static let program = "/bin/sh"
  static let packageHooks = [
    Hook(path: "/etc/dpkg/dpkg.cfg.d/lilium", words: ["trust transaction begin", "trust transaction end"]),
    Hook(path: "/etc/apt/apt.conf.d/20lilium", words: ["trust transaction prepare", "trust transaction prune"]),
  ]

  /// `state` is the daemon's state folder.
  static func take(state: String) -> TrustReadings {
    TrustReadings(
      canIgnore: PermissionGroup.canIgnore, watchRefusal: watchRefusal(), hasLeases: hasLeases(program),
      hasVerity: hasVerity("/"),
      store: Result { () throws(TrustStoreError) in try TrustStore(folder: "\(state)/trust").snapshot().manifest },
      now: Clock.realtime() / 1_000_000_000, hooks: exists("/usr/bin/dpkg") ? packageHooks.map(looked) : [])
  }

  /// On a group of its own that goes at once.
  private static func watchRefusal() -> Errno? {
    do throws(Errno) {
      try NotificationGroup().watch(at: "/", [.attributes, .ofFolder], evictable: true)
      return nil
    } catch {
      return error
    }
  }

  /// Whether somebody writes it or not: that it can be told is what counts.
  static func hasLeases(_ path: String) -> Bool {
    guard let file = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK) else { return false }
    return (try? WriterProbe.isHeldForWriting(file.rawValue)) ?? nil != nil
  }

  static func hasVerity(_ path: String) -> Bool {
    guard let file = try? Descriptor.open(path, O_RDONLY | O_NONBLOCK) else { return false }
    return VerityDigest.isKnown(to: file.rawValue)
  }

  private static func looked(_ hook: Hook) -> Hook {
    var hook = hook
    hook.state = state(of: hook, text: text(hook.path), exists: exists)
    return hook
  }

  /// From the text of its file; nil where there is none.
  static func state(of hook: Hook, text: String?, exists: (String) -> Bool) -> HookState {
    guard let text else { return .absent }
    // A hook tests for the program before it calls it.
    let code = text.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("//") }.joined(separator: "\n")
    guard hook.words.allSatisfy(code.contains), let test = code.firstMatch(of: /\[ -x (\/[^ ]+) \]/) else {
      return .foreign
    }
    let program = String(test.1)
    return exists(program) ? .installed : .broken(program: program)
  }

  private static func exists(_ path: String) -> Bool { (try? FileStatus.of(path: path)) != nil }

  private static func text(_ path: String) -> String? {
    guard let bytes = try? Descriptor.open(path, O_RDONLY).readAll(limit: 1 << 20) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
