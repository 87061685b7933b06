// Owns what is known of a file's content in a simulation: from the file and the trust database, or as it is imagined.
// It must not write to the database, nor wait for anybody.

internal import AccessModel
internal import Configuration
internal import Integrity
internal import SystemCalls
internal import TrustDatabase

struct SimulatedContent: InformationPoint {
  /// Why the database cannot be asked, as a sentence with its remedy; nil where it can.
  let problem: String?
  private let real: IntegrityInformation
  private let trusted: Bool?
  private let digest: ContentHash?

  /// `state` is the daemon's state folder. `trusted` and `digest` are what to take for true, whatever the file is; nil
  /// leaves it to the file.
  init(
    state: String, _ settings: IntegritySettings, trusted: Bool? = nil, digest: ContentHash? = nil
  ) throws(SimulationFailure) {
    let base = LoadedTrust(store: TrustStore(folder: "\(state)/trust"))
    do throws(TrustStoreError) {
      _ = try base.load()
      problem = nil
    } catch {
      problem = "\(error.sentence); \(error.remedy)"
    }
    let modes = IntegrityModes()
    let prefixes = settings.prefixes.map { (place: Array($0.path.utf8), mode: $0.mode) }
    modes.replace(with: [(place: [UInt8(ascii: "/")], mode: settings.mode)] + prefixes)
    do {
      real = try IntegrityInformation(
        base: base, cache: DigestCache(), modes: modes, watch: NobodyWatches(), room: OpenRoom(),
        storage: StorageTable())
    } catch {
      throw SimulationFailure(path: "libcrypto", reason: "\(error)")
    }
    (self.trusted, self.digest) = (trusted, digest)
  }

  /// Expects status and path on the sheet.
  func fetch(_ wanted: FactSet, into facts: Facts) {
    let missing = facts.missing(of: wanted)
    if missing.contains(.objectTrust), let trusted {
      facts.object.trust = trusted ? .trusted : .unknown
      facts.markPresent(.objectTrust)
    }
    real.fetch(wanted, into: facts)
    if wanted.contains(.objectDigest), let digest {
      facts.object.digest = digest
      facts.markPresent(.objectDigest)
    }
  }
}

/// Nothing is remembered from one simulation to the next.
private struct NobodyWatches: ContentWatch {
  func watch(_ descriptor: Int32) -> Bool { false }
}
