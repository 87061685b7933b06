// Owns the few facts about a traced process that a record left out.
// It must not say that the process is the one of the time of the call: the caller of this knows why it may be.

internal import ProcFS
internal import SystemCalls

enum TargetReading {
  static func status(of pid: Int32) -> (uid: UInt32, comm: [UInt8])? {
    var buffer = [UInt8](repeating: 0, count: 8192)
    return unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let count = try? unsafe ProcessFile.status.read(pid: pid, into: bytes) else { return nil }
      var status = ProcessStatus()
      guard unsafe status.read(UnsafeRawBufferPointer(rebasing: bytes[..<count])) else { return nil }
      return (status.uids.real, status.name)
    }
  }
}
