// Owns what a path in a rule must look like to name anything: absolute, normalized, not too wide.
// It must not look at the file system.

internal import AccessModel

/// A literal that a rule holds against a path.
struct PathLiteral {
  let attribute: Attribute
  let bytes: [UInt8]
  /// The argument of startsWith.
  let isPrefix: Bool
  /// Bytes of the file.
  let range: Range<Int>

  /// Why no path can be equal to it, or begin with it; nil where one can.
  var problem: (message: String, hint: String)? {
    // An empty path is one that cannot be read, and every path begins with nothing.
    guard let first = bytes.first else { return nil }
    let text = quoted(bytes)
    guard first == UInt8(ascii: "/") else {
      return ("\(text) is never a path: it does not begin with /", "write the whole path")
    }
    if !bytes.isNormalized(asPrefix: isPrefix) {
      return ("\(text) is never a path: it has an empty, \".\" or \"..\" part", "write it without that part")
    }
    if !isPrefix, bytes.count > 1, bytes.last == UInt8(ascii: "/") {
      return ("\(text) is never a path: it ends with /", "leave out the final /, or write startsWith")
    }
    return nil
  }
}

extension PathAnchor {
  /// Why files cannot be watched by it; nil where they can.
  var problem: (message: String, hint: String)? {
    let literal = PathLiteral(attribute: .objectPath, bytes: path, isPrefix: kind == .prefix, range: 0..<0)
    if let problem = literal.problem { return problem }
    switch kind {
    case .exact, .children: return path.isEmpty ? ("an empty path names no file", "write the whole path") : nil
    case .prefix:
      // At least "/x/": one complete folder below the root.
      guard path.dropFirst().contains(UInt8(ascii: "/")) else {
        let text = quoted(path)
        return ("\(text) is too wide: it must name at least one whole folder", "as in startsWith(\"/etc/\")")
      }
      return nil
    }
  }
}

extension [UInt8] {
  /// Whether no part between slashes is empty, "." or "..". The last part of a prefix may still go on.
  fileprivate func isNormalized(asPrefix isPrefix: Bool) -> Bool {
    var parts = self.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst()
    let last = parts.popLast() ?? []
    func isDots(_ part: ArraySlice<UInt8>) -> Bool { part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) }
    return parts.allSatisfy { !$0.isEmpty && !isDots($0) } && (isPrefix || !isDots(last))
  }
}
