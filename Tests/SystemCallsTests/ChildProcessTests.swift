// Owns what children and harmless calls do: they begin, they end, and nothing is left of them.

import Glibc
import SystemCalls
import Testing

@Suite struct ChildProcessTests {
  @Test func aChildRunsUntilItIsEnded() throws {
    let pid = try ChildProcess.start("/bin/sleep", ["sleep", "60"])
    #expect(kill(pid, 0) == 0)
    ChildProcess.end(pid)
    #expect(kill(pid, 0) != 0 && errno == ESRCH)
  }

  @Test func aProgramThatIsNotThereIsAnError() {
    #expect(throws: Errno.noEntry) { try ChildProcess.start("/nonexistent/program", ["program"]) }
  }

  /// The kernel reads 0 and -1 as more than one process.
  @Test(arguments: [0, -1] as [Int32]) func nothingElseIsEnded(_ pid: Int32) { ChildProcess.end(pid) }

  /// A kernel without the call gives ENOSYS, a caller without the right EPERM; the call never does anything.
  @Test func harmlessCallsAreRefused() {
    let always = [Errno.permission, .noSystemCall]
    #expect(([.noProcess] + always).contains(HarmlessCalls.attachNobody()))
    #expect(([.noEntry] + always).contains(HarmlessCalls.deleteNoModule()))
    #expect(([.invalid] + always).contains(HarmlessCalls.loadNoKernel()))
    #expect(([.invalid] + always).contains(HarmlessCalls.unmountNothing()))
    #expect(HarmlessCalls.controlNothing(request: 0x5412) == .badDescriptor)
    #expect(HarmlessCalls.mapCode() == nil)
  }
}
