// Owns the port through which object information learns under which protected names a file stands.
// It must not say how the names are kept.

/// In `open` rules a path stands for the files that it names in the initial mount namespace, by whatever name, link,
/// mount or namespace they are reached.
public protocol ProtectedNames: Sendable {
  /// The protected paths that name this file now; empty where none does. Never waits.
  func names(of file: FileIdentity) -> [[UInt8]]
}

/// For a mechanism that protects no names.
public struct NoProtectedNames: ProtectedNames {
  public init() {}
  public func names(of file: FileIdentity) -> [[UInt8]] { [] }
}
