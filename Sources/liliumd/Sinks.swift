// Owns which sinks the records go to, made from configuration and command line.
// It must not write.

import Configuration
import DecisionRecord
import SystemCalls
import TrailSinks

enum Sinks {
  private static let standardOutput: Int32 = 1
  private static let append: Int32 = 0o2001
  private static let create: Int32 = 0o100

  /// `--foreground` prints instead of logging, so that trying Lilium leaves nothing behind in the host's logs.
  static func make(_ arguments: Arguments, _ log: LogSettings) throws(SystemCallError) -> [any TrailSink] {
    if arguments.foreground {
      switch arguments.output ?? .pretty {
      case .none: return []
      case .json: return [try JSONLinesSink(name: "stdout", descriptor: output(), only: [.decision])]
      case .pretty:
        let style = TerminalStyle(color: usesColor, utcOffset: 0)
        return [try TerminalSink(descriptor: output(), style: style)]
      }
    }
    var sinks: [any TrailSink] = []
    for sink in log.sinks { sinks.append(try make(sink)) }
    return sinks
  }

  private static func make(_ sink: LogSettings.Sink) throws(SystemCallError) -> any TrailSink {
    switch sink {
    case .journal: return JournalSink()
    case .audit: return try AuditSink()
    case .standardOutput: return try JSONLinesSink(name: "stdout", descriptor: output())
    case .file(let path):
      do throws(Errno) {
        return JSONLinesSink(name: path, descriptor: try Descriptor.open(path, append | create, mode: 0o640))
      } catch {
        throw SystemCallError("open", path, error)
      }
    }
  }

  /// A descriptor of its own, because a sink owns and closes what it writes to.
  private static func output() throws(SystemCallError) -> Descriptor {
    do throws(Errno) { return try Descriptor.duplicate(standardOutput) } catch {
      throw SystemCallError("dup", "standard output", error)
    }
  }

  private static var usesColor: Bool {
    ProcessSetup.isTerminal(standardOutput) && ProcessSetup.environment("NO_COLOR") == nil
  }
}

extension TrailSettings {
  init(_ log: LogSettings) {
    let limit = log.rateLimit.map {
      TrailSinks.RateLimit(perSecond: UInt64($0.perSecond), burst: UInt64($0.burst))
    }
    self.init(denials: log.denials, allows: log.allows, rate: limit)
  }
}
