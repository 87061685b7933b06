// Owns the line that shows how far a long work is: a bar, counts, rate and the time that is left.
// It must not be written where nobody looks at a terminal.

internal import Glibc
internal import SystemCalls
internal import TrustUpkeep

/// Shows progress on a terminal at standard error, and hears of Ctrl-C. For one work.
final class ProgressLine {
  private let isShown: Bool
  private let signals: SignalInput?
  private var stage: UpkeepProgress.Stage?
  private var stageBegun: UInt64 = 0
  private var lastShown: UInt64 = 0
  private(set) var isInterrupted = false

  /// Takes SIGINT and SIGTERM over, so that an interrupted work can keep what it has; before the first thread.
  init(isQuiet: Bool) {
    isShown = !isQuiet && ProcessSetup.isTerminal(STDERR_FILENO)
    signals = try? SignalInput([Signals.interrupt, Signals.terminate])
  }

  /// False where the work is to end.
  func show(_ progress: UpkeepProgress) -> Bool {
    let now = Clock.monotonic()
    if stage != progress.stage {
      stage = progress.stage
      stageBegun = now
      lastShown = 0
    }
    if isShown, now - lastShown > 100_000_000 {
      Output.writeProgress(Self.text(progress, seconds: Double(now - stageBegun) / 1e9))
      lastShown = now
    }
    if signals?.hasSignal == true { isInterrupted = true }
    return !isInterrupted
  }

  /// Takes the line away, so that what follows stands alone.
  func clear() {
    if isShown { Output.writeProgress("") }
  }

  /// Fits 80 columns.
  static func text(_ progress: UpkeepProgress, seconds: Double) -> String {
    switch progress.stage {
    case .listing: return "asking the package database"
    case .writing: return "writing the trust database"
    case .comparing: return "comparing  \(bar(progress.share))"
    case .reading:
      let rate = seconds > 0.5 ? Double(progress.bytes) / seconds : 0
      var parts = [
        "reading  \(bar(progress.share))",
        "\(Quantity.bytes(progress.bytes)) of \(Quantity.bytes(progress.totalBytes))",
      ]
      if rate > 0 {
        parts.append("\(Quantity.bytes(UInt64(rate)))/s")
        let left = Double(progress.totalBytes - min(progress.bytes, progress.totalBytes)) / rate
        if left < 1e6 { parts.append("\(TimeText.duration(UInt64(left.rounded(.up)))) left") }
      }
      return parts.joined(separator: "  ")
    }
  }

  private static func bar(_ share: Double) -> String {
    let width = 16
    let full = Int((share * Double(width)).rounded(.down))
    let percent = Int((share * 100).rounded(.down))
    let padding = percent < 10 ? "  " : percent < 100 ? " " : ""
    return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: width - full)
      + "] \(padding)\(percent)%"
  }
}

extension UpkeepProgress {
  /// 0 to 1: by bytes where there are any to read, since files differ in size.
  var share: Double {
    if totalBytes > 0 { return min(1, Double(bytes) / Double(totalBytes)) }
    return totalFiles > 0 ? min(1, Double(files) / Double(totalFiles)) : 1
  }
}

/// Signals that wait to be read.
private final class SignalInput {
  private let descriptor: Descriptor

  init(_ signals: [Int32]) throws(Errno) { descriptor = try Signals.descriptor(for: signals) }

  var hasSignal: Bool { (try? Signals.read(descriptor)) != nil }
}

enum Quantity {
  /// With binary units and at most one digit behind the point.
  static func bytes(_ count: UInt64) -> String {
    var (value, unit) = (Double(count), 0)
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while value >= 1023.5, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    if unit == 0 { return "\(count) B" }
    let tenths = Int((value * 10).rounded())
    return value < 99.95 ? "\(tenths / 10).\(tenths % 10) \(units[unit])" : "\(Int(value.rounded())) \(units[unit])"
  }

  /// With a comma between thousands.
  static func count(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    let text = digits.indices.reduce(into: "") { text, index in
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digits[index])
    }
    return number < 0 ? "-" + text : text
  }

  static func seconds(_ nanoseconds: UInt64) -> String {
    let tenths = nanoseconds / 100_000_000
    return tenths < 600 ? "\(tenths / 10).\(tenths % 10) s" : TimeText.duration(tenths / 10)
  }
}
