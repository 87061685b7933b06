// Owns the lock that lets one program write the store at a time (flock(2)).
// It must not be taken by readers: they never wait.

internal import Glibc
internal import SystemCalls

/// Held for as long as it lives. The kernel lets go of it when the process ends, however it ends.
struct StoreLock: ~Copyable {
  private let file: Descriptor
  static let name = "lock"
  private static let pause: UInt64 = 20_000_000

  // So that the next one is not taken for this one before it has signed.
  deinit { _ = ftruncate(file.rawValue, 0) }

  /// Waits for as long as is asked; `.busy` names the holder where it is known.
  static func take(_ folder: borrowing StoreFolder, waitingSeconds: Int) throws(TrustStoreError) -> StoreLock {
    guard let stored = try folder.open(name, flags: O_RDWR | O_CREAT) else {
      throw .system(SystemCallError("open", folder.place(name), .noEntry))
    }
    let file = stored.intoFile()
    let end = deadline(waitingSeconds)
    while try !lock(file, folder) {
      if Clock.monotonic() >= end { throw .busy(pid: holder(file)) }
      Clock.sleep(nanoseconds: pause)
    }
    sign(file)
    return StoreLock(file: file)
  }

  private static func deadline(_ seconds: Int) -> UInt64 {
    let wait = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let end = Clock.monotonic().addingReportingOverflow(wait.partialValue)
    return wait.overflow || end.overflow ? .max : end.partialValue
  }

  /// False where somebody holds it.
  private static func lock(
    _ file: borrowing Descriptor, _ folder: borrowing StoreFolder
  ) throws(TrustStoreError) -> Bool {
    do throws(Errno) {
      try ProcessSetup.lock(file)
      return true
    } catch {
      if error == .again { return false }
      throw TrustStoreError("flock", folder.place(name), error)
    }
  }

  /// Who holds the lock wrote its number; it only serves a sentence.
  private static func holder(_ file: borrowing Descriptor) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let descriptor = file.rawValue
    let count = unsafe bytes.withUnsafeMutableBytes { (try? unsafe readDescriptor(descriptor, $0, at: 0)) ?? 0 }
    return Int32(String(decoding: bytes[..<count].prefix { $0 != 0x0a }, as: UTF8.self))
  }

  private static func sign(_ file: borrowing Descriptor) {
    let text = Array("\(ProcessSetup.processID)\n".utf8)
    _ = ftruncate(file.rawValue, 0)
    // A full disk takes no number; the lock holds all the same.
    _ = unsafe pwrite(file.rawValue, text, text.count, 0)
  }
}
