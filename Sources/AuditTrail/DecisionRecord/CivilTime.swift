// Owns the way from nanoseconds since the epoch to a date and a time of day, proleptic Gregorian.
// It must not read a clock or know a time zone.

/// A point in time as a calendar and a clock show it.
public struct CivilTime: Sendable, Hashable {
  public let year: Int
  public let month: Int
  public let day: Int
  public let hour: Int
  public let minute: Int
  public let second: Int
  public let nanosecond: Int

  /// From nanoseconds since 1970-01-01T00:00:00Z, before it too; `offset` is in seconds east of UTC.
  public init(nanoseconds: Int64, offset: Int32 = 0) {
    let (wholeSeconds, fraction) = Self.floorDivide(Int(nanoseconds), 1_000_000_000)
    let (days, secondOfDay) = Self.floorDivide(wholeSeconds + Int(offset), 86_400)
    (year, month, day) = Self.date(daysSinceEpoch: days)
    hour = secondOfDay / 3600
    minute = secondOfDay / 60 % 60
    second = secondOfDay % 60
    nanosecond = fraction
  }

  /// RFC 3339 in UTC with microseconds, as in `2026-01-31T12:00:00.123456Z`; for an offset of 0.
  public var rfc3339: String {
    "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(clock).\(padded(nanosecond / 1000, 6))Z"
  }

  /// `12:00:00.123`.
  public var timeOfDay: String { "\(clock).\(padded(nanosecond / 1_000_000, 3))" }

  private var clock: String { "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" }

  private static func floorDivide(_ value: Int, _ by: Int) -> (quotient: Int, rest: Int) {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
    return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
  }

  /// Counts in eras of 400 years (146,097 days) from 0000-03-01, so that a leap day ends its year.
  private static func date(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }
}

/// The number with leading zeros.
private func padded(_ number: Int, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
