// Owns the meaning of `in`: an element in a list of literals or in a list attribute.
// It must not allocate; lists are short and searched from the front.

internal import AccessModel
internal import PolicyLanguage

extension Program {
  func int(_ element: IntOperand, in list: Slice, _ facts: Facts) -> Truth {
    let availability = availability(of: element, facts)
    guard availability == .yes else { return availability }
    let value = intValue(element, facts)
    for index in list.range where Int128(ints[index]) == value { return .yes }
    return .no
  }

  func text(_ element: TextOperand, in list: Slice, _ facts: Facts) -> Truth {
    let availability = availability(of: element, facts)
    guard availability == .yes else { return availability }
    return withText(element, facts) { value in
      for index in list.range {
        let literal = texts[index]
        if Text.order(literal.span, value) == 0 { return .yes }
      }
      return .no
    }
  }

  func int(_ element: IntOperand, in list: Attribute, _ facts: Facts) -> Truth {
    let availability = both(availability(of: element, facts), availability(of: list, facts))
    guard availability == .yes else { return availability }
    let value = intValue(element, facts)
    // `subject.groups` is the only list of ints.
    let groups = facts.subject.groups
    for index in groups.indices where Int128(groups[index]) == value { return .yes }
    return .no
  }

  func text(_ element: TextOperand, in list: Attribute, _ facts: Facts) -> Truth {
    let availability = both(availability(of: element, facts), availability(of: list, facts))
    guard availability == .yes else { return availability }
    return withText(element, facts) { value in
      if list == .objectMountFlags { return hasFlag(named: value, facts) }
      if list.isCapabilityList { return hasCapability(named: value, list, facts) }
      return hasWord(value, list, facts)
    }
  }

  private func hasFlag(named name: Span<UInt8>, _ facts: Facts) -> Truth {
    for index in names.mountFlags.indices {
      let (flag, flagName) = names.mountFlags[index]
      if Text.order(flagName.span, name) == 0 { return Truth(facts.object.mountFlags.contains(flag)) }
    }
    return .no
  }

  private func hasWord(_ word: Span<UInt8>, _ list: Attribute, _ facts: Facts) -> Truth {
    let words = words(list, facts)
    for index in words.indices {
      let element = words[index]
      if Text.order(element.span, word) == 0 { return .yes }
    }
    return .no
  }

  private func hasCapability(named name: Span<UInt8>, _ list: Attribute, _ facts: Facts) -> Truth {
    for index in names.capabilities.indices {
      let (capability, capabilityName) = names.capabilities[index]
      if Text.order(capabilityName.span, name) == 0 { return Truth(capabilities(list, facts).contains(capability)) }
    }
    return .no
  }

  func holds(_ capability: Capability, _ list: Attribute, _ facts: Facts) -> Truth {
    let availability = availability(of: list, facts)
    guard availability == .yes else { return availability }
    return Truth(capabilities(list, facts).contains(capability))
  }
}
