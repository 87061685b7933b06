// Owns the table [log] of lilium.toml(5).
// It must not open a log.

extension LogSettings {
  mutating func read(_ table: TableReader) {
    var table = table
    readSinks(&table)
    if let flag = table.bool("denials") { denials = flag }
    if let flag = table.bool("allows") { allows = flag }
    readRateLimit(&table)
    if let count = table.integer("queue", in: 64...1_048_576) { queue = count }
    table.finish()
  }

  private mutating func readSinks(_ table: inout TableReader) {
    var read: [Sink] = []
    let given = table.strings("sinks") { text in
      switch text {
      case "journal": read.append(.journal)
      case "stdout": read.append(.standardOutput)
      case "audit": read.append(.audit)
      case _ where text.hasPrefix("file:"):
        let path = String(text.dropFirst(5))
        if let fault = faultOfPath(path) { return fault }
        if path == "/" { return "\"/\" is a folder; name a file" }
        read.append(.file(path))
      default: return "expected \"journal\", \"stdout\", \"audit\" or \"file:/PATH\", found \"\(text)\""
      }
      return nil
    }
    guard given != nil else { return }
    if Set(read).count < read.count, let node = table.node("sinks") {
      table.report("sinks", node, "names a sink twice")
    }
    sinks = read
  }

  private mutating func readRateLimit(_ table: inout TableReader) {
    if case .string(let word)? = table.node("rate_limit")?.value, word == "off" {
      rateLimit = nil
      return
    }
    guard var limits = table.table("rate_limit") else { return }
    var limit = rateLimit ?? LogRate(perSecond: 100, burst: 200)
    if let count = limits.integer("per_second", in: 1...1_000_000) { limit.perSecond = count }
    if let count = limits.integer("burst", in: 1...1_000_000) { limit.burst = count }
    limits.finish()
    rateLimit = limit
  }
}
