// Owns why a request was refused or failed, as the daemon tells it.
// It must not decide who may ask.

/// The reply `{"protocol":1,"error":{"code":...,"message":...}}`.
public struct ControlError: Error, Sendable, Hashable, Codable {
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    /// Not one JSON object a line, or not of the shape that the request has.
    case malformed
    case lineTooLong = "line-too-long"
    case unsupportedProtocol = "unsupported-protocol"
    case unknownRequest = "unknown-request"
    case invalidArgument = "invalid-argument"
    /// The peer may not ask this.
    case forbidden
    case notFound = "not-found"
    /// Too many connections.
    case busy
    /// The daemon could not do it.
    case failed
  }

  public var code: Code
  /// A sentence with the remedy.
  public var message: String
  /// More lines for a person, such as what is wrong with a rule; absent where there are none.
  public var details: [String]?

  public init(_ code: Code, _ message: String, details: [String]? = nil) {
    self.code = code
    self.message = message
    self.details = details
  }
}
