// Owns the question whether somebody can still write a file: a read lease that is tried and given back (fcntl(2),
// F_SETLEASE).
// It must not keep a lease: a writer that opens the file meanwhile waits for it.

internal import CSystemCalls
internal import Glibc

public enum WriterProbe {
  /// Whether anybody holds the file open for writing, or mapped so (mmap(2), MAP_SHARED, PROT_WRITE). Nil where it
  /// cannot be known: the file system has no leases, or the file is another user's and CAP_LEASE is missing. The
  /// descriptor must be open for reading alone, and nobody else's.
  ///
  /// A writer that comes between the two calls waits for microseconds; one that does not want to wait (O_NONBLOCK)
  /// gets EWOULDBLOCK, as from any lease. The kernel then sends the holder a signal: SIGIO, which ends a process, if not
  /// told otherwise. SIGURG does nothing unless a handler is set for it.
  public static func isHeldForWriting(_ descriptor: Int32) throws(Errno) -> Bool? {
    do {
      _ = try shimCall { lil_set_lease_signal(descriptor, SIGURG) }
      _ = try shimCall { lil_take_read_lease(descriptor) }
    } catch .again {
      return true
    } catch {
      if error == .badDescriptor { throw error }
      return nil
    }
    _ = try shimCall { lil_drop_lease(descriptor) }
    return false
  }
}
