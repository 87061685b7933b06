// Owns how the kernel's programs are built: Swift's own clang compiles them, and a Swift file carries the object.
// It must not hold anything of what they do.

import Foundation
import PackagePlugin

@main
struct KernelPrograms: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = target.directoryURL.appending(path: "bpf")
    let layout = context.package.directoryURL.appending(path: "Sources/Kernel/CBPFLSM/include")
    let script = context.package.directoryURL.appending(path: "Plugins/KernelPrograms/build-object.sh")
    let output = context.pluginWorkDirectoryURL.appending(path: "ProgramObject.swift")
    // A change of one of them is a change of the object.
    let sources = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    return [
      .buildCommand(
        displayName: "Compiling the kernel's programs",
        executable: URL(filePath: "/bin/sh"),
        arguments: [
          script.path(), try context.tool(named: "clang").url.path(),
          try context.tool(named: "llvm-objcopy").url.path(), folder.appending(path: "lsm.bpf.c").path(), layout.path(),
          output.path(),
        ],
        inputFiles: [script, layout.appending(path: "lilium_layout.h")] + sources,
        outputFiles: [output])
    ]
  }
}
