// Owns the last decision records, so that `explain` can show one by its id.
// It must not keep anything beyond the process.

internal import DecisionRecord
internal import Synchronization

/// A ring of the JSON forms of the last records.
final class RecentRecords: Sendable {
  private struct State {
    var entries: [(id: RecordID, json: [UInt8])] = []
    var next = 0
  }

  private let capacity: Int
  private let state = Mutex(State())

  init(capacity: Int) { self.capacity = capacity }

  func keep(_ id: RecordID, _ json: [UInt8]) {
    state.withLock { state in
      if state.entries.count < capacity {
        state.entries.append((id, json))
      } else {
        state.entries[state.next] = (id, json)
        state.next = (state.next + 1) % capacity
      }
    }
  }

  /// The JSON of the record with this id, in the form that `RecordID.description` has.
  func json(of id: String) -> [UInt8]? {
    state.withLock { state in state.entries.first { $0.id.description == id }?.json }
  }
}
