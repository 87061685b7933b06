// Owns the state folder and the promise that one daemon alone uses it.
// It must not keep anything else there.

import SystemCalls

final class StateLock {
  private let path: String
  private let file: Descriptor
  private var isHeld = false

  /// Makes the folder where it does not exist, and holds a lock in it.
  init(folder: String) throws {
    do throws(Errno) { try ProcessSetup.makeDirectory(folder, mode: 0o700) } catch {
      throw StartRefused(text: "liliumd: cannot make the state folder \(folder): \(error); name another with --state\n")
    }
    path = "\(folder)/liliumd.lock"
    do throws(Errno) {
      file = try Descriptor.open(path, Self.readWriteCreate, mode: 0o600)
      try ProcessSetup.lock(file)
      isHeld = true
    } catch {
      let why = error == .again ? "another liliumd uses it" : "\(error)"
      throw StartRefused(
        text: "liliumd: cannot lock \(path): \(why); stop the other one, or name another folder with --state\n")
    }
  }

  private static let readWriteCreate: Int32 = 0o102

  /// Takes the lock's file away; that of another daemon stays.
  func remove() {
    if isHeld { try? ProcessSetup.removeFile(path) }
    isHeld = false
  }

  deinit { remove() }
}
