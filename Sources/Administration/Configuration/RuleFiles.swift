// Owns which rule files count and in which order: drop-in folders, overriding, masking, names and permissions.
// It must not read what a rule says.

internal import Glibc
public import PolicyLanguage
internal import SystemCalls

/// The rule files of some folders, read.
public struct RuleFiles: Sendable {
  /// In the order in which their rules are tried.
  public let sources: [RuleSource]
  /// SHA-256 over names and contents, in hexadecimal: equal where the rules are.
  public let identity: String
  public let findings: [Finding]

  /// The vendor's folder, and the administrator's, which overrides it.
  public static let defaultFolders = ["/usr/lib/lilium/rules.d", "/etc/lilium/rules.d"]

  /// Reads `NN-name.rules` of the folders, sorted by name over all of them. A file of a later folder replaces one of
  /// the same name in an earlier; a link to /dev/null leaves nothing in its place. Without folders it is the default
  /// ones, and one that does not exist is empty; a folder that somebody named must exist. `sources` must not be put in
  /// force where a finding is an error.
  public static func load(from folders: [String] = [], trust: FileTrust = .ofThisProcess) -> RuleFiles {
    var findings: [Finding] = []
    var paths: [String: String] = [:]
    for folder in folders.isEmpty ? defaultFolders : folders {
      let names = listFolder(folder, mustExist: !folders.isEmpty, trust, &findings)
      for name in names where isRuleFile(name, in: folder, &findings) { paths[name] = path(folder, name) }
    }
    var sources: [RuleSource] = []
    for (name, path) in paths.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      switch TrustedFile.read(path, trust) {
      case .content(let bytes): sources.append(RuleSource(path: path, file: name, bytes: bytes))
      case .refused(let finding): findings.append(finding)
      case .masked: break
      case .missing: findings.append(Finding(.error, path: path, "a link that leads nowhere", hint: "remove it"))
      }
    }
    return RuleFiles(sources: sources, identity: PolicyIdentity.of(sources), findings: findings)
  }

  private static func path(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  private static func isRuleFile(_ name: String, in folder: String, _ findings: inout [Finding]) -> Bool {
    if isRuleFileName(name) { return true }
    if !isBackup(name) {
      findings.append(
        Finding(
          .warning, path: path(folder, name), "ignored: not named as a rule file",
          hint: "name rule files NN-name.rules, as in 50-site.rules"))
    }
    return false
  }

  /// `NN-name.rules`, of letters, digits, ".", "_" and "-".
  static func isRuleFileName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    guard bytes.count > 9, bytes.count <= 255, name.hasSuffix(".rules") else { return false }
    guard isDigit(bytes[0]), isDigit(bytes[1]), bytes[2] == UInt8(ascii: "-") else { return false }
    return bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
      default: isDigit(byte)
      }
    }
  }

  /// What editors and dpkg leave beside a file.
  static func isBackup(_ name: String) -> Bool {
    name.hasSuffix("~") || name.hasSuffix(".swp") || (name.hasPrefix("#") && name.hasSuffix("#"))
      || name.hasPrefix(".#") || [".dpkg-", ".ucf-"].contains { name.contains($0) }
  }

  private static func listFolder(
    _ folder: String, mustExist: Bool, _ trust: FileTrust, _ findings: inout [Finding]
  ) -> [String] {
    do throws(Errno) {
      let descriptor = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK)
      let status = try FileStatus.of(descriptor: descriptor.rawValue)
      if let refusal = trust.refusal(of: status) {
        findings.append(Finding(.error, path: folder, refusal.message, hint: refusal.remedy))
        return []
      }
      return try namesOfFolder(consuming: descriptor)
    } catch .noEntry where !mustExist {
      return []
    } catch {
      findings.append(Finding(.error, path: folder, "cannot be read as a folder of rules: \(error)"))
      return []
    }
  }
}

func namesOfFolder(_ path: String) throws(Errno) -> [String] {
  try namesOfFolder(consuming: Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK))
}

/// readdir(3) without "." and ".."; a name that is not UTF-8 cannot be a rule file's and comes with marks in it.
private func namesOfFolder(consuming folder: consuming Descriptor) throws(Errno) -> [String] {
  let number = folder.release()
  guard let stream = fdopendir(number) else {
    let error = Errno(errno)
    _ = close(number)
    throw error
  }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}
