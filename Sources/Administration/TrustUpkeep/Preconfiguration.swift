// Owns accepting what apt runs before dpkg begins: the configuration scripts of packages that debconf asks early.
// It must not accept anything else of an archive: PackageTransaction does, when dpkg is asked to install it.
//
// apt's DPkg::Pre-Install-Pkgs starts dpkg-preconfigure(8), which extracts each package's `config` with
// apt-extracttemplates(1) to a name that nobody can foretell, in a folder that is configurable, and runs it there. So
// these contents are accepted wherever they lie, while that apt lives.

internal import AccessModel
internal import Glibc
internal import SystemCalls
public import TrustDatabase
internal import TrustSources

public struct Preconfiguration {
  private let store: TrustStore
  private let owner: TransactionOwner
  private let patience = 120

  public init(store: TrustStore, owner: TransactionOwner) {
    self.store = store
    self.owner = owner
  }

  /// The program that called the hook: the parent, or its parent where that is a shell.
  public static func caller() -> TransactionOwner? {
    let shells: Set<[UInt8]> = Set(["sh", "dash", "bash", "busybox"].map { Array($0.utf8) })
    var pid = getppid()
    let program = (try? readLink("/proc/\(pid)/exe")) ?? []
    if let name = program.split(separator: 0x2f).last, shells.contains(Array(name)) {
      guard let above = DpkgInvocation.parent(of: pid) else { return nil }
      pid = above
    }
    return TransactionOwner(pid: pid)
  }

  /// What apt writes to its hook, one path a line (apt.conf(5), DPkg::Pre-Install-Pkgs, version 1).
  public static func archives(from descriptor: Int32) -> [String] {
    guard let input = try? Descriptor.duplicate(descriptor), let text = try? input.readAll(limit: 16 << 20) else {
      return []
    }
    return text.split(separator: 0x0a).filter { $0.first == 0x2f }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// Nil where there is no database.
  public func accept(_ archives: [String]) throws -> PackageTransaction.Begun? {
    guard try store.exists() else { return nil }
    var begun = PackageTransaction.Begun()
    var contents: [TrustedContent] = []
    let now = Clock.realtime() / 1_000_000_000
    for archive in archives {
      do {
        let package = try PackageArchive.contents(of: archive)
        begun.packages += 1
        let origin = ContentOrigin(name: package.package, mark: owner.mark).bytes
        for script in package.scripts where script.name == "config" {
          guard let hash = ContentHash(script.sha256) else { continue }
          contents.append(
            TrustedContent(size: script.size, hash: hash, source: .transaction, origin: origin, added: now))
        }
      } catch { begun.problems.append("\(error)") }
    }
    begun.files = contents.count
    guard !contents.isEmpty else { return begun }
    let book = TransactionBook()
    begun.manifest = try store.update(waitingSeconds: patience) { store in
      for content in contents {
        // What an apt that is gone accepted goes with the next prune; what others vouch for is theirs.
        if let known = try store.wherever(content.hash), known.source != .transaction || book.keeps(known, at: nil) {
          continue
        }
        try store.setWherever(content)
      }
    }
    return begun
  }
}
