// Owns which characters of somebody else's text may not reach an eye as they are.
// It must not say how they are written instead: each output has a form of its own.

extension Unicode.Scalar {
  /// Drives a terminal, breaks a line, turns the writing direction, hides, or has no fixed look: controls C0, DEL and C1;
  /// format characters; line and paragraph separators; code points that are unassigned or for private use.
  public var isHazard: Bool {
    if value < 0x7f { return value < 0x20 }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: return true
    default: return false
    }
  }
}
