// Owns what is looked at of the kernel's audit system for `liliumctl doctor`: readings only.
// It must not judge them, and must not change anything.

internal import AuditNetlink
internal import Glibc
internal import SystemCalls

/// What the host says about audit.
struct AuditReadings {
  /// A process that reads records.
  struct Reader: Equatable {
    let pid: Int64
    /// Nil where there is no such process; a socket's number may be another than its process's.
    let name: String?
  }

  var status: Result<AuditStatus, Errno>
  /// Nil where they cannot be listed.
  var listed: [ListedRule]?
  /// Kinds of namespace, of those that matter, in which this process is not in the initial one.
  var foreignNamespaces: [String]
  /// Who is attached by unicast; nil where nobody is.
  var daemon: Reader?
  /// Who listens to the multicast group.
  var listeners: [Reader]

  static func take() -> AuditReadings {
    var readings = AuditReadings(
      status: .failure(.noSystemCall), listed: nil, foreignNamespaces: foreignNamespaces, daemon: nil,
      listeners: listeners(text("/proc/net/netlink") ?? "", name: name))
    do throws(Errno) {
      let control = try AuditControl()
      let status = try control.status()
      readings.status = .success(status)
      if status.pid != 0 { readings.daemon = Reader(pid: Int64(status.pid), name: name(Int64(status.pid))) }
      readings.listed = try? control.rules()
    } catch {
      readings.status = .failure(error)
    }
    return readings
  }

  /// The sockets of NETLINK_AUDIT that joined a group, from the text of /proc/net/netlink: "sk Eth Pid Groups ...".
  static func listeners(_ table: String, name: (Int64) -> String?) -> [Reader] {
    table.split(separator: "\n").dropFirst().compactMap { line in
      let columns = line.split(separator: " ")
      guard columns.count > 3, columns[1] == "9", let pid = Int64(columns[2]) else { return nil }
      guard let groups = UInt32(columns[3], radix: 16), groups & 1 != 0 else { return nil }
      return Reader(pid: pid, name: name(pid))
    }
  }

  /// Numbers that the kernel gives to the first namespaces (proc_ns.h); that of the network is not the same on every
  /// kernel, but pid 1's is taken for it.
  private static var foreignNamespaces: [String] {
    let initial = ["user": "user:[4026531837]", "pid": "pid:[4026531836]", "net": link("/proc/1/ns/net")]
    return ["user", "pid", "net"].filter { kind in
      guard let own = link("/proc/self/ns/\(kind)"), let first = initial[kind] ?? nil else { return false }
      return own != first
    }
  }

  private static func link(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 256)
    let length = readlink(path, &buffer, buffer.count)
    return length < 0 ? nil : String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func name(_ pid: Int64) -> String? {
    guard pid > 0 else { return nil }
    return text("/proc/\(pid)/comm")?.split(separator: "\n").first.map(String.init)
  }

  private static func text(_ path: String) -> String? {
    guard let bytes = try? Descriptor.open(path, O_RDONLY).readAll(limit: 1 << 20) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
