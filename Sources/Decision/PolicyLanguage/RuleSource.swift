// Owns the input of the rule language: one file's name and bytes.
// It must not read files: the configuration does.

/// One rule file.
public struct RuleSource: Sendable {
  /// The file's whole path.
  public let path: String
  /// Its name without the folder, as in `50-site.rules`.
  public let file: String
  public let bytes: [UInt8]

  public init(path: String, file: String, bytes: [UInt8]) {
    self.path = path
    self.file = file
    self.bytes = bytes
  }
}
