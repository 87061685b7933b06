// Owns the table of how sure a digest must be, by the place of the file.
// It must not read a configuration.

public import AccessModel
internal import Synchronization

/// Swapped whole; a question sees one table. Thread-safe.
public final class IntegrityModes: Sendable {
  /// Longest first.
  private let table = Mutex<[(place: [UInt8], mode: IntegrityMode)]>([])

  public init() {}

  /// `place` is a file, or a folder with or without its final slash, for all that lies in it at any depth: `/srv/models`
  /// says nothing of `/srv/models2`.
  public func replace(with modes: [(place: [UInt8], mode: IntegrityMode)]) {
    let trimmed = modes.map { entry in
      (place: entry.place.last == 0x2f ? Array(entry.place.dropLast()) : entry.place, mode: entry.mode)
    }
    let sorted = trimmed.sorted { $0.place.count > $1.place.count }
    table.withLock { $0 = sorted }
  }

  /// The mode of the longest place that holds the path; `sha256` where none does.
  public func mode(of path: [UInt8]) -> IntegrityMode {
    table.withLock { table in
      for (place, mode) in table where path.starts(with: place) {
        if path.count == place.count || path[place.count] == 0x2f { return mode }
      }
      return .sha256
    }
  }
}
