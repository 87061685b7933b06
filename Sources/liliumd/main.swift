// Owns the start of the process and its exit status: 0 ended by a signal or cleaned up, 1 did not start, 2 wrong command
// line, configuration or rules.
// It must not do anything else.

import ControlProtocol
import Glibc
import SystemCalls

let daemonVersion = Version.lilium
let daemonVersionLine = "liliumd \(Version.lilium)"

switch Arguments.parse(Array(CommandLine.arguments.dropFirst())) {
case .help:
  Console.output(Arguments.usage + "\n")
case .version:
  Console.output(daemonVersionLine + "\n")
case .refused(let problem):
  Console.error("liliumd: \(problem)\n\(Arguments.usage)\n")
  exit(2)
case .cleanUp(let arguments):
  exit(CleanUp.run(arguments.resolved(against: ProcessSetup.currentDirectory)))
case .run(let arguments):
  var predecessor: Predecessor?
  let text: String
  var status: Int32 = 1
  do {
    predecessor = try Predecessor.inherited()
    exit(try Service(arguments.resolved(against: ProcessSetup.currentDirectory), predecessor).run())
  } catch let refused as StartRefused {
    text = refused.text
    status = refused.status
  } catch {
    text = "liliumd: \(error)\n"
  }
  Console.error(text)
  predecessor?.refuse(text)
  exit(status)
}
