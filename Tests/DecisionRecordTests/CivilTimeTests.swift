// Holds dates and times against known values and against the C library.

import AccessModel
import DecisionRecord
import Glibc
import Testing

@Suite("Civil time")
struct CivilTimeTests {
  @Test(
    "known points in time",
    arguments: [
      (0, "1970-01-01T00:00:00.000000Z"),
      (-1, "1969-12-31T23:59:59.999999Z"),
      (-1_000_000_000, "1969-12-31T23:59:59.000000Z"),
      (noon, "2026-01-31T12:00:00.123456Z"),
      (951_782_399_000_001_999, "2000-02-28T23:59:59.000001Z"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
      (951_868_800_000_000_000, "2000-03-01T00:00:00.000000Z"),
      (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000000Z"),
      (1_677_628_800_000_000_000, "2023-03-01T00:00:00.000000Z"),
      (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999Z"),
      (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
      (-2_203_891_200_000_000_000, "1900-03-01T00:00:00.000000Z"),
      (-2_203_891_200_000_000_001, "1900-02-28T23:59:59.999999Z"),
      (Int64.max, "2262-04-11T23:47:16.854775Z"),
      (Int64.min, "1677-09-21T00:12:43.145224Z"),
    ] as [(Int64, String)])
  func known(nanoseconds: Int64, expected: String) {
    #expect(CivilTime(nanoseconds: nanoseconds).rfc3339 == expected)
  }

  @Test("every day of 1900 to 2105 as gmtime_r(3) says")
  func agreesWithTheLibrary() {
    var wrong = 0
    for day in -25_567..<49_674 {
      let seconds = day * 86_400 + (day & 0xffff) % 86_400
      var time = time_t(seconds)
      var known = tm()
      gmtime_r(&time, &known)
      let ours = CivilTime(nanoseconds: Int64(seconds) * 1_000_000_000)
      let same =
        ours.year == Int(known.tm_year) + 1900 && ours.month == Int(known.tm_mon) + 1 && ours.day == Int(known.tm_mday)
        && ours.hour == Int(known.tm_hour) && ours.minute == Int(known.tm_min) && ours.second == Int(known.tm_sec)
      if !same { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test("an offset moves over midnight both ways")
  func offset() {
    #expect(CivilTime(nanoseconds: 0, offset: 5400).timeOfDay == "01:30:00.000")
    #expect(CivilTime(nanoseconds: -1_000_000, offset: -3600).timeOfDay == "22:59:59.999")
    #expect(CivilTime(nanoseconds: 0, offset: -1).day == 31)
  }
}
