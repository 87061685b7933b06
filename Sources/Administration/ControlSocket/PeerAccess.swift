// Owns who may ask what over the control socket.
// It must not know how a peer is told apart: the kernel says who it is.

internal import ControlProtocol
public import SystemCalls

/// What a peer may do.
public enum PeerAccess: Sendable, Hashable {
  /// Everything, whatever becomes of the peer.
  case full
  /// Everything while it holds CAP_SYS_ADMIN over the host, else requests that change nothing.
  case whileAdministrator
  /// Requests that change nothing.
  case readOnly
  /// Nothing, with the sentence that says why.
  case none(String)

  /// Root may do everything that its capabilities cover, members of the group may read, nobody else may do anything. A
  /// confined service is uid 0 often enough, and shall not switch off what watches it.
  public static func of(_ peer: Peer, readers group: UInt32?) -> PeerAccess {
    if peer.uid == 0 { return .whileAdministrator }
    if let group, peer.gid == group || peer.groups.contains(group) { return .readOnly }
    let readers = group.map { " or a member of group \($0)" } ?? ""
    return .none("uid \(peer.uid) is not root\(readers); run liliumctl with sudo")
  }

  /// Why this peer may not ask this, if it may not. Whether it is an administrator is asked only where it matters.
  func refusal(of request: ControlRequest, isAdministrator: () -> Bool) -> ControlError? {
    switch self {
    case .full: nil
    case .whileAdministrator where request.isReadOnly, .readOnly where request.isReadOnly: nil
    case .whileAdministrator:
      isAdministrator()
        ? nil
        : ControlError(
          .forbidden,
          "uid 0 without CAP_SYS_ADMIN may only read, not ask for \(request.name); run liliumctl as root of the host")
    case .readOnly: ControlError(.forbidden, "only root may ask for \(request.name); run liliumctl with sudo")
    case .none(let reason): ControlError(.forbidden, reason)
    }
  }
}
