// Owns what the release programs may be linked with. It looks at what `make build` left, and builds nothing.

import Foundation
import Testing

private enum Release {
  static let folder = Repository.root.appendingPathComponent(".build/release")
  static let inCI = ProcessInfo.processInfo.environment["CI"] == "true"
  static let isBuilt = Repository.programs.allSatisfy { FileManager.default.isExecutableFile(atPath: path($0)) }

  static func path(_ program: String) -> String { folder.appendingPathComponent(program).path }
}

@Suite("The release programs")
struct ReleaseTests {
  /// Only what `make build` made is looked at, so without it there is nothing to say; in CI there must be.
  @Test(.enabled(if: Release.isBuilt || Release.inCI, "make build has not been run"), arguments: Repository.programs)
  func swiftIsLinkedStatically(_ program: String) throws {
    let libraries = try neededLibraries(Release.path(program))
    #expect(libraries.contains("libc.so.6"), "the libraries of \(program) cannot be read")
    for library in libraries {
      #expect(
        !library.hasPrefix("libswift") && !library.hasPrefix("libFoundation") && !library.hasPrefix("lib_Foundation"),
        "\(program) needs \(library); link it statically")
    }
  }

  /// The names of a program's shared libraries (readelf(1), NEEDED).
  private func neededLibraries(_ program: String) throws -> [String] {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["LC_ALL=C", "readelf", "--dynamic", "--wide", program]
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "readelf failed on \(program)")
    return text.matches(of: /\(NEEDED\).*\[([^\]]+)\]/).map { String($0.1) }
  }
}
