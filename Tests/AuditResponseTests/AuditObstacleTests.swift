// Holds which foreign rules and switches count as something that blinds audit, and what is said about them.

import AccessModel
import AuditResponse
import Testing

@testable import AuditNetlink

@Suite("What stands in audit's way")
struct AuditObstacleTests {
  private let wanted = RuleCompiler.rules(for: SensingPlan([(.mount, .all), (.kexec, .all)]), on: [.x86_64, .i386])

  private func status(enabled: UInt32) throws -> AuditStatus {
    let words: [UInt32] = [0, enabled, 1, 0, 0, 64, 0, 0, 0, 0]
    return try #require(AuditStatus(words.flatMap { word in (0..<4).map { UInt8(word >> (8 * $0) & 0xff) } }))
  }

  /// A rule of somebody else's; fields are number, comparison, value.
  private func foreign(
    _ list: ListedRule.List, _ action: ListedRule.Action, calls: [UInt32]? = nil,
    _ fields: [(UInt32, AuditCondition.Comparison, UInt32)] = []
  ) throws -> ListedRule {
    let all = [UInt32](repeating: .max, count: RuleData.maskWords)
    let data = RuleData(
      list: list.rawValue, action: action.rawValue, mask: calls.map(RuleData.mask) ?? all,
      fields: fields.map { RuleData.Field(number: $0.0, operation: $0.1.rawValue, value: $0.2, text: nil) })
    return try #require(ListedRule(data.bytes))
  }

  private func ours() throws -> [ListedRule] { try wanted.map { try #require(ListedRule($0.rule.data.bytes)) } }

  private func survey(_ listed: [ListedRule], enabled: UInt32 = 1) throws -> [AuditObstacle] {
    AuditObstacle.survey(status: try status(enabled: enabled), listed: listed, wanted: wanted)
  }

  @Test func nothingStandsInTheWay() throws {
    #expect(try survey([]).isEmpty)
    #expect(try survey(ours()).isEmpty)
    #expect(try survey(ours(), enabled: 2).isEmpty, "locked with all of them in force")
    let logins = try foreign(.user, .never, [(FieldNumber.messageType, .equal, 1112)])
    let others = try foreign(.exit, .always, calls: [59], [(FieldNumber.architecture, .equal, 0xc000_003e)])
    #expect(try survey([logins, others] + ours()).isEmpty)
  }

  @Test func lockedWithoutAllRules() throws {
    let found = try survey(Array(ours().dropFirst()), enabled: 2)
    #expect(found.count == 1 && found[0].isFatal)
    #expect(found[0].description.contains("auditctl -e 2") && found[0].description.contains("1 of the \(wanted.count)"))
    #expect(try survey([], enabled: 1).isEmpty, "what is missing can still be added")
  }

  @Test func neverTask() throws {
    let found = try survey([foreign(.task, .never)] + ours())
    #expect(found.count == 1 && !found[0].isFatal && found[0].description.contains("never,task"))
    #expect(try survey([foreign(.task, .always)] + ours()).isEmpty)
  }

  @Test(arguments: [1300, 1302, 1307, 1318, 1322, 1330] as [UInt32])
  func typesThatAreKeptOut(_ type: UInt32) throws {
    for action in [ListedRule.Action.always, .never] {
      let found = try survey([foreign(.exclude, action, [(FieldNumber.messageType, .equal, type)])])
      #expect(found.count == 1, "type \(type)")
      #expect(found.allSatisfy { !$0.isFatal && $0.description.contains("msgtype=") })
    }
  }

  /// All but one type are kept out.
  @Test func aRangeOfTypesIsKeptOut() throws {
    for comparison in [AuditCondition.Comparison.notEqual, .greater] {
      let rule = try foreign(.exclude, .always, [(FieldNumber.messageType, comparison, 1112)])
      #expect(try survey([rule]).count == 1, "\(rule.text)")
    }
  }

  @Test(arguments: [1320, 1327, 1112, 1006] as [UInt32])
  func typesThatNobodyMisses(_ type: UInt32) throws {
    #expect(try survey([foreign(.exclude, .always, [(FieldNumber.messageType, .equal, type)])]).isEmpty)
  }

  @Test func anEarlierRuleHidesACall() throws {
    let never = try foreign(.exit, .never, calls: [165, 59], [(FieldNumber.architecture, .equal, 0xc000_003e)])
    let found = try survey([never] + ours())
    #expect(found.count == 1 && found[0].description.contains("every call of mount (b64)"))
    #expect(found[0].description.contains("-a never,exit") && !found[0].isFatal)
    #expect(try survey(ours() + [never]).isEmpty, "a rule behind Lilium's hides nothing from it")
    #expect(try survey([never]).count == 1, "Lilium's rules would come behind it")
  }

  @Test func someCallsOfAProgram() throws {
    let never = try foreign(
      .exit, .never, calls: [246], [(FieldNumber.architecture, .equal, 0xc000_003e), (1, .equal, 0)])
    let found = try survey([never] + ours())
    #expect(found.count == 1 && found[0].description.contains("some calls of kexec_load (b64)"))
  }

  @Test func aRuleForAllCallsHidesOnBothArchitectures() throws {
    let found = try survey([foreign(.exit, .never)] + ours())
    #expect(Set(found.map(\.description)).count == found.count)
    #expect(found.contains { $0.description.contains("(b64)") } && found.contains { $0.description.contains("(b32)") })
    let other = try foreign(.exit, .never, [(FieldNumber.architecture, .notEqual, 0xc000_003e)])
    #expect(try survey([other] + ours()).allSatisfy { $0.description.contains("(b32)") })
  }

  /// A list or action that this Lilium does not know is no obstacle, and no crash.
  @Test func rulesFromTheFuture() throws {
    let data = RuleData(list: 12, action: 7, mask: [UInt32](repeating: 0, count: 64), fields: [])
    #expect(try survey([#require(ListedRule(data.bytes))]).isEmpty)
  }
}
