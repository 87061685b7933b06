// Owns realpath(3) on bytes.
// It must not know roots: FolderResolver does.

internal import Glibc
internal import SystemCalls

/// The canonical path of what is there now.
func canonicalPath(_ path: PathBytes) throws(Errno) -> PathBytes {
  try path.withPointer { pointer throws(Errno) in
    guard let found = realpath(pointer, nil) else { throw Errno(errno) }
    defer { free(found) }
    return PathBytes((0..<strlen(found)).map { UInt8(bitPattern: found[$0]) })
  }
}
