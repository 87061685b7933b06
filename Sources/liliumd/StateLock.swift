// Owns the state folder and the promise that one daemon alone uses it.
// It must not keep anything else there.

import SystemCalls

final class StateLock {
  private let path: String
  private let file: Descriptor
  private var isHeld = false
  /// The daemon before this one did not end in order: what it had not yet written is lost.
  private(set) var wasLeft = false

  /// Makes the folder where it does not exist, and holds a lock in it. An `inherited` file is locked already, by a
  /// process that lives: it is this one's to take away only from `own` on.
  init(folder: String, inherited: consuming Descriptor? = nil) throws {
    do throws(Errno) { try ProcessSetup.makeDirectory(folder, mode: 0o700) } catch {
      throw StartRefused(text: "liliumd: cannot make the state folder \(folder): \(error); name another with --state\n")
    }
    path = "\(folder)/liliumd.lock"
    do throws(Errno) {
      switch consume inherited {
      case .some(let descriptor): file = descriptor
      case .none:
        wasLeft = (try? FileStatus.of(path: path)) != nil
        file = try Descriptor.open(path, Self.readWriteCreate, mode: 0o600)
        isHeld = true
      }
      do throws(Errno) { try ProcessSetup.lock(file) } catch {
        isHeld = false
        throw error
      }
    } catch {
      let why = error == .again ? "another liliumd uses it" : "\(error)"
      throw StartRefused(
        text: "liliumd: cannot lock \(path): \(why); stop the other one, or name another folder with --state\n")
    }
  }

  private static let readWriteCreate: Int32 = 0o102

  var descriptor: Int32 { file.rawValue }

  /// The process that the file was inherited from is about to end.
  func own() { isHeld = true }

  /// Leaves the file, and the lock, to the process that inherited them.
  func leave() { isHeld = false }

  /// Takes the lock's file away; that of another daemon stays.
  func remove() {
    if isHeld { try? ProcessSetup.removeFile(path) }
    isHeld = false
  }

  deinit { remove() }
}
