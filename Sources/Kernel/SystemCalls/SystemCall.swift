// Owns the one gate for system calls: EINTR is retried, an error becomes a thrown Errno.
// It must not interpret results.

internal import Glibc

/// Runs a call of the C library that gives -1 and sets errno.
@inlinable @inline(__always)
public func systemCall<Value: SignedInteger & Sendable>(_ body: () -> Value) throws(Errno) -> Value {
  while true {
    let value = body()
    if value >= 0 { return value }
    let error = currentErrno()
    if error != .interrupted { throw error }
  }
}

/// Runs a shim that gives its result or -errno.
@inlinable @inline(__always)
public func shimCall<Value: FixedWidthInteger & SignedInteger & Sendable>(_ body: () -> Value) throws(Errno) -> Value {
  while true {
    let value = body()
    if value >= 0 { return value }
    let error = Errno(Int32(truncatingIfNeeded: -value))
    if error != .interrupted { throw error }
  }
}

@usableFromInline
func currentErrno() -> Errno { Errno(errno) }
