// Owns what two daemons say to each other, also where one of them is older than the other.

import AccessModel
import ControlProtocol
import Testing

@Suite struct TakeoverMessageTests {
  private static var offer: TakeoverOffer {
    var offer = TakeoverOffer(pid: 7, recordSecond: 1_800_000_000, socket: "/run/lilium/control.sock")
    offer.overrides = [
      .init(mechanism: .exec, mode: .audit, until: 1_800_000_000_000_000_000),
      .init(mechanism: .ioctl, mode: .off, until: nil),
    ]
    offer.auditBacklog = .init(from: 64, to: 8192)
    offer.state = TakeoverState(readers: [11, 12])
    return offer
  }

  @Test(
    arguments: [
      .offer(offer), .offer(TakeoverOffer(pid: 1, recordSecond: 0, socket: "")),
      .ready(TakeoverReady(version: "0.2.0", keepsSocket: true)), .refused("lilium.toml:1:1: no\n"),
      .proceed(TakeoverState()),
    ] as [TakeoverMessage])
  func goesThereAndBack(_ message: TakeoverMessage) throws {
    #expect(try ControlLine.decodeTakeover(ControlLine.encode(message)) == message)
  }

  /// A newer daemon may say more.
  @Test func whatIsNotKnownIsPassedOver() throws {
    let line = #"{"takeover":1,"ready":{"version":"9","keepsSocket":false,"more":[1]},"later":{}}"#
    #expect(
      try ControlLine.decodeTakeover(Array(line.utf8)) == .ready(TakeoverReady(version: "9", keepsSocket: false)))
  }

  @Test(arguments: [
    "", "{}", #"{"takeover":2,"refused":"no"}"#, #"{"takeover":1}"#, #"{"takeover":1,"ready":{}}"#,
    #"{"takeover":1,"offer":{"pid":1,"recordSecond":1,"socket":"/s","overrides":[{"mechanism":"new","mode":"off"}],"state":{"readers":[]}}}"#,
  ])
  func whatCannotBeUnderstoodIsAnError(_ line: String) {
    #expect(throws: ControlError.self) { try ControlLine.decodeTakeover(Array(line.utf8)) }
  }

  @Test func descriptorsGoThroughTheEnvironment() {
    for audits in [true, false] {
      let numbers = InheritedDescriptors(first: 3, audits: audits)
      #expect(InheritedDescriptors(numbers.text) == numbers)
    }
    #expect(InheritedDescriptors(first: 3, audits: true).text == "channel=3 state=4 control=5 audit=6")
  }

  @Test(arguments: [
    "", "1", "channel=3 state=4", "channel=3 state=4 control=4", "channel=0 state=4 control=5",
    "channel=3 channel=6 state=4 control=5", "channel=x state=4 control=5", "channel=-3 state=4 control=5",
  ])
  func otherTextsNameNoDescriptors(_ text: String) { #expect(InheritedDescriptors(text) == nil) }
}
