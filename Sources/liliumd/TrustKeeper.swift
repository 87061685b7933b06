// Owns the daemon's view of the trust database: when it is loaded, what is said about it, who must forget what it said.
// It must not judge a file or change the database: liliumctl does.

import ControlProtocol
import DecisionRecord
import Synchronization
import SystemCalls
import TrailSinks
import TrustDatabase

final class TrustKeeper: Sendable {
  /// What the information points ask.
  let base: LoadedTrust
  private let store: TrustStore
  private let trail: Trail
  /// Takes back what the kernel was given under the generation before.
  private let forget = Mutex<@Sendable () -> Void>({})
  /// What was last found on disk, so that a problem is said once. Held for the whole of a load.
  private let found = Mutex<Finding?>(nil)

  private enum Finding: Equatable {
    case loaded(TrustManifest)
    case problem(String)
  }

  init(folder: String, trail: Trail) {
    store = TrustStore(folder: folder)
    base = LoadedTrust(store: store)
    self.trail = trail
  }

  /// Names who must forget. Before the first load.
  func forgets(_ forget: @escaping @Sendable () -> Void) { self.forget.withLock { $0 = forget } }

  /// Loads what is on disk now; returns once every later request is decided by it.
  func load() throws(TrustStoreError) -> TrustReport {
    let outcome: Result<TrustManifest, TrustStoreError> = found.withLock { found in
      let outcome = Result { () throws(TrustStoreError) in try base.load() }
      // Whatever came of it: a database that cannot be believed speaks for no file any more.
      self.forget.withLock { $0 }()
      note(outcome, &found)
      return outcome
    }
    let manifest = try outcome.get()
    return TrustReport(generation: manifest.generation, paths: manifest.paths, contents: manifest.contents)
  }

  /// The same where the disk has something else than was loaded: for a writer that could not tell.
  func loadIfChanged() {
    let current = Result { () throws(TrustStoreError) in try store.manifest() }
    let isNews = found.withLock { found in
      switch (current, found) {
      case (.success(let manifest), .loaded(let loaded)): manifest != loaded
      case (.failure(let error), .problem(let problem)): error.sentence != problem
      default: true
      }
    }
    if isNews { _ = try? load() }
  }

  private func note(_ outcome: Result<TrustManifest, TrustStoreError>, _ found: inout Finding?) {
    let finding: Finding
    let event: TrustLoad
    switch outcome {
    case .success(let manifest):
      finding = .loaded(manifest)
      event = TrustLoad(generation: manifest.generation, paths: manifest.paths, contents: manifest.contents)
    case .failure(let error):
      finding = .problem(error.sentence)
      event = TrustLoad(generation: nil, paths: 0, contents: 0, problem: error.sentence)
    }
    if found != finding { trail.append(.trustLoaded(event)) }
    found = finding
  }

  var status: StatusReport.Trust {
    var status = StatusReport.Trust()
    let state = base.state
    if let manifest = state.manifest {
      status.generation = manifest.generation
      status.paths = manifest.paths
      status.contents = manifest.contents
      status.written = manifest.written
    }
    status.problem = state.problem
    return status
  }
}
