// Owns the answer to "is this file trusted, and why (not)": what the database knows, what the file is now.
// It must not change anything, nor print.

internal import AccessModel
internal import Glibc
internal import SystemCalls
public import TrustDatabase

/// What is to be said about one path.
public struct TrustExplanation: Sendable {
  public enum Ruling: String, CaseIterable, Sendable, Hashable {
    case trusted
    /// The path has entries, none with this content.
    case changed
    /// Nothing is known of the path, nor of the content.
    case unknown
    /// `! path` in a trust file.
    case distrusted
    /// The content is trusted, but somebody can still write it.
    case openForWriting = "open-for-writing"
    case missing
    case notRegular = "not-regular"
    case unreadable
    /// It was written to while it was read.
    case changing
    /// There is no database that can be believed.
    case unavailable
  }

  /// All links followed.
  public var path: [UInt8]
  public var ruling: Ruling
  public var entry: TrustEntry?
  /// The word that trusts this content wherever it lies.
  public var anywhere: TrustedContent?
  public var file: FileReading
  /// Processes that have it open for writing.
  public var writers: [Writer] = []
  /// Why there is no database.
  public var problem: TrustStoreError?

  /// Looks at one path, as the user named it.
  public static func of(_ path: [UInt8], in store: TrustStore) throws -> TrustExplanation {
    let place = RealPath.ofAny(path)
    let reading = try FileMeter().read(PathBytes(place))
    var explanation = TrustExplanation(path: place, ruling: .unavailable, file: reading)
    do throws(TrustStoreError) {
      let snapshot = try store.snapshot()
      explanation.entry = try snapshot.entry(at: place)
      if case .measured(let file) = reading { explanation.anywhere = try snapshot.wherever(file.hash) }
    } catch {
      explanation.problem = error
      return explanation
    }
    explanation.ruling = explanation.judge()
    if case .measured(let file) = reading, isHeld(place) {
      explanation.writers = WriterSearch.writers(of: file.status)
      if explanation.ruling == .trusted { explanation.ruling = .openForWriting }
    }
    return explanation
  }

  /// The content at the path that the file has, if any.
  public var match: TrustedContent? {
    guard case .measured(let file) = file else { return nil }
    return entry?.contents.first { $0.hash == file.hash } ?? anywhere
  }

  private func judge() -> Ruling {
    if entry?.isDistrusted == true { return .distrusted }
    switch file {
    case .missing: return .missing
    case .notRegular: return .notRegular
    case .unreadable: return .unreadable
    case .changing, .cancelled: return .changing
    case .measured: return match != nil ? .trusted : entry == nil ? .unknown : .changed
    }
  }

  private static func isHeld(_ path: [UInt8]) -> Bool {
    guard let file = try? Descriptor.open(PathBytes(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) else {
      return false
    }
    return WriterSearch.isOpenForWriting(file.rawValue) ?? false
  }
}
