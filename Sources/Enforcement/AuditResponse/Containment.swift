// Owns what is done about a call that should not have happened: the caller is ended, a new mount is taken away.
// It must not touch a process or mount that is not proven to be the one, nor pid 1, liliumd or a kernel thread.

internal import AccessModel
internal import AuditNetlink
internal import ProcFS
internal import SystemCalls

enum Containment {
  /// Answers a call that succeeded. The caller goes first, so that it does not do the same again.
  static func answer(
    _ record: CallRecord, _ mount: MountFinding?, in mountNamespace: Int32, _ caller: borrowing Caller?
  ) -> Answered {
    let ending = end(record, caller)
    if case .failure(.protectedProcess) = ending { return .notContained(.protectedProcess) }
    guard let mount, mount.isNew else {
      if case .failure(let failure) = ending { return .notContained(failure) }
      // What was mounted stays where nobody can say which mount it is.
      return MountFinding.makesMount(record) || record.call == .moveMount && mount == nil
        ? .notContained(.mountChanged) : .done(.contained)
    }
    // What was mounted is what matters, whatever became of the one who did it.
    do throws(ContainmentFailure) { try undo(mount, mountNamespace) } catch { return .notContained(error) }
    return .done(.contained)
  }

  private static func end(
    _ record: CallRecord, _ caller: borrowing Caller?
  ) -> Result<Void, ContainmentFailure> {
    guard record.pid != 1, record.pid != ProcessSetup.processID else { return .failure(.protectedProcess) }
    switch caller {
    case nil: return .failure(isGone(record.pid) ? .processGone : .identityUncertain)
    case .some(let caller):
      guard !caller.isKernelThread else { return .failure(.protectedProcess) }
      do throws(Errno) { try caller.kill() } catch {
        return .failure(error == .noProcess ? .processGone : .killRefused)
      }
      return .success(())
    }
  }

  /// Nobody has the number any more.
  private static func isGone(_ pid: Int32) -> Bool {
    do throws(Errno) {
      _ = try ProcessHandle(pid: pid)
      return false
    } catch {
      return error == .noProcess
    }
  }

  /// `mountNamespace` was opened before the caller was ended, and may live by that alone.
  private static func undo(_ mount: MountFinding, _ mountNamespace: Int32) throws(ContainmentFailure) {
    guard mount.isInitial || mountNamespace >= 0 else { throw .mountChanged }
    do throws(UnmountFailure) {
      try MountControl.detach(
        PathBytes(mount.entry.mountPoint), id: mount.entry.id, mountNamespace: mount.isInitial ? -1 : mountNamespace)
    } catch {
      throw error == .changed ? .mountChanged : .unmountRefused
    }
  }
}
