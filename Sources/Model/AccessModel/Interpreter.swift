// Owns what the configuration says of one interpreter: how it is known, and what it runs.
// It must not recognise a process: Information does.

/// A program that turns files into code that never pass execve(2).
public struct Interpreter: Sendable, Hashable {
  public var name: String
  /// Absolute paths with shell wildcards (glob(7)), compared with the true path of the program.
  public var paths: [String]
  /// Endings of files that it loads as modules, as in `.py`.
  public var suffixes: [String]
  /// Option letters behind which code stands on the command line, as `c` in `sh -c`.
  public var inlineOptions: String
  /// Option letters that take a value, attached or as the next argument, as `W` in `python3 -W ignore`.
  public var valueOptions: String
  /// Whether its first argument that is not an option names the file that it runs.
  public var readsArguments: Bool

  public init(
    name: String, paths: [String], suffixes: [String], inlineOptions: String, valueOptions: String = "",
    readsArguments: Bool
  ) {
    self.name = name
    self.paths = paths
    self.suffixes = suffixes
    self.inlineOptions = inlineOptions
    self.valueOptions = valueOptions
    self.readsArguments = readsArguments
  }
}
