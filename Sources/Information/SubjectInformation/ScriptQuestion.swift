// Owns the question whether an opened file is what the opening interpreter runs: by suffix, or named by its arguments.
// It must not decide that a file is code for any other reason.

internal import Glibc
internal import ProcFS
internal import SystemCalls

/// One question about one held request; borrows the arguments.
@safe struct ScriptQuestion {
  let interpreter: CompiledInterpreter
  let pid: Int32
  let object: Int32
  private let arguments: UnsafeRawBufferPointer
  /// More arguments followed that found no room.
  private let areCut: Bool

  init(
    interpreter: CompiledInterpreter, pid: Int32, object: Int32, arguments: UnsafeRawBufferPointer, areCut: Bool
  ) {
    self.interpreter = interpreter
    self.pid = pid
    self.object = object
    unsafe self.arguments = arguments
    self.areCut = areCut
  }

  /// Compares the end of the name that was opened.
  func objectHasModuleSuffix() throws(Errno) -> Bool {
    if interpreter.suffixes.isEmpty { return false }
    return try unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer throws(Errno) in
      let count: Int
      do throws(Errno) {
        count = try unsafe DescriptorLink.withPath(object) { path throws(Errno) in
          try unsafe SystemCalls.readLink(path, into: buffer)
        }
      } catch .nameTooLong {
        // The kernel shows no path this long, so the suffix stays unknown: anybody can make such folders.
        return true
      }
      var name = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count])
      let deleted: StaticString = " (deleted)"
      let mark = unsafe UnsafeRawBufferPointer(start: deleted.utf8Start, count: deleted.utf8CodeUnitCount)
      if unsafe Self.ends(name, mark) {
        unsafe name = UnsafeRawBufferPointer(rebasing: name.dropLast(deleted.utf8CodeUnitCount))
      }
      return interpreter.suffixes.contains { suffix in
        unsafe suffix.withUnsafeBytes { unsafe Self.ends(name, $0) }
      }
    }
  }

  private static func ends(_ name: UnsafeRawBufferPointer, _ suffix: UnsafeRawBufferPointer) -> Bool {
    guard name.count >= suffix.count else { return false }
    for index in 0..<suffix.count where unsafe name[name.count - suffix.count + index] != suffix[index] { return false }
    return true
  }

  /// Walks the command line: the first argument that is not an option and that names a file is what runs. An option
  /// that carries code ends the walk; what may be the value of an option is looked at, and the walk goes on. Where the
  /// walk cannot be finished, the object may be what runs, and so it is.
  func argumentsNameObject() throws(Errno) -> Bool {
    guard interpreter.readsArguments else { return false }
    let status = try FileStatus.of(descriptor: object)
    var start = 0
    var index = 0
    var before = OptionMeaning.plain
    while unsafe start < arguments.count {
      var end = start
      while unsafe (end < arguments.count && arguments[end] != 0) { end += 1 }
      if unsafe areCut && end == arguments.count { return true }
      let argument = unsafe UnsafeRawBufferPointer(rebasing: arguments[start..<end])
      start = end + 1
      index += 1
      let isEmpty = unsafe argument.isEmpty
      if index == 1 || isEmpty { continue }
      let isOption = unsafe argument[0] == 0x2d
      if isOption && before != .endsOptions {
        before = unsafe meaning(of: argument)
        if before == .carriesCode { return false }
        continue
      }
      if Self.lengthsThatMayNotFit.contains(argument.count) { return true }
      switch try unsafe fileNamed(by: argument) {
      case .nothing: continue
      case .unknown: return true
      case .file(let named) where !named.isRegular: continue
      case .file(let named) where named.isSameFile(as: status): return true
      case .file: break
      }
      if before != .mayTakeValue { return false }
      before = .plain
    }
    return areCut
  }

  /// A path that the subject may open, and that together with the way to the subject's folder may be longer than a path
  /// may be.
  private static let lengthsThatMayNotFit = 4032..<4096

  private enum OptionMeaning {
    case plain
    /// Code stands behind it, on the command line itself.
    case carriesCode
    /// The next argument may be its value.
    case mayTakeValue
    /// `--`, and in a shell `-`.
    case endsOptions
  }

  /// Of one option, or a cluster of single-letter ones, as `-c`, `-ne` or `-Wignore`. What a long option without `=`
  /// takes is not known.
  private func meaning(of option: UnsafeRawBufferPointer) -> OptionMeaning {
    let count = option.count
    let second: UInt8 = count > 1 ? unsafe option[1] : 0
    if count == 1 || (count == 2 && second == 0x2d) { return .endsOptions }
    if second == 0x2d { return unsafe option.contains(0x3d) ? .plain : .mayTakeValue }
    for place in 1..<count {
      let letter = unsafe option[place]
      if interpreter.inlineOptions.contains(letter) { return .carriesCode }
      if interpreter.valueOptions.contains(letter) { return place == count - 1 ? .mayTakeValue : .plain }
    }
    return .plain
  }

  private enum Named {
    case file(FileStatus)
    case nothing
    /// A link of /proc on the way means the subject to the subject, and this process here.
    case unknown
  }

  /// What the argument names as the subject sees it: from its working folder, or under its root.
  private func fileNamed(by argument: UnsafeRawBufferPointer) throws(Errno) -> Named {
    guard argument.count < 4096 else { return .nothing }
    let isAbsolute = unsafe argument[0] == 0x2f
    let base: ProcessFile = isAbsolute ? .root : .cwd
    let folder = try unsafe base.withPath(pid: pid) { path throws(Errno) in
      try unsafe Descriptor.open(path, Self.pathOnly)
    }
    return try unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: argument.count + 1) {
      buffer throws(Errno) in
      for index in 0..<argument.count { unsafe buffer[index] = CChar(bitPattern: argument[index]) }
      unsafe buffer[argument.count] = 0
      do throws(Errno) {
        let file = try unsafe Descriptor.name(
          UnsafePointer(buffer.baseAddress!), at: folder.rawValue, inRoot: isAbsolute)
        return .file(try FileStatus.of(descriptor: file.rawValue))
      } catch {
        switch error {
        case .noProcess: throw error
        case .tooManyLinks: return unsafe fileOfSubject(argument) ?? .unknown
        case .noSystemCall: return .unknown
        default: return .nothing
        }
      }
    }
  }

  /// The links of /proc that are written out in the argument, read as the subject's own; nil where others are on the way.
  private func fileOfSubject(_ argument: UnsafeRawBufferPointer) -> Named? {
    for (written, meant) in Self.ownLinks {
      let length = written.utf8CodeUnitCount
      guard argument.count >= length, unsafe Self.begins(argument, with: written) else { continue }
      let rest = unsafe UnsafeRawBufferPointer(rebasing: argument[length...])
      return unsafe withUnsafeTemporaryAllocation(byteCount: 8 + rest.count, alignment: 1) { buffer -> Named in
        let head = meant.utf8CodeUnitCount
        for index in 0..<head { unsafe buffer[index] = meant.utf8Start[index] }
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[head...]).copyMemory(from: rest)
        let suffix = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<(head + rest.count)])
        let status = unsafe ProcessFile.folder.withPath(pid: pid, suffix: suffix) { path in
          try? unsafe FileStatus.of(path: path)
        }
        return status.map(Named.file) ?? .nothing
      }
    }
    return nil
  }

  private static let ownLinks: [(written: StaticString, meant: StaticString)] = [
    ("/proc/self/", ""), ("/proc/thread-self/", ""), ("/dev/fd/", "fd/"), ("/dev/stdin", "fd/0"),
  ]

  private static func begins(_ bytes: UnsafeRawBufferPointer, with prefix: StaticString) -> Bool {
    for index in 0..<prefix.utf8CodeUnitCount where unsafe bytes[index] != prefix.utf8Start[index] { return false }
    return true
  }

  /// O_PATH
  private static let pathOnly: Int32 = 0o10000000
}
