// Owns what stands in the records that are not decisions, under which names and in which order (schema 1).
// It must not invent a key that a decision uses with another type: log stores keep one type a key.

internal import AccessModel

extension FieldGroup {
  /// The part of a record after schema, id, time and kind.
  mutating func addEvent(_ event: TrailEvent) {
    switch event {
    case .decision(let entry): addDecision(entry)
    case .started(let start): addStart(start)
    case .stopped(let stop): addStop(stop)
    case .policyLoaded(let identity, let rules, let warnings):
      add("policy", identity)
      add("rules", rules)
      add("warnings", .texts(warnings))
    case .policyRefused(let diagnostics, let running):
      add("diagnostics", .texts(diagnostics))
      add("policy", ifKnown: running)
    case .modeChanged(let mechanism, let from, let to, let until, let uid):
      add("mechanism", mechanism.name)
      add("from", from.name)
      add("to", to.name)
      if let until { add("until", CivilTime(nanoseconds: until).rfc3339) }
      if let uid { add("uid", uid) }
    case .loss(let what, let count):
      add("what", what)
      add("count", count)
    case .suppressed(let suppression):
      addVerdict(of: suppression.sample, effect: nil)
      add("count", suppression.count)
      add("seconds", suppression.seconds)
    case .coverageChanged(let change): addCoverage(change)
    case .sensingChanged(let change):
      add("what", change.what)
      add("detail", change.detail)
      add("problem", change.isProblem)
    case .trustLoaded(let load): addTrust(load)
    case .tamperingDenied(let tampering):
      add("what", tampering.kind.name)
      add("detail", tampering.detail)
      if !tampering.name.isEmpty { add("name", tampering.name) }
      add("subject", .group(tampering.seen.fields))
    }
  }

  private mutating func addStart(_ start: DaemonStart) {
    add("version", start.version)
    add("pid", start.pid)
    var modes = FieldGroup()
    for mechanism in Mechanism.allCases { modes.add(mechanism.name, start.settings[mechanism].mode.name) }
    add("modes", .group(modes))
    add("policy", ifKnown: start.policy)
    add("command_line_mode", ifKnown: start.commandLineMode?.name)
    if let predecessor = start.predecessor { add("took_over_from", predecessor) }
  }

  private mutating func addStop(_ stop: DaemonStop) {
    add("cause", stop.cause)
    add("uptime_s", stop.uptimeSeconds)
    let decisions = stop.decisions.map { count in
      var fields = FieldGroup()
      fields.add("mechanism", count.mechanism.name)
      fields.add("verdict", count.verdict.name)
      fields.add("reason", count.reason)
      fields.add("count", count.count)
      return fields
    }
    add("decisions", .groups(decisions))
    let losses = stop.losses.map { loss in
      var fields = FieldGroup()
      fields.add("what", loss.what)
      fields.add("count", loss.count)
      return fields
    }
    add("losses", .groups(losses))
    if let median = stop.answerMedian { add("answer_p50_us", median) }
    if let late = stop.answer99thPercentile { add("answer_p99_us", late) }
  }

  private mutating func addCoverage(_ change: CoverageChange) {
    add("state", change.state.name)
    add("dev", change.device.recordName)
    add("fstype", change.fileSystemType)
    add("mountpoint", change.mountPoint)
    add("why", ifKnown: change.why)
  }

  private mutating func addTrust(_ load: TrustLoad) {
    if let generation = load.generation { add("generation", generation) }
    if load.problem == nil {
      add("paths", load.paths)
      add("contents", load.contents)
    }
    add("problem", load.problem != nil)
    add("why", ifKnown: load.problem)
  }
}
