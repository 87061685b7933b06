// Owns what is looked at on the host for `liliumctl doctor`.
// It must not change anything, and must not print.

internal import AccessModel
internal import Fanotify
internal import Glibc
internal import SystemCalls

enum HostProbe {
  static func run() -> [HostCheck] {
    let fanotify = FanotifyProbe.run().map { HostCheck($0.name, $0.available, $0.detail) }
    let status = text("/proc/self/status") ?? ""
    let rights = privileges(status: status, uid: ProcessSetup.effectiveUserID)
    // Permission events are the first that is probed; without them nothing can be denied.
    let canPrevent = rights.state == .available && fanotify.first?.state == .available
    return [kernel, rights] + fanotify + [procFileSystem(mountInfo: text("/proc/self/mountinfo") ?? "")] + services
      + mechanisms(canPrevent: canPrevent)
  }

  /// What the mechanisms whose door is a file can do here; AuditChecks has the others.
  static func mechanisms(canPrevent: Bool) -> [HostCheck] {
    MechanismSet.files.members.map { mechanism in
      HostCheck(
        "mechanism \(mechanism.name)", canPrevent, needed: true,
        canPrevent ? "prevent" : "needs root and fanotify permission events")
    }
  }

  private static var kernel: HostCheck {
    let release = text("/proc/sys/kernel/osrelease")?.split(separator: "\n").first.map(String.init)
    return HostCheck("kernel", .information, release ?? "unknown")
  }

  /// Root with CAP_SYS_ADMIN, from the text of /proc/PID/status (proc_pid_status(5)).
  static func privileges(status: String, uid: UInt32) -> HostCheck {
    let name = "root with CAP_SYS_ADMIN"
    guard uid == 0 else { return HostCheck(name, false, needed: true, "run liliumctl doctor with sudo") }
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    let digits = line?.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " } ?? ""
    let set = CapabilitySet(bits: UInt64(digits, radix: 16) ?? 0)
    let missing = [Capability.sysAdmin, .sysPtrace, .dacReadSearch, .lease].filter { !set.contains($0) }.map(\.name)
    return HostCheck(
      name, missing.isEmpty, needed: true, missing.isEmpty ? "" : "missing: \(missing.joined(separator: ", "))")
  }

  /// Other users' processes must be visible, from the text of /proc/self/mountinfo (proc_pid_mountinfo(5)).
  static func procFileSystem(mountInfo: String) -> HostCheck {
    let name = "/proc without hidepid"
    let mounts = mountInfo.split(separator: "\n").map { $0.split(separator: " ") }
    guard let proc = mounts.last(where: { $0.count > 6 && $0[4] == "/proc" }), let options = proc.last else {
      return HostCheck(name, false, needed: true, "/proc is not mounted")
    }
    let hiding = options.split(separator: ",").first {
      $0.hasPrefix("hidepid=") && $0 != "hidepid=0" && $0 != "hidepid=off"
    }
    let remedy = hiding.map { "mounted with \($0); a root daemon still sees everything, its tools may not" }
    return HostCheck(name, hiding == nil, remedy ?? "")
  }

  private static var services: [HostCheck] {
    let unified = exists("/sys/fs/cgroup/cgroup.controllers")
    let hierarchy = unified || exists("/sys/fs/cgroup/systemd")
    return [
      HostCheck("systemd is pid 1", exists("/run/systemd/system"), "starts and watches the service"),
      HostCheck("journald's socket", exists("/run/systemd/journal/socket"), "the log's default sink"),
      HostCheck(
        "control groups", hierarchy,
        unified
          ? "cgroup2" : hierarchy ? "systemd's version 1 hierarchy" : "subject.unit and subject.cgroup stay unknown"),
    ]
  }

  private static func exists(_ path: String) -> Bool { (try? FileStatus.of(path: path)) != nil }

  private static func text(_ path: String) -> String? {
    guard let bytes = try? Descriptor.open(path, O_RDONLY).readAll(limit: 16 << 20) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
