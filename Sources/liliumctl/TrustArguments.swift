// Owns how a source of trust is written on the command line: as in the database's own listing.
// It must not add words of its own.

public import ArgumentParser
public import TrustDatabase

extension TrustSource: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }
  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { allCases.map(\.name) }
}
