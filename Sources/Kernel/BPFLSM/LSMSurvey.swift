// Owns finding out what the BPF LSM of this kernel can do: the list, a program, a denial, then each hook.
// It must not judge what that means for a mode. It denies nobody anything but a child of its own.

internal import CBPFLSM
internal import Synchronization
internal import SystemCalls

extension LSMReport {
  /// Tries it; a step after one that failed is not tried. Takes some tenths of a second: most of that is reading the
  /// kernel's types, for each set of programs anew, so that all of them are tried as one set first.
  public static func survey() -> LSMReport {
    var report = list()
    let present = LSMHook.all.map(\.name).filter { unsafe lil_kernel_has_hook($0) == 1 }
    let guards = GuardHook.all.filter(\.isInKernel)
    report.hooks = hooks(present: Set(present))
    report.missingGuards = GuardHook.all.filter { !guards.contains($0) }.map(\.name)
    guard report.isInList else { return report }
    let programs = guards.map(\.program)
    if let everything = try? LSMPrograms(hooks: Set(present + programs)) {
      report.tryDenial(by: everything)
      return report
    }
    do throws(Fault) { report.tryDenial(by: try LSMPrograms(hooks: [])) } catch { report.load = error }
    guard report.isUsable else { return report }
    report.tryPrograms(present)
    do throws(Fault) { _ = try LSMPrograms(hooks: Set(programs)) } catch { report.guardFault = error }
    return report
  }

  /// Only what securityfs says of the active LSMs; nothing is tried.
  public static func list() -> LSMReport {
    let list = readSecurityFile("lsm") ?? ""
    return LSMReport(isInList: list.split(separator: ",").contains("bpf"), list: list)
  }

  private mutating func tryDenial(by programs: LSMPrograms) {
    do throws(Fault) {
      if try !programs.provokeDenial() { denial = Fault(error: Errno(0), detail: "the child was granted it") }
    } catch { denial = error }
  }

  private static func hooks(present: Set<String>) -> [Hook] {
    LSMHook.all.flatMap { hook in
      hook.mechanisms.map {
        Hook(name: hook.name, mechanism: $0, isPresent: present.contains(hook.name), isNeeded: hook.isNeeded)
      }
    }
  }

  /// All at once; where that fails, each for itself, so that one that the verifier refuses takes no other down.
  private mutating func tryPrograms(_ names: [String]) {
    if (try? LSMPrograms(hooks: Set(names))) != nil { return }
    for name in names {
      do throws(Fault) { _ = try LSMPrograms(hooks: [name]) } catch {
        for index in hooks.indices where hooks[index].name == name {
          hooks[index].isPresent = false
          hooks[index].fault = error
        }
      }
    }
  }
}
