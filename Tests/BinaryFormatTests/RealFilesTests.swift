// Real files: what this machine's loader, C library and compiler make.

import BinaryFormat
import Glibc
import Testing

@Suite struct RealFilesTests {
  private func content(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "r"), "\(path)")
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return bytes
  }

  private func finding(_ path: String) throws -> BinaryFinding {
    try #require(inspect(try content(path))).finding
  }

  /// The files that this very process has mapped.
  private func mapped(_ name: String) throws -> String {
    let maps = String(decoding: try content("/proc/self/maps"), as: UTF8.self)
    let paths = maps.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
    return try #require(paths.first { $0.contains(name) })
  }

  @Test func aProgramIsAProgram() throws {
    #expect(try finding("/bin/true").format == .elfProgram)
    #expect(try !finding("/bin/true").isLoadableLibrary)
    #expect(try finding("/proc/self/exe").format == .elfProgram)
  }

  /// libc.so.6 names an interpreter, for it prints its version when it is run; a library it is all the same.
  @Test func theCLibraryIsALibrary() throws {
    #expect(try finding(mapped("/libc.so.6")).format == .elfLibrary)
    #expect(try finding(mapped("/libstdc++.so")).format == .elfLibrary)
    #expect(try finding(mapped("/libstdc++.so")).isLoadableLibrary)
  }

  @Test func theLoaderIsALibraryWithoutAnInterpreter() throws {
    let loader = try finding(mapped("/ld-linux"))
    #expect(loader.format == .elfLibrary && loader.isLoadableLibrary)
  }

  @Test(
    arguments: [
      (["-c"], BinaryFormat.elfOther, false), (["-pie", "-fPIE"], .elfProgram, false),
      (["-no-pie"], .elfProgram, false),
      (["-shared", "-fPIC"], .elfLibrary, true), (["-static"], .elfProgram, false),
      (["-static-pie"], .elfProgram, true),
      (["-shared", "-fPIC", "-Wl,-z,separate-code"], .elfLibrary, true),
      (["-pie", "-fPIE", "-Wl,-z,noseparate-code"], .elfProgram, false),
      (["-pie", "-fPIE", "-Wl,-z,max-page-size=0x200000"], .elfProgram, false),
      (["-pie", "-fPIE", "-Wl,-z,norelro"], .elfProgram, false),
    ] as [([String], BinaryFormat, Bool)])
  func whatTheCompilerMakes(_ options: [String], _ format: BinaryFormat, _ isLoadable: Bool) throws {
    var template = Array("/tmp/lilium-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer {
      unlink("\(folder)/out")
      rmdir(folder)
    }
    let command = "echo 'int main(void) { return 0; }' | cc \(options.joined(separator: " ")) -o \(folder)/out -x c -"
    let shell = try #require(popen(command + " 2>&1", "r"))
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), shell) != nil {}
    // Static libraries are not installed everywhere.
    guard pclose(shell) == 0 else {
      #expect(options.contains { $0.hasPrefix("-static") }, "cc \(options)")
      return
    }
    let found = try finding("\(folder)/out")
    #expect(found.format == format && found.isLoadableLibrary == isLoadable)
  }

  /// Being careful with files that lie must not cost the honest ones; only the loader has a name there too.
  @Test func everyProgramOfThisMachineIsToldAsOne() throws {
    let loader = try content(mapped("/ld-linux"))
    let folder = try #require(opendir("/usr/bin"))
    defer { closedir(folder) }
    var programs = 0
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard let bytes = try? content("/usr/bin/\(name)"), bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { continue }
      if bytes == loader { continue }
      #expect(inspect(bytes)?.finding.format == .elfProgram, "/usr/bin/\(name)")
      programs += 1
    }
    #expect(programs > 20)
  }
}
