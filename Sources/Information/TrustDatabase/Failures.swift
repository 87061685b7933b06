// Owns which kind of store error a failed call is.
// It must not carry on: every failure reaches the caller.

internal import CLMDB
internal import Glibc
internal import SystemCalls

extension TrustStoreError {
  /// A call about the file or folder at this place failed.
  init(_ call: String, _ place: String, _ error: Errno) {
    switch error {
    case Errno(EIO), Errno(EUCLEAN), .badMessage:
      self = .damaged(path: place, why: "the file system cannot read or write it: \(error)")
    case Errno(ENOSPC), Errno(EDQUOT), Errno(EFBIG): self = .full(path: place)
    default: self = .system(SystemCallError(call, place, error))
    }
  }

  /// LMDB gave this number: an errno, or one of its own.
  init(lmdb code: Int32, _ call: String, _ place: String) {
    switch code {
    // LMDB works in memory here, where EIO is its word for a write that came to an end early.
    case MDB_MAP_FULL, MDB_TXN_FULL, EIO: self = .full(path: place)
    case 1...: self.init(call, place, Errno(code))
    default: self = .damaged(path: place, why: "\(call): \(unsafe String(cString: mdb_strerror(code)))")
    }
  }
}

/// Runs a call on the file or folder at this place.
func call<Value: ~Copyable>(
  _ name: String, _ place: String, _ body: () throws(Errno) -> Value
) throws(TrustStoreError) -> Value {
  do throws(Errno) { return try body() } catch { throw TrustStoreError(name, place, error) }
}

/// Writes all of it at the descriptor's position (write(2)).
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(Errno) {
  var done = 0
  while done < bytes.count {
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
    done += try systemCall { unsafe write(descriptor, rest.baseAddress, rest.count) }
  }
}
