// Owns a row of counters that any thread may add to.
// It must not lock.

internal import Synchronization

/// `@safe`: every index is checked.
@safe final class CounterArray: Sendable {
  nonisolated(unsafe) private let cells: UnsafeMutableBufferPointer<Atomic<UInt64>>

  init(count: Int) {
    unsafe cells = .allocate(capacity: count)
    for index in 0..<count { unsafe cells.initializeElement(at: index, to: Atomic(0)) }
  }

  deinit {
    unsafe cells.deinitialize()
    unsafe cells.deallocate()
  }

  func add(_ index: Int) {
    precondition(unsafe cells.indices.contains(index))
    unsafe cells[index].wrappingAdd(1, ordering: .relaxed)
  }

  func value(_ index: Int) -> UInt64 {
    precondition(unsafe cells.indices.contains(index))
    return unsafe cells[index].load(ordering: .relaxed)
  }
}
