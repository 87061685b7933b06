// Owns finding the repository's files and reading them as text, for checks over the sources themselves.
// It must not know any rule of the house.

import Foundation
import Testing

/// A text file of the repository.
struct SourceFile: Sendable, CustomTestStringConvertible {
  /// Below the repository's root, as in `Sources/Model/AccessModel/Facts.swift`.
  let path: String
  let text: String

  var name: String { String(path.split(separator: "/").last ?? "") }
  var isSwift: Bool { path.hasSuffix(".swift") }
  var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
  var testDescription: String { path }

  /// The folders of the path.
  var folders: [String] { path.split(separator: "/").dropLast().map(String.init) }

  /// The target that the file belongs to: the folder below the stage, or the program's own folder.
  var target: String? {
    let folders = folders
    guard folders.first == "Sources", folders.count >= 2 else { return nil }
    return Repository.programs.contains(folders[1]) ? folders[1] : folders.dropFirst(2).first
  }
}

enum Repository {
  static let programs: Set<String> = ["liliumd", "liliumctl"]

  static let root: URL = {
    var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    while !FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) {
      precondition(folder.path != "/", "no Package.swift above \(#filePath)")
      folder.deleteLastPathComponent()
    }
    return folder
  }()

  static let sources = files(below: "Sources")
  static let tests = files(below: "Tests").filter { !$0.path.hasPrefix("Tests/Fuzzers/corpus/") }
  /// What is installed or run beside the programs.
  static let companions =
    ["etc", "man", "scripts", "Benchmarks", ".ci"].flatMap { files(below: $0) }
    + ["Package.swift", "Makefile", "README.md"].compactMap { file($0) }

  static func file(_ path: String) -> SourceFile? {
    guard let bytes = try? Data(contentsOf: root.appendingPathComponent(path)) else { return nil }
    return SourceFile(path: path, text: String(decoding: bytes, as: UTF8.self))
  }

  /// The file's text; a file that is missing is a failure of the test that needs it.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Every regular file below a folder, in the order of their paths.
  static func files(below folder: String) -> [SourceFile] {
    let start = root.appendingPathComponent(folder)
    let names = FileManager.default.enumerator(atPath: start.path)?.compactMap { $0 as? String } ?? []
    return names.sorted().compactMap { name in
      var isFolder: ObjCBool = false
      let path = start.appendingPathComponent(name).path
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
        return nil
      }
      return file("\(folder)/\(name)")
    }
  }
}
