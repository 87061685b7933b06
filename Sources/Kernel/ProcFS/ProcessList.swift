// Owns the list of processes that /proc shows.
// It must not keep it: it is old the moment it is read.

internal import Glibc

public enum ProcessList {
  /// Every thread group id, in no order.
  public static func pids() -> [Int32] {
    guard let folder = unsafe opendir("/proc") else { return [] }
    defer { unsafe _ = closedir(folder) }
    var pids: [Int32] = []
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe bytes.prefix { $0 != 0 }.map { $0 }
      }
      if let pid = Int32(String(decoding: name, as: UTF8.self)), pid > 0 { pids.append(pid) }
    }
    return pids
  }
}
