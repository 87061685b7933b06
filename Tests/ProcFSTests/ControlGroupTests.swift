// /proc/PID/cgroup in all three layouts, and the unit that a path names.

import ProcFS
import Testing

@Suite struct ControlGroupTests {
  private func path(_ content: String) -> String? {
    reading(content.utf8) { ControlGroup.path(in: $0).map { text($0) } }
  }

  @Test(
    arguments: [
      // Unified.
      ("0::/system.slice/x.service\n", "/system.slice/x.service"), ("0::/\n", "/"), ("0::/cut", "/cut"),
      ("0::/a:b:c\n", "/a:b:c"), ("0::/../../other\n", "/../../other"),
      // Hybrid: systemd still keeps its own hierarchy.
      ("12:pids:/p\n1:name=systemd:/system.slice/x.service\n0::/system.slice/x.service\n", "/system.slice/x.service"),
      ("1:name=systemd:/user.slice\n0::/\n", "/user.slice"),
      ("9:name=systemd:/\n1:cpu:/\n0::/init.scope\n", "/init.scope"),
      ("0::/init.scope\n1:name=systemd:/\n", "/init.scope"), ("1:name=systemd:/\n0::/\n", "/"),
      // Version 1 alone.
      ("11:memory:/m\n1:name=systemd:/system.slice/x.service\n", "/system.slice/x.service"),
      ("2:cpu,cpuacct:/\n1:name=systemd:/\n", "/"),
      // No hierarchy that Lilium reads.
      ("", nil), ("1:name=elogind:/1\n", nil), ("2:cpu:/\n", nil), ("garbage", nil), ("\n\n", nil), ("0:", nil),
      // A path cannot pass for a line of another hierarchy.
      ("5:devices:/0::/fake\n0::/real\n", "/real"), ("5:devices:/x:name=systemd:/fake\n0::/real\n", "/real"),
    ] as [(String, String?)])
  func thePathIsThatOfSystemdsHierarchy(_ content: String, _ expected: String?) {
    #expect(path(content) == expected)
  }

  @Test(arguments: [
    ("/system.slice/x.service", "x.service"), ("/system.slice/x.service/sub/group", "x.service"),
    ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"),
    ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope", "user@1000.service"),
    ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope"), ("/init.scope", "init.scope"),
    ("/a.slice/a-b.slice/a-b-c.slice/deep.service", "deep.service"), ("/system.slice/d.socket", "d.socket"),
    ("/system.slice/mnt-x.mount", "mnt-x.mount"), ("/system.slice/swapfile.swap", "swapfile.swap"),
    ("/_cgroup.service", "cgroup.service"), ("/system.slice/__x.service", "_x.service"),
    ("/system.slice/docker-0123.scope/x.service", "docker-0123.scope"),
    ("/", ""), ("", ""), ("/user.slice", ""), ("/system.slice/", ""), ("//", ""), ("/.service", ""), ("/_", ""),
    ("/_.service", ""), ("/docker/0123/x.service", ""), ("/system.slice/notaunit/x.service", ""), ("/../x.service", ""),
    ("/x.service2", ""), ("/x.Service", ""), ("/system.slice/timer.timer", ""),
  ])
  func aUnitStandsBehindTheLeadingSlices(_ path: String, _ unit: String) {
    #expect(reading(path.utf8) { text(ControlGroup.unit(in: $0)) } == unit)
  }
}
