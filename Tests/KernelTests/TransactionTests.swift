// Owns what package managers go through while `exec` is enforced by content: apt and dpkg as they are, on a copy of this
// host that lives in memory.
// It must not touch the host's own packages: everything happens under a root of the test's own.

import Foundation
import Testing

/// A whole Debian root: this host's own files, and above them a layer that vanishes with the test.
private final class Root {
  let host: Host

  init() throws {
    host = try Host(seconds: 900)
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    try host.check(
      host.run(
        """
        set -e
        mkdir u o
        mount -t tmpfs -o mode=755 tmpfs u
        mkdir u/upper u/work
        mount -t overlay overlay -o lowerdir=/,upperdir=u/upper,workdir=u/work o
        mount -t proc proc o/proc
        mount --rbind /dev o/dev
        mount -t tmpfs -o mode=1777 tmpfs o/tmp
        mount -t tmpfs -o mode=755 tmpfs o/run
        install -D -m 644 \(sources)/etc/dpkg/dpkg.cfg.d/lilium o/etc/dpkg/dpkg.cfg.d/lilium
        install -D -m 644 -t o/etc/apt/apt.conf.d \(sources)/etc/apt/apt.conf.d/20lilium
        install -m 755 \(Host.products)/liliumctl o/usr/bin/liliumctl
        install -m 755 \(Host.products)/liliumd o/usr/sbin/liliumd
        install -D -m 644 -t o/etc/lilium/rules.d \(sources)/etc/rules.d/50-debian-base.rules
        mkdir -p o/var/lib/lilium o/etc/lilium/trust.d o/run/lilium
        cat > o/etc/lilium/lilium.toml <<'TOML'
        [mode]
        exec = "enforce"
        [coverage]
        filesystems = ["/"]
        [log]
        rate_limit = { per_second = 1000000, burst = 1000000 }
        TOML
        sed -i 's/^        //' o/etc/lilium/lilium.toml
        """))
    try host.check(host.run("chroot o liliumctl trust sync --quiet --source dpkg", seconds: 600))
    // The build under test brings Swift's own libraries along.
    try host.check(
      host.run(
        """
        chroot o liliumctl trust add /usr/bin/liliumctl /usr/sbin/liliumd \
          $(ldd o/usr/sbin/liliumd o/usr/bin/liliumctl | awk '/swift/ { print $3 }' | sort -u)
        """))
  }

  func start() throws {
    try host.check(
      host.run(
        """
        timeout -s KILL 300 chroot o liliumd --foreground --output json --rules /etc/lilium/rules.d \
          > records.json 2> daemon.err &
        echo $! > timeout.pid
        for i in $(seq 400); do
          grep -q Ctrl-C daemon.err && break
          kill -0 $! 2>/dev/null || { cat daemon.err; exit 1; }
          sleep 0.05
        done
        grep -q Ctrl-C daemon.err && pgrep -P $(cat timeout.pid) > daemon.pid
        """))
  }

  /// A command in the root, under enforcement.
  func run(_ script: String) throws -> Outcome {
    try host.run("chroot o sh -c '\(script)'", seconds: 200)
  }

  /// Builds `demo_VERSION_all.deb` in the root's /tmp: a program, a library of shell code, and every maintainer script,
  /// each of which runs the program where there is one.
  func build(_ version: Int) throws {
    let script = """
      #!/bin/sh
      set -e
      echo NAME $1 of \(version)
      if [ -x /usr/bin/demo ]; then demo; fi
      """
    try host.check(
      host.run(
        """
        set -e
        rm -rf package && mkdir -p package/DEBIAN package/usr/bin package/usr/lib/demo
        printf 'Package: demo\\nVersion: \(version)\\nArchitecture: all\\nMaintainer: Test <test@localhost>\\nDescription: test\\n' \
          > package/DEBIAN/control
        for name in preinst postinst prerm postrm; do
          cat > package/DEBIAN/$name <<'END'
        \(script.split(separator: "\n").joined(separator: "\n        "))
        END
          sed -i "s/^        //; s/NAME/$name/" package/DEBIAN/$name
          chmod 755 package/DEBIAN/$name
        done
        printf '#!/bin/sh\\n. /usr/lib/demo/part.sh\\n' > package/usr/bin/demo
        printf 'echo demo \(version)\\n' > package/usr/lib/demo/part.sh
        printf 'int main(void) { return \(version); }' | gcc -x c -o package/usr/lib/demo/binary -
        chmod 755 package/usr/bin/demo
        (cd package && find usr -type f | xargs md5sum > DEBIAN/md5sums)
        dpkg-deb --root-owner-group -b package o/tmp/demo_\(version)_all.deb
        """))
  }

