// Owns whether a fact can be read and believed: present, missing, or undecided.
// It must not read the value itself.

internal import AccessModel

/// The outcome of a condition or a part of it.
enum Truth: Equatable {
  case yes
  case no
  /// Rests on a fact that cannot be known or believed: CEL's error value.
  case undecided
  /// Rests on groups that were not fetched yet.
  case needs(FactSet)

  init(_ value: Bool) { self = value ? .yes : .no }

  /// Whether these groups are there: `yes`, `undecided` where one of them failed, or what is missing.
  init(presence groups: FactSet, in facts: Facts) {
    if !groups.isDisjoint(with: facts.failed) {
      self = .undecided
    } else {
      let missing = facts.missing(of: groups)
      self = missing.isEmpty ? .yes : .needs(missing)
    }
  }
}

extension Program {
  /// `yes` where the attribute's value may be read.
  func availability(of attribute: Attribute, _ facts: Facts) -> Truth {
    if isUnbelievable(attribute, facts) { return .undecided }
    return Truth(presence: self.facts[Int(attribute.rawValue)], in: facts)
  }

  /// A path that was not verified names who knows what: nothing that rests on it can be believed.
  private func isUnbelievable(_ attribute: Attribute, _ facts: Facts) -> Bool {
    switch attribute {
    case .objectPath, .objectDirectory, .objectDirectoryWorldWritable:
      facts.present.contains(.objectPath) && !facts.object.pathVerified
    case .subjectExeDev, .subjectExeInode:
      // A record of a call names a program by its path alone.
      facts.present.contains(.subjectExecutable) && facts.subject.executableIdentity.inode == 0
    case .subjectExe:
      facts.present.contains(.subjectExecutable) && !facts.subject.executableVerified
    case .subjectParentExe:
      facts.present.contains(.subjectParent) && !facts.subject.parentExecutableVerified
    case .targetExe:
      facts.present.contains(.targetExecutable) && !facts.target.executableVerified
    default: false
    }
  }

  func availability(of operand: IntOperand, _ facts: Facts) -> Truth {
    switch operand {
    case .literal: .yes
    case .attribute(let attribute), .count(let attribute): availability(of: attribute, facts)
    case .size(let text): availability(of: text, facts)
    }
  }

  func availability(of operand: TextOperand, _ facts: Facts) -> Truth {
    switch operand {
    case .literal: .yes
    case .attribute(let attribute): availability(of: attribute, facts)
    }
  }

  /// Both operands of a strict operator: an undecided one settles it, whatever the other may be.
  func both(_ a: Truth, _ b: Truth) -> Truth {
    switch (a, b) {
    case (.undecided, _), (_, .undecided): .undecided
    case (.needs(let a), .needs(let b)): .needs(a.union(b))
    case (.needs, _): a
    default: b
    }
  }
}
