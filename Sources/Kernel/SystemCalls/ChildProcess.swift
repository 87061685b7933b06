// Owns starting a program as a child of one's own, and its end.
// It must not be used by a daemon's threads: whoever starts a child waits for it.

internal import Glibc

public enum ChildProcess {
  /// Starts a program with this command line, the caller's environment and its standard descriptors
  /// (posix_spawn(3)). The child stays until `end` takes its status.
  public static func start(_ path: String, _ arguments: [String]) throws(Errno) -> Int32 {
    var words: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
    unsafe words.append(nil)
    defer { for index in unsafe words.indices { unsafe free(words[index]) } }
    var pid: pid_t = 0
    // The words outlive the call, which copies them.
    let error = unsafe posix_spawn(&pid, path, nil, nil, words, environ)
    guard error == 0 else { throw Errno(error) }
    return pid
  }

  /// Whether the child has ended (waitid(2)); its number stays its own until `end`.
  public static func hasEnded(_ pid: Int32) -> Bool {
    guard pid > 0 else { return true }
    var state = unsafe siginfo_t()
    // Without a change of state all of it stays zero. The state outlives the call that fills it.
    let result = unsafe waitid(P_PID, id_t(pid), &state, WEXITED | WNOHANG | WNOWAIT)
    return result != 0 ? errno == ECHILD : unsafe state.si_signo == SIGCHLD
  }

  /// Kills the child where it still runs, and takes its status (waitpid(2)): its number is free from then on.
  public static func end(_ pid: Int32) {
    guard pid > 0 else { return }
    kill(pid, SIGKILL)
    while waitpid(pid, nil, 0) < 0, errno == EINTR {}
  }
}
