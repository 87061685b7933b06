// Owns how times and durations are written and read on the command line.
// It must not read a clock.

internal import ArgumentParser
internal import DecisionRecord

/// A time limit, as in 10s, 5m, 2h or 1d.
struct TimeLimit: ExpressibleByArgument, Equatable {
  let seconds: Int

  init?(argument: String) {
    guard let unit = argument.unicodeScalars.last, let number = Int(argument.unicodeScalars.dropLast().string) else {
      return nil
    }
    let factors: [Unicode.Scalar: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    guard let factor = factors[unit], number >= 1, number <= 31_536_000 / factor else { return nil }
    seconds = number * factor
  }

  var defaultValueDescription: String { "\(seconds)s" }
}

extension Sequence<Unicode.Scalar> {
  fileprivate var string: String { String(String.UnicodeScalarView(self)) }
}

enum TimeText {
  /// Seconds since the epoch as date and time, in UTC.
  static func date(_ seconds: Int64) -> String {
    let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !nanoseconds.overflow else { return "unknown" }
    let text = CivilTime(nanoseconds: nanoseconds.partialValue).rfc3339
    return text.prefix(10) + " " + text.dropFirst(11).prefix(8) + " UTC"
  }

  /// The two largest units of a duration, as in 3d 4h.
  static func duration(_ seconds: UInt64) -> String {
    let parts = [(seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
    let shown = parts.drop { $0.0 == 0 }.prefix(2)
    return shown.isEmpty ? "0s" : shown.map { "\($0.0)\($0.1)" }.joined(separator: " ")
  }
}