  var denials: [String] {
    ((try? host.records()) ?? []).filter { $0["verdict"] as? String == "deny" }.map {
      "\($0[path: "object", "path"] ?? "?") \($0[path: "object", "trust"] ?? $0["failure"] ?? "?") by \($0[path: "subject", "exe"] ?? "?")"
    }
  }
}

/// One test, because the whole host's files are read before it begins.
@Suite struct TransactionTests {
  @Test func packagesComeAndGoUnderEnforcement() throws {
    let root = try Root()
    for version in 1...3 { try root.build(version) }
    try root.start()
    #expect(try root.run("cp /bin/true /root/unknown && /root/unknown").status == 126)
    try aptInstallsAndUpgrades(root)
    try dpkgInstallsUnpacksAndConfigures(root)
    let removed = try root.run("apt-get purge -y demo")
    #expect(removed.status == 0 && removed.output.contains("postrm purge of 1"), "\(removed)")
    #expect(try root.run("liliumctl trust explain /usr/bin/demo").status == 1)
    let others = root.denials.filter { !$0.hasPrefix("/root/unknown ") }
    #expect(others.isEmpty, "\(others.prefix(20))")
    try nothingElseIsTrustedMeanwhile(root)
    #expect(try root.host.stop().status == 0)
  }

  private func aptInstallsAndUpgrades(_ root: Root) throws {
    let installed = try root.run("apt-get install -y --no-install-recommends /tmp/demo_1_all.deb")
    #expect(installed.status == 0 && installed.output.contains("postinst configure of 1"), "\(installed)")
    #expect(try root.run("demo; /usr/lib/demo/binary").output.hasSuffix("demo 1"))
    let upgraded = try root.run("apt-get install -y --no-install-recommends /tmp/demo_2_all.deb")
    #expect(upgraded.status == 0 && upgraded.output.contains("postinst configure of 2"), "\(upgraded)")
    #expect(try root.run("demo; /usr/lib/demo/binary; echo $?").output == "demo 2\n2")
  }

  private func dpkgInstallsUnpacksAndConfigures(_ root: Root) throws {
    let direct = try root.run("cd /tmp && dpkg -i demo_3_all.deb")
    #expect(direct.status == 0 && direct.output.contains("postinst configure of 3"), "\(direct)")
    #expect(try root.run("demo; /usr/lib/demo/binary; echo $?").output == "demo 3\n3")
    let again = try root.run("dpkg --unpack /tmp/demo_1_all.deb && demo && dpkg --configure demo && demo")
    #expect(again.status == 0, "\(again)")
  }

  /// What a maintainer script or anybody else writes meanwhile is not the package's, so it is not trusted.
  private func nothingElseIsTrustedMeanwhile(_ root: Root) throws {
    try root.build(1)
    try root.host.check(
      root.host.run(
        """
        sed -i 's/^set -e$/cp \\/bin\\/true \\/usr\\/bin\\/stowaway; stowaway \\&\\& echo STOWAWAY; printf x >> \\/usr\\/lib\\/demo\\/binary; \\/usr\\/lib\\/demo\\/binary \\&\\& echo CHANGED/' \
          package/DEBIAN/postinst
        dpkg-deb --root-owner-group -b package o/tmp/demo_1_all.deb
        """))
    let outcome = try root.run("dpkg -i /tmp/demo_1_all.deb; stowaway && echo STOWAWAY")
    #expect(outcome.output.contains("postinst configure"), "\(outcome)")
    #expect(!outcome.output.contains("STOWAWAY") && !outcome.output.contains("CHANGED"), "\(outcome)")
    #expect(root.denials.contains { $0.hasPrefix("/usr/bin/stowaway ") })
  }
}
