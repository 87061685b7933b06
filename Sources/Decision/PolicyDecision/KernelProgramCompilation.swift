// Owns which rules become steps in which order, so that the kernel's verdict is `decide`'s.
// It must not know what an attribute is in the kernel: KernelConditions does.

public import AccessModel
internal import PolicyLanguage

extension Policy {
  /// The rules of these mechanisms as steps for the kernel; of all whose doors are system calls unless others are named.
  /// Modes and capabilities are not in it. Pure, and as slow as the rules are long: for a load of the policy.
  public func kernelProgram(_ mechanisms: MechanismSet = .calls) -> KernelProgram {
    var compilation = KernelProgramCompilation(mechanisms.intersection(.calls).members)
    for mechanism in compilation.mechanisms {
      let own = rules.rules.filter { $0.mechanism == mechanism }
      compilation.add(mechanism, own, defaultVerdict: settings[mechanism].defaultVerdict)
    }
    return compilation.program
  }
}

private struct KernelProgramCompilation {
  let mechanisms: [Mechanism]
  private var assembly = KernelAssembly()
  private var entries: [Mechanism: Int] = [:]
  private var refusals: [KernelRefusal] = []
  /// So that a mechanism without rules finds room for its default behind others' long ones.
  private var waiting: Int

  init(_ mechanisms: [Mechanism]) {
    self.mechanisms = mechanisms
    waiting = mechanisms.count
  }

  var program: KernelProgram { KernelProgram(steps: assembly.steps, entries: entries, refusals: refusals) }

  mutating func add(_ mechanism: Mechanism, _ rules: [Rule], defaultVerdict: Verdict) {
    waiting -= 1
    guard let formulas = formulas(mechanism, rules) else { return }
    var assembly = assembly
    let entry = assembly.count
    var isSettled = false
    for (rule, formula) in formulas {
      isSettled = Self.append(rule, formula, to: &assembly)
      // One more for the default.
      if assembly.count + waiting + 1 > KernelProgram.stepLimit {
        let why = "is too long for the kernel, which takes \(KernelProgram.stepLimit) steps for all rules together"
        refusals.append(KernelRefusal(mechanism: mechanism, rule: rule.reference, why: why))
        return
      }
    }
    if !isSettled { assembly.say(defaultVerdict, .default, rule: 0) }
    self.assembly = assembly
    entries[mechanism] = entry
  }

  /// The rules that can speak; nil where some cannot be asked.
  private mutating func formulas(_ mechanism: Mechanism, _ rules: [Rule]) -> [(Rule, KernelFormula)]? {
    var formulas: [(Rule, KernelFormula)] = []
    let before = refusals.count
    for rule in rules {
      do throws(KernelObstacle) {
        let formula = try KernelConditions(mechanism).formula(rule)
        if case .constant(false) = formula { continue }
        formulas.append((rule, formula))
        // Rules behind one that always matches say nothing.
        if case .constant(true) = formula { break }
      } catch {
        refusals.append(KernelRefusal(mechanism: mechanism, rule: rule.reference, why: error.why))
      }
    }
    return refusals.count == before ? formulas : nil
  }

  /// True where nothing is left to say behind the rule.
  private static func append(_ rule: Rule, _ formula: KernelFormula, to assembly: inout KernelAssembly) -> Bool {
    let number = rule.reference.index + 1
    if case .constant = formula {
      assembly.say(rule.verdict, .rule, rule: number)
      return true
    }
    let next = assembly.label()
    func match(_ reason: KernelReason, unknownAs value: Bool, onFalse: KernelAssembly.Label) {
      let matched = assembly.label()
      assembly.ask(formula, unknownAs: value, onTrue: matched, onFalse: onFalse)
      assembly.bind(matched)
      assembly.say(rule.verdict, reason, rule: number)
    }
    if rule.verdict == .deny, formula.mayBeUnknown {
      // Whether it surely holds, then whether it may hold.
      let doubt = assembly.label()
      match(.rule, unknownAs: false, onFalse: doubt)
      assembly.bind(doubt)
      match(.undecided, unknownAs: true, onFalse: next)
    } else {
      match(.rule, unknownAs: rule.verdict == .deny, onFalse: next)
    }
    assembly.bind(next)
    return false
  }
}
