// Owns the name of a record, by which `liliumctl explain` finds it again.
// It must not make prefixes: the caller brings one that differs from start to start.

/// The name of one record, as in `7f3a9c-42`.
public struct RecordID: Sendable, Hashable, CustomStringConvertible {
  /// Differs between two runs of the daemon; letters and digits.
  public let prefix: String
  /// Counted within one run.
  public let number: UInt64

  public init(prefix: String, number: UInt64) {
    self.prefix = prefix
    self.number = number
  }

  public var description: String { "\(prefix)-\(number)" }
}
