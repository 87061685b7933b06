// Owns the copy of the policy that was last in force, with which a start goes on whose own policy cannot be used.
// It must not judge whether that is wanted, nor what the files say.

internal import Glibc
public import PolicyLanguage
public import SystemCalls

/// A configuration and its rule files, kept in the state folder as they were read. They are obeyed as the original
/// ones are: only while they belong to root and nobody else can write them.
public struct KeptPolicy: Sendable {
  private let state: String

  /// `state` is the daemon's state folder, an absolute path.
  public init(state: String) { self.state = state }

  public var configurationPath: String { "\(link)/lilium.toml" }
  public var rulesFolder: String { "\(link)/rules.d" }
  public var exists: Bool { (try? FileStatus.of(path: configurationPath)) != nil }

  private var link: String { "\(state)/policy" }
  private static let slots = ["policy.a", "policy.b"]

  /// Replaces the copy as a whole: it is the one before or this one, whenever the machine stops. Writes nothing where
  /// they are equal.
  public func keep(configuration text: [UInt8], rules: [RuleSource]) throws(Errno) {
    if isKept(text, rules) { return }
    let target = current() == Self.slots[0] ? Self.slots[1] : Self.slots[0]
    let slot = "\(state)/\(target)"
    try empty(slot)
    try ProcessSetup.makeDirectory(slot, mode: 0o700)
    try ProcessSetup.makeDirectory("\(slot)/rules.d", mode: 0o700)
    try write(text, to: "\(slot)/lilium.toml")
    for rule in rules { try write(rule.bytes, to: "\(slot)/rules.d/\(rule.file)") }
    try sync("\(slot)/rules.d")
    try sync(slot)
    try pointTo(target)
  }

  private func isKept(_ text: [UInt8], _ rules: [RuleSource]) -> Bool {
    guard case .content(text) = TrustedFile.read(configurationPath, .ofThisProcess) else { return false }
    let kept = RuleFiles.load(from: [rulesFolder])
    return !kept.findings.hasErrors && kept.identity == PolicyIdentity.of(rules)
  }

  private func current() -> String? {
    var buffer = [CChar](repeating: 0, count: 64)
    let count = readlink(link, &buffer, buffer.count)
    return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// What an interrupted writer, or the policy before the last, left there.
  private func empty(_ slot: String) throws(Errno) {
    for name in (try? namesOfFolder("\(slot)/rules.d")) ?? [] { try ProcessSetup.removeFile("\(slot)/rules.d/\(name)") }
    do { try ProcessSetup.removeFile("\(slot)/lilium.toml") } catch .noEntry {} catch .notDirectory {}
  }

  private func write(_ bytes: [UInt8], to path: String) throws(Errno) {
    let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
    try file.writeAll(bytes)
    let number = file.rawValue
    _ = try systemCall { fsync(number) }
  }

  private func sync(_ folder: String) throws(Errno) {
    let number = try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
    let raw = number.rawValue
    _ = try systemCall { fsync(raw) }
  }

  private func pointTo(_ target: String) throws(Errno) {
    let new = "\(state)/policy.new"
    do { try ProcessSetup.removeFile(new) } catch .noEntry {}
    _ = try systemCall { symlink(target, new) }
    _ = try systemCall { rename(new, link) }
    try sync(state)
  }
}
