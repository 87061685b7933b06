// Owns reading a file whose content the daemon obeys: a regular one, of bounded size, that only root can write.
// It must not know what the content means.

internal import Glibc
internal import PolicyLanguage
internal import SystemCalls

/// Whose files are obeyed.
public enum FileTrust: Sendable {
  /// Owned by root and not writable by group or others: what a daemon that runs as root demands.
  case rootAlone
  /// Not writable by group or others; for a user who tries things out.
  case anyOwner
  /// Whatever the permissions are.
  case anyone

  /// What is demanded of files by a process like this one.
  public static var ofThisProcess: FileTrust { ProcessSetup.effectiveUserID == 0 ? .rootAlone : .anyOwner }

  /// Why a file or folder cannot be trusted: a sentence and its remedy.
  func refusal(of status: FileStatus) -> (message: String, remedy: String)? {
    guard self != .anyone else { return nil }
    if status.mode & 0o022 != 0 {
      return ("must not be writable by group or others", "run chmod go-w on it, after a look at what it says")
    }
    if self == .rootAlone, status.owner != 0 {
      return ("must be owned by root, not by uid \(status.owner)", "run chown root on it, after a look at what it says")
    }
    return nil
  }
}

/// What came of reading such a file.
enum TrustedFile {
  case content([UInt8])
  case missing
  /// A link to /dev/null, or the device itself.
  case masked
  case refused(Finding)

  /// More than anybody writes by hand.
  static let largest = 1 << 20

  static func read(_ path: String, _ trust: FileTrust) -> TrustedFile {
    do throws(Errno) {
      // O_NONBLOCK: opening a FIFO that somebody left there must not wait for its writer.
      let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      let status = try FileStatus.of(descriptor: file.rawValue)
      if isNullDevice(status) { return .masked }
      guard status.isRegular else {
        return .refused(Finding(.error, path: path, "not a regular file", hint: "put a plain file there"))
      }
      if let refusal = trust.refusal(of: status) {
        return .refused(Finding(.error, path: path, refusal.message, hint: refusal.remedy))
      }
      return .content(try file.readAll(limit: largest))
    } catch .noEntry {
      return .missing
    } catch Errno(EFBIG) {
      return .refused(Finding(.error, path: path, "larger than 1 MiB", hint: "no such file is written by hand"))
    } catch {
      return .refused(Finding(.error, path: path, "cannot be read: \(error)"))
    }
  }

  private static func isNullDevice(_ status: FileStatus) -> Bool {
    guard let null = try? FileStatus.of(path: "/dev/null") else { return false }
    return null.isSameFile(as: status)
  }
}

/// A configuration file that was read, and what it says.
public struct ConfigurationFile: Sendable {
  /// Nil where a finding is an error.
  public let configuration: Configuration?
  public let findings: [Finding]
  /// As it was read; empty where nothing is there, which means the defaults.
  public let text: [UInt8]

  /// Without a path it is the default one, and no such file means the defaults; a file that somebody named must exist.
  public static func load(path: String? = nil, trust: FileTrust = .ofThisProcess) -> ConfigurationFile {
    let file = path ?? Configuration.defaultPath
    switch TrustedFile.read(file, trust) {
    case .content(let bytes):
      let (configuration, findings) = Configuration.parse(bytes, path: file)
      return ConfigurationFile(configuration: configuration, findings: findings, text: bytes)
    case .refused(let finding): return ConfigurationFile(refused: finding)
    case .masked: return ConfigurationFile(configuration: Configuration(), findings: [], text: [])
    case .missing where path == nil: return ConfigurationFile(configuration: Configuration(), findings: [], text: [])
    case .missing:
      return ConfigurationFile(
        refused: Finding(.error, path: file, "no such file", hint: "name an existing file, or none for the defaults"))
    }
  }

  private init(configuration: Configuration?, findings: [Finding], text: [UInt8]) {
    self.configuration = configuration
    self.findings = findings
    self.text = text
  }

  private init(refused finding: Finding) { self.init(configuration: nil, findings: [finding], text: []) }
}

extension Configuration {
  /// What the configuration file says; see `ConfigurationFile.load`.
  public static func load(
    path: String? = nil, trust: FileTrust = .ofThisProcess
  ) -> (configuration: Configuration?, findings: [Finding]) {
    let file = ConfigurationFile.load(path: path, trust: trust)
    return (file.configuration, file.findings)
  }
}
