// Owns who may do what over the control socket.

import ControlSocket
import Testing

@testable import SystemCalls

@Suite struct PeerAccessTests {
  private static func peer(uid: UInt32, gid: UInt32, groups: [UInt32] = []) -> Peer {
    Peer(pid: 1, uid: uid, gid: gid, groups: groups)
  }

  static let cases: [(Peer, UInt32?, PeerAccess)] = [
    (peer(uid: 0, gid: 0), nil, .whileAdministrator),
    (peer(uid: 0, gid: 5), 7, .whileAdministrator),
    (peer(uid: 1000, gid: 7), 7, .readOnly),
    (peer(uid: 1000, gid: 1000, groups: [4, 7, 9]), 7, .readOnly),
    (
      peer(uid: 1000, gid: 1000, groups: [4]), 7,
      .none("uid 1000 is not root or a member of group 7; run liliumctl with sudo")
    ),
    // Without a group nobody reads, root's own group included.
    (peer(uid: 1000, gid: 0, groups: [0]), nil, .none("uid 1000 is not root; run liliumctl with sudo")),
  ]

  @Test(arguments: cases) func access(_ peer: Peer, _ group: UInt32?, _ access: PeerAccess) {
    #expect(PeerAccess.of(peer, readers: group) == access)
  }
}
