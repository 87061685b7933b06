// Owns the question that `exec` asks before its rules: is the object code here, or data?
// It must not read the object's content: Information has classified it.

internal import AccessModel

/// Whether an exec request is about code.
enum CodeOrData {
  case code
  case data
  case needs(FactSet)
  /// What tells code from data cannot be known.
  case failed(Failure)

  /// A program that is executed is code. An opened file is code by its content (a library), or by what opens it (a
  /// loader any ELF file; an interpreter a script, a module, or what its arguments name, an ELF file too where it
  /// interprets those).
  init(_ facts: Facts) {
    guard facts.operation == .open else {
      self = .code
      return
    }
    if let gap = Self.gap(.objectContent, .objectUnreadable, facts) {
      self = gap
    } else if facts.object.isLoadableLibrary || facts.object.kind == .elfLibrary {
      self = .code
    } else if let gap = Self.gap(.subjectProgram, .subjectUnreadable, facts) {
      self = gap
    } else {
      self = Self.byOpener(facts)
    }
  }

  private static func byOpener(_ facts: Facts) -> CodeOrData {
    let kind = facts.object.kind
    switch facts.subject.programClass {
    case .ordinary: return .data
    case .loader: return kind.isELF ? .code : .data
    case .interpreter where kind == .script: return .code
    case .interpreter:
      if let gap = gap(.subjectScript, .subjectUnreadable, facts) { return gap }
      return facts.subject.objectNamedByArguments || facts.subject.objectHasModuleSuffix ? .code : .data
    }
  }

  /// What stands in the way of reading a group; nil where it is present.
  private static func gap(_ group: FactSet, _ usual: Failure, _ facts: Facts) -> CodeOrData? {
    if facts.present.contains(group) { return nil }
    return facts.failed.contains(group) ? .failed(facts.failure ?? usual) : .needs(group)
  }
}
