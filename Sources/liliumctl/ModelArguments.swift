// Owns how the model's words are written on the command line: as in rules and records.
// It must not add words of its own.

public import AccessModel
public import ArgumentParser

extension Mechanism: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension Mode: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension Verdict: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension ContentHash: ExpressibleByArgument {
  public init?(argument: String) { self.init(hexadecimal: Array(argument.utf8)) }
  public var defaultValueDescription: String { String(decoding: hexadecimal, as: UTF8.self) }
}
