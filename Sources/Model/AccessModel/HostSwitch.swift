// Owns which sysctls take a mechanism away from a whole host.
// It must not read or write them.

/// A sysctl that ends a mechanism for everybody: no rule and no capability excepts a caller from it.
public struct HostSwitch: Sendable, Hashable {
  /// As sysctl(8) writes it.
  public let name: String
  /// The value that ends the mechanism.
  public let value: Int
  /// Whether the kernel keeps that value until the next boot; else root can take it back.
  public let isOneWay: Bool

  public var text: String { "\(name) = \(value)" }
}

extension Mechanism {
  /// Nil where the kernel has none for it. proc_sys_kernel(5); Documentation/admin-guide/LSM/Yama.rst;
  /// Documentation/admin-guide/sysctl/user.rst: a caller without CAP_SYS_ADMIN has no way but a user namespace to any
  /// other, so `clone` ends with those.
  public var hostSwitch: HostSwitch? {
    switch self {
    case .ptrace: HostSwitch(name: "kernel.yama.ptrace_scope", value: 3, isOneWay: true)
    case .module: HostSwitch(name: "kernel.modules_disabled", value: 1, isOneWay: true)
    case .kexec: HostSwitch(name: "kernel.kexec_load_disabled", value: 1, isOneWay: true)
    case .clone: HostSwitch(name: "user.max_user_namespaces", value: 0, isOneWay: false)
    case .exec, .open, .mprotect, .mount, .ioctl: nil
    }
  }
}
