// Owns which names and literals make sense: attributes that are not to be had, values that an attribute can take.
// It must not repeat the table of attributes, which is AccessModel's.

internal import AccessModel

enum Vocabulary {
  /// Why a name that is no attribute here is known all the same, as a sentence; nil for a name that is not.
  static func refusal(of name: String) -> String? {
    switch name {
    case "operation.result": "\(name) is known only after the operation: records show it, rules cannot read it"
    default: nil
    }
  }

  /// What may have been meant by a name that is no attribute.
  static func hint(forUnknown name: String, in mechanism: Mechanism?) -> String {
    let names = attributes(of: mechanism).map(\.name)
    switch name {
    case "subject", "object", "target", "operation":
      guard let first = names.first(where: { $0.hasPrefix("\(name).") }) else { return list(names) }
      return "name one of its attributes, as in \(first)"
    default: return Suggestion.sentence(for: name, among: names) ?? "lilium.rules(5) lists the attributes"
    }
  }

  /// What a mechanism has beside an attribute that it does not have: its others of that side, else of every side.
  static func hint(forForeign attribute: Attribute, in mechanism: Mechanism) -> String {
    let names = attributes(of: mechanism).map(\.name)
    let side = attribute.name.prefix { $0 != "." } + "."
    let near = names.filter { $0.hasPrefix(side) }
    return list(near.isEmpty ? names : near)
  }

  /// Every mechanism has the subject's attributes: they go without saying.
  private static func list(_ names: [String]) -> String {
    "it has \(names.filter { !$0.hasPrefix("subject.") }.joined(separator: ", "))"
  }

  private static func attributes(of mechanism: Mechanism?) -> [Attribute] {
    guard let mechanism else { return Attribute.allCases }
    return Attribute.allCases.filter { $0.mechanisms.contains(mechanism) }
  }

  /// The only values that a string attribute, or an element of a list attribute, can take; nil where any can.
  static func values(of attribute: Attribute, in mechanism: Mechanism?) -> [String]? {
    switch attribute {
    case .objectKind: ContentKind.allCases.map(\.name)
    case .operationKind: [Operation.execute.name, Operation.open.name, Operation.call.name]
    case .operationArchitecture: ["x86_64", "i386", "aarch64", "arm"]
    case .operationRequest: mechanism.map { RequestNames.names($0) }
    case .operationProtection: ["PROT_READ", "PROT_WRITE", "PROT_EXEC"]
    case .operationNamespaces: ["cgroup", "ipc", "mount", "net", "pid", "time", "user", "uts"]
    case .objectMountFlags: MountFlags.names.map(\.name)
    case .subjectCapabilities, .subjectPermittedCapabilities: Capability.allCases.map(\.name)
    default: nil
    }
  }

  /// What is wrong with a literal, or the beginning of one, that a SHA-256 is held against; nil where it can be one.
  static func fault(ofDigest literal: [UInt8], isPrefix: Bool) -> (message: String, hint: String)? {
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }
    let digits = 2 * ContentHash.byteCount
    let isRightLength = isPrefix ? literal.count <= digits : literal.count == digits
    if isRightLength, literal.allSatisfy(isDigit) { return nil }
    let verb = isPrefix ? "never begins with" : "is never"
    let isUpperCase = ContentHash(hexadecimal: literal) != nil
    let hint =
      isUpperCase ? "write its digits in lower case" : "a SHA-256 has 64 digits, 0-9 and a-f, as sha256sum(1) prints it"
    return ("object.sha256 \(verb) \(quoted(literal))", hint)
  }

  /// What is wrong with a literal that is none of these values, and what to do where no value is near.
  static func refusal(
    ofValue literal: String, of attribute: Attribute, among values: [String]
  ) -> (message: String, hint: String) {
    switch attribute {
    case .subjectCapabilities, .subjectPermittedCapabilities:
      ("unknown capability \(literal)", "capabilities(7) lists them")
    case .operationRequest:
      ("unknown request \(literal)", "write the number, as in operation.request_number == 0x5412")
    default: ("\(attribute.name) is never \(literal)", "one of \(values.joined(separator: ", "))")
    }
  }

  /// What a user may have meant who compares an attribute with a value of another type.
  static func hint(comparing attribute: Attribute, with other: ValueType) -> String? {
    switch (attribute, other) {
    case (.subjectUID, .string), (.subjectEUID, .string), (.subjectAUID, .string), (.objectOwner, .string),
      (.targetUID, .string):
      "users are numbers here; `id -u NAME` shows a user's"
    case (.subjectGID, .string), (.subjectEGID, .string), (.objectGroup, .string):
      "groups are numbers here; `getent group NAME` shows a group's"
    case (.objectMode, .string): "the mode is a number: rwxr-xr-x is 0x1ed"
    case (.objectDev, .int), (.subjectExeDev, .int): "a device is written as \"MAJOR:MINOR\""
    case (.operationRequest, .int): "write operation.request_number for the number"
    case (.operationRequestNumber, .string): "write operation.request for the name"
    default: nil
    }
  }

  /// The functions of the language; each is written `value.function(...)`.
  static let functions = ["size", "startsWith", "endsWith", "contains", "matches"]

  /// CEL's macros, which read like functions.
  static let macros: Set<String> = ["has", "all", "exists", "exists_one", "map", "filter"]
}

extension Attribute {
  /// Whether the value is a path of a file or folder, or empty.
  var isPath: Bool {
    switch self {
    case .objectPath, .objectDirectory, .subjectExe, .subjectParentExe, .targetExe: true
    default: false
    }
  }
}

extension ValueType {
  /// With its article.
  var phrase: String {
    switch self {
    case .bool: "a bool"
    case .int: "an int"
    case .string: "a string"
    case .intList: "a list of ints"
    case .stringList: "a list of strings"
    }
  }
}
