// Owns that uid 0 alone changes nothing: the peer is held, and asked for its capability when it asks for a change.

import AccessModel
import ControlProtocol
import Foundation
import Glibc
import SystemCalls
import Testing

@testable import ControlSocket

@Suite struct AdministratorTests {
  private static let changes: [ControlRequest] = [
    .reload, .trustChanged, .readFiles, .mode(ModeChange(mechanism: .exec, mode: .off)),
  ]
  private static let reads: [ControlRequest] = [.status, .version, .watch(WatchFilter()), .explain(id: "x")]

  @Test(arguments: changes) func changesAreForAdministrators(_ request: ControlRequest) {
    #expect(PeerAccess.whileAdministrator.refusal(of: request) { true } == nil)
    let refusal = PeerAccess.whileAdministrator.refusal(of: request) { false }
    #expect(refusal?.code == .forbidden)
    #expect(refusal?.message.hasPrefix("uid 0 without CAP_SYS_ADMIN may only read") == true)
    #expect(PeerAccess.full.refusal(of: request) { false } == nil)
    #expect(PeerAccess.readOnly.refusal(of: request) { true }?.code == .forbidden)
  }

  @Test(arguments: reads) func readingAsksForNoCapability(_ request: ControlRequest) {
    for access in [PeerAccess.full, .whileAdministrator, .readOnly] {
      #expect(
        access.refusal(of: request) {
          Issue.record("asked in vain")
          return false
        } == nil)
    }
  }

  /// Sends each of its arguments after the first, and prints the reply to each.
  private static let client = """
    use Socket;
    $SIG{PIPE} = "IGNORE";
    socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
    connect($s, sockaddr_un($ARGV[0])) or die "connect: $!";
    for my $request (@ARGV[1 .. $#ARGV]) {
      syswrite($s, $request . "\\n");
      print scalar(<$s>);
    }
    """

  /// The same, but all requests after the first are a child's, when its parent has ended.
  private static let forkingClient = """
    use Socket;
    $SIG{PIPE} = "IGNORE";
    $| = 1;
    socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
    connect($s, sockaddr_un($ARGV[0])) or die "connect: $!";
    syswrite($s, $ARGV[1] . "\\n");
    print scalar(<$s>);
    my $parent = $$;
    exit if fork();
    while (getppid() == $parent) { select(undef, undef, undef, 0.01); }
    for my $request (@ARGV[2 .. $#ARGV]) {
      syswrite($s, $request . "\\n");
      print scalar(<$s>);
    }
    """

  private func replies(
    _ service: Service, through prefix: [String] = [], running script: String = client, _ requests: [ControlRequest]
  ) throws -> [String] {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let lines = requests.map { String(decoding: ControlLine.encode($0).dropLast(), as: UTF8.self) }
    process.arguments = prefix + ["perl", "-e", script, service.path] + lines
    process.standardOutput = output
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// What the kernel says of a real peer: root with and without the capability, and with all of them in a user
  /// namespace of its own, where it is uid 0 for us, too.
  @Test(
    .enabled(if: isAdministrator),
    arguments: [
      (["setpriv", "--no-new-privs"], true),
      (["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all"], false),
      (["setpriv", "--bounding-set=-all", "--inh-caps=-all"], false),
      (["unshare", "--user", "--map-root-user"], false),
    ])
  func realPeers(_ prefix: [String], _ mayChange: Bool) throws {
    let service = try Service()
    let replies = try replies(
      service, through: prefix, [.version, .readFiles, .mode(ModeChange(mechanism: .exec, mode: .off))])
    try #require(replies.count == 3)
    #expect(!replies[0].contains("CAP_SYS_ADMIN"))
    for reply in replies.dropFirst() { #expect(reply.contains("without CAP_SYS_ADMIN may only read") == !mayChange) }
    #expect(service.requests.count == (mayChange ? 3 : 1))
  }

  /// The connection outlives its maker in a child; nobody who has ended is an administrator.
  @Test(.enabled(if: isAdministrator)) func whoHasEndedChangesNothing() throws {
    let service = try Service()
    let output = try replies(service, running: Self.forkingClient, [.version, .readFiles])
    try #require(output.count == 2)
    #expect(!output[0].contains("forbidden"))
    #expect(output[1].contains("without CAP_SYS_ADMIN may only read"))
    #expect(service.requests == [.version])
  }

  /// A service of root without the capability cannot take the connections that are kept for the administrator.
  @Test(.enabled(if: isAdministrator)) func theReservedConnectionsAreForAdministrators() throws {
    let service = try Service(access: { _ in .whileAdministrator })
    var clients: [ControlClient] = []
    for _ in 0..<28 {
      let client = try service.client()
      #expect(try client.ask(.version) == .version(VersionReport()))
      clients.append(client)
    }
    let refused = try replies(service, through: ["setpriv", "--bounding-set=-all", "--inh-caps=-all"], [.version])
    #expect(refused.count == 1 && refused[0].contains("busy"))
    #expect(try service.client().ask(.version) == .version(VersionReport()))
    #expect(clients.count == 28)
  }

  @Test func theListenersProcessIsItsPeer() throws {
    let service = try Service()
    let socket = try UnixSocket.connect(to: service.path)
    let isAlive = try UnixSocket.peerProcess(of: socket).isAlive
    #expect(isAlive)
    #expect(throws: Errno.self) { _ = try UnixSocket.peerProcess(of: Descriptor.open("/dev/null", 0)).isAlive }
  }
}

/// Whether these tests run as root of the host, and with what they need.
private let isAdministrator: Bool = {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") } ?? ""
  let set = UInt64(line.dropFirst("CapEff:\t".count), radix: 16) ?? 0
  let namespace = try? FileStatus.of(path: "/proc/self/ns/user").inode
  let tools = ["setpriv", "perl", "unshare"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }
  return geteuid() == 0 && set & 1 << 21 != 0 && namespace == 0xEFFF_FFFD && tools
}()
