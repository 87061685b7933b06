// Owns taking one mount away, in whatever mount namespace it is, without mistaking another for it.
// It must not choose the mount.

internal import CSystemCalls
internal import Synchronization

/// Why a mount was not taken away.
public enum UnmountFailure: Error, Hashable, Sendable {
  /// Another mount is there, or none.
  case changed
  case refused(Errno)
  /// A file server does not answer; the attempt goes on by itself.
  case hung
}

public enum MountControl {
  private static let pathOnlyNoFollow: Int32 = 0o10400000
  private static let patience: Int32 = 2000

  /// Detaches the mount with this id from its place (umount2(2), MNT_DETACH). `mountNamespace` is an open
  /// /proc/PID/ns/mnt, or negative for that of this process. Runs on a thread of its own, which may enter the
  /// namespace and may be left behind where a file server hangs.
  public static func detach(_ place: PathBytes, id: UInt64, mountNamespace: Int32) throws(UnmountFailure) {
    let own: Int32
    do throws(Errno) { own = mountNamespace < 0 ? -1 : try Descriptor.duplicate(mountNamespace).release() } catch {
      throw .refused(error)
    }
    let answer = Answer()
    do throws(Errno) {
      let done = try WakeUp()
      let thread = try Thread.start("lilium-unmount") {
        answer.set(detachHere(place, id, own))
        if own >= 0 { closeDescriptor(own) }
        done.wake()
      }
      thread.detach()
      let end = Clock.monotonic() + UInt64(patience) * 1_000_000
      // A signal ends a wait early.
      while answer.get() == nil, Clock.monotonic() < end {
        _ = try waitForEvents([(done.descriptor, PollEvents.input)], milliseconds: patience)
      }
    } catch {
      throw .refused(error)
    }
    switch answer.get() {
    case .success: return
    case .failure(let failure): throw failure
    case nil: throw .hung
    }
  }

  private static func detachHere(_ place: PathBytes, _ id: UInt64, _ mounts: Int32) -> Result<Void, UnmountFailure> {
    do throws(Errno) {
      _ = try shimCall { lil_own_file_tree() }
      if mounts >= 0 { _ = try shimCall { lil_enter_mounts(mounts) } }
      let root = try unsafe place.withPointer { path throws(Errno) in
        try unsafe Descriptor.open(path, pathOnlyNoFollow)
      }
      guard UInt64(try shimCall { lil_mount_id(root.rawValue) }) == id else { return .failure(.changed) }
      if lil_fchdir(root.rawValue) == 0 {
        // What is named from here on is what was looked at, whatever becomes of the path.
        _ = try shimCall { unsafe lil_detach_mount(".") }
      } else {
        // A file, or a file system that lets nobody in but its owner.
        _ = try unsafe place.withPointer { path throws(Errno) in try shimCall { unsafe lil_detach_mount(path) } }
      }
      return .success(())
    } catch {
      return .failure(error == .noEntry ? .changed : .refused(error))
    }
  }

  private final class Answer: Sendable {
    private let value = Mutex<Result<Void, UnmountFailure>?>(nil)
    func set(_ result: Result<Void, UnmountFailure>) { value.withLock { $0 = result } }
    func get() -> Result<Void, UnmountFailure>? { value.withLock { $0 } }
  }
}
