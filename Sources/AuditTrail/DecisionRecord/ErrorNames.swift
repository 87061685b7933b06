// Owns the names of the errors with which system calls fail (errno(3)), as all of Linux's machines here number them.
// It must not ask the C library: the words are the same wherever a record is read.

enum ErrorNames {
  /// `EPERM` for -1; the number where no name is known, as for the kernel's own codes for a call that starts again.
  static func name(ofResult result: Int64) -> String {
    names[result.magnitude] ?? "error \(result.magnitude)"
  }

  private static let names: [UInt64: String] = [
    1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG", 8: "ENOEXEC", 9: "EBADF",
    10: "ECHILD", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 14: "EFAULT", 15: "ENOTBLK", 16: "EBUSY", 17: "EEXIST",
    18: "EXDEV", 19: "ENODEV", 20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL", 23: "ENFILE", 24: "EMFILE", 25: "ENOTTY",
    26: "ETXTBSY", 27: "EFBIG", 28: "ENOSPC", 29: "ESPIPE", 30: "EROFS", 31: "EMLINK", 32: "EPIPE", 33: "EDOM",
    34: "ERANGE", 36: "ENAMETOOLONG", 38: "ENOSYS", 40: "ELOOP", 61: "ENODATA", 62: "ETIME", 71: "EPROTO",
    75: "EOVERFLOW", 84: "EILSEQ", 87: "EUSERS", 90: "EMSGSIZE", 93: "EPROTONOSUPPORT", 95: "EOPNOTSUPP",
    97: "EAFNOSUPPORT", 99: "EADDRNOTAVAIL", 110: "ETIMEDOUT", 117: "EUCLEAN", 123: "ENOMEDIUM", 126: "ENOKEY",
    127: "EKEYEXPIRED", 128: "EKEYREVOKED", 129: "EKEYREJECTED", 133: "EHWPOISON",
  ]
}
