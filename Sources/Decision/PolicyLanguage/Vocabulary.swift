// Owns which names and literals make sense: attributes that are not to be had, values that an attribute can take.
// It must not repeat the table of attributes, which is AccessModel's.

internal import AccessModel

enum Vocabulary {
  /// Why a name that is no attribute here is known all the same, as a sentence; nil for a name that is not.
  static func refusal(of name: String, in mechanism: Mechanism?) -> String? {
    switch name {
    case "object.trusted": return "\(name) needs a trust database, which this version does not have yet"
    case "object.sha256": return "\(name) needs content hashes, which this version does not have yet"
    case "operation.result": return "\(name) is known only after the operation: records show it, rules cannot read it"
    default: break
    }
    let owners: [Mechanism]
    switch name {
    case "target.pid", "target.uid", "target.exe", "target.comm": owners = [.ptrace]
    case "operation.request": owners = [.ptrace, .ioctl]
    case "operation.syscall": owners = [.ptrace, .mprotect, .module, .kexec, .mount, .clone, .ioctl]
    default: return nil
    }
    guard let mechanism, !owners.contains(mechanism) else {
      return "\(name) needs the mechanism to be sensed, which this version does not do yet"
    }
    return "\(mechanism.name) has no \(name): it belongs to \(owners.map(\.name).joined(separator: ", "))"
  }

  /// The only values that a string attribute, or an element of a list attribute, can take; nil where any can.
  static func values(of attribute: Attribute) -> [String]? {
    switch attribute {
    case .objectKind: ContentKind.allCases.map(\.name)
    case .operationKind: [Operation.execute.name, Operation.open.name]
    case .objectMountFlags: MountFlags.names.map(\.name)
    case .subjectCapabilities, .subjectPermittedCapabilities: Capability.allCases.map(\.name)
    default: nil
    }
  }

  /// What a user may have meant who compares an attribute with a value of another type.
  static func hint(comparing attribute: Attribute, with other: ValueType) -> String? {
    switch (attribute, other) {
    case (.subjectUID, .string), (.subjectEUID, .string), (.subjectAUID, .string), (.objectOwner, .string):
      "users are numbers here; `id -u NAME` shows a user's"
    case (.subjectGID, .string), (.subjectEGID, .string), (.objectGroup, .string):
      "groups are numbers here; `getent group NAME` shows a group's"
    case (.objectMode, .string): "the mode is a number: rwxr-xr-x is 0x1ed"
    case (.objectDev, .int), (.subjectExeDev, .int): "a device is written as \"MAJOR:MINOR\""
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
    case .objectPath, .objectDirectory, .subjectExe, .subjectParentExe: true
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
