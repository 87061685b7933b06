// Owns what the initial namespaces are on this host.
// It must not change a namespace.

internal import ProcFS
public import SystemCalls

/// Inode numbers of the initial user namespace and of the mount namespace by which paths are judged.
public struct InitialNamespaces: Sendable, Hashable {
  /// PROC_USER_INIT_INO (include/linux/proc_ns.h): fixed for every kernel.
  public static let initialUser: UInt64 = 0xEFFF_FFFD

  public let user: UInt64
  /// The daemon's own: the unit keeps it in the host's.
  public let mount: UInt64
  /// Whether that is the mount namespace of pid 1; nil where pid 1 does not let itself be looked at.
  public let mountIsThatOfInit: Bool?
  /// /proc/PID/loginuid does not exist on this kernel.
  public let kernelHasNoAudit: Bool

  public init() throws(SystemCallError) {
    user = Self.initialUser
    let own = ProcessSetup.processID
    do {
      mount = try ProcessFile.mountNamespace.status(pid: own).inode
    } catch {
      throw SystemCallError("stat", "/proc/self/ns/mnt", error)
    }
    mountIsThatOfInit = (try? ProcessFile.mountNamespace.status(pid: 1).inode).map { [mount] in $0 == mount }
    do {
      _ = try ProcessFile.loginuid.status(pid: own)
      kernelHasNoAudit = false
    } catch {
      kernelHasNoAudit = error == .noEntry
    }
  }
}
