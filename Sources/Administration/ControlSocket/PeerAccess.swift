// Owns who may ask what over the control socket.
// It must not know how a peer is told apart: the kernel says who it is.

internal import ControlProtocol
public import SystemCalls

/// What a peer may do.
public enum PeerAccess: Sendable, Hashable {
  case full
  /// Requests that change nothing.
  case readOnly
  /// Nothing, with the sentence that says why.
  case none(String)

  /// Root may do everything, members of the group may read, nobody else may do anything.
  public static func of(_ peer: Peer, readers group: UInt32?) -> PeerAccess {
    if peer.uid == 0 { return .full }
    if let group, peer.gid == group || peer.groups.contains(group) { return .readOnly }
    let readers = group.map { " or a member of group \($0)" } ?? ""
    return .none("uid \(peer.uid) is not root\(readers); run liliumctl with sudo")
  }

  /// Why this peer may not ask this, if it may not.
  func refusal(of request: ControlRequest) -> ControlError? {
    switch self {
    case .full: nil
    case .readOnly where request.isReadOnly: nil
    case .readOnly: ControlError(.forbidden, "only root may ask for \(request.name); run liliumctl with sudo")
    case .none(let reason): ControlError(.forbidden, reason)
    }
  }
}
