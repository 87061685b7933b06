// Owns how a daemon learns which of its descriptors it was given by the one that it takes over from.
// It must not open or close one.

/// As the environment variable carries it: `channel=3 state=4 control=5 audit=6`.
public struct InheritedDescriptors: Sendable, Hashable {
  public static let variable = "LILIUM_TAKEOVER"

  /// The end of the channel to the old daemon.
  public var channel: Int32
  /// The locked file of the state folder.
  public var state: Int32
  /// The listening control socket.
  public var control: Int32
  /// The locked file of who keeps audit rules; absent where nobody did.
  public var audit: Int32?

  /// The new daemon's numbers, in this order.
  public init(first: Int32, audits: Bool) {
    channel = first
    state = first + 1
    control = first + 2
    audit = audits ? first + 3 : nil
  }

  /// Nil where the text is not of that form, or names a number twice or one of the standard three.
  public init?(_ text: String) {
    var numbers: [Substring: Int32] = [:]
    for word in text.split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, let number = Int32(parts[1]), number > 2, numbers[parts[0]] == nil else { return nil }
      numbers[parts[0]] = number
    }
    guard let channel = numbers["channel"], let state = numbers["state"], let control = numbers["control"],
      Set(numbers.values).count == numbers.count
    else { return nil }
    self.channel = channel
    self.state = state
    self.control = control
    audit = numbers["audit"]
  }

  public var text: String {
    "channel=\(channel) state=\(state) control=\(control)" + (audit.map { " audit=\($0)" } ?? "")
  }
}
