// Owns the versions that Lilium's programs tell each other and people.
// Nothing else belongs here.

public enum Version {
  /// Of liliumd and liliumctl.
  public static let lilium = "0.1.0"
  /// Of the control socket's requests and replies.
  public static let controlProtocol = 1
  /// Of `StatusReport`.
  public static let statusSchema = 1
}
