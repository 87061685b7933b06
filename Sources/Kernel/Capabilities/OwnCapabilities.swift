// Owns what this process may do, as libcap tells (cap_get_proc(3)).
// It must not speak of another process: ProcFS reads those.

internal import CCapabilities

public enum OwnCapabilities {
  /// Those of the given capability numbers that are not in the effective set, by libcap's name in capitals.
  public static func missing(of numbers: [Int32]) -> [String] {
    guard let set = unsafe cap_get_proc() else { return numbers.map(name) }
    defer { unsafe _ = cap_free(UnsafeMutableRawPointer(set)) }
    return numbers.filter { number in
      var flag = CAP_CLEAR
      let found = unsafe cap_get_flag(set, cap_value_t(number), CAP_EFFECTIVE, &flag)
      return found != 0 || flag != CAP_SET
    }.map(name)
  }

  /// The name that libcap gives a capability number, in capitals; `CAP_n` where it has none.
  public static func name(_ number: Int32) -> String {
    guard let text = unsafe cap_to_name(cap_value_t(number)) else { return "CAP_\(number)" }
    defer { unsafe _ = cap_free(text) }
    // For a number that it does not know, libcap gives the number itself.
    let known = unsafe String(cString: text).uppercased()
    return known.hasPrefix("CAP_") ? known : "CAP_\(number)"
  }
}
