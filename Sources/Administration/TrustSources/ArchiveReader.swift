// Owns libarchive's handles: an ar file, and a tar inside one of its members, read as a stream.
// It must not interpret names or hash contents, and must never start a program (libarchive's filters that do stay off).

internal import CArchive
internal import SystemCalls

/// What libarchive says went wrong.
struct ArchiveFault: Error {
  let message: String
}

/// An archive that is read from its beginning to its end, once (libarchive(3)).
final class ArchiveReader {
  private let handle: OpaquePointer
  /// What is read from, for as long as it is: a file, or the current member of another archive.
  private let file: Descriptor?
  private let outer: ArchiveReader?
  /// What went wrong below this archive while it was read.
  private var inner: ArchiveFault?
  /// What the current member's header says of its size.
  private var size: Int64 = 0
  private static let pieceSize = 256 * 1024

  /// An ar archive, uncompressed.
  init(ar file: consuming Descriptor) throws(ArchiveFault) {
    handle = try Self.make()
    let number = file.rawValue
    self.file = consume file
    outer = nil
    try check(archive_read_support_format_ar(handle))
    try check(archive_read_open_fd(handle, number, Self.pieceSize))
  }

  /// The tar archive, compressed or not, that the current member of `outer` is.
  init(tarIn outer: ArchiveReader) throws(ArchiveFault) {
    handle = try Self.make()
    file = nil
    self.outer = outer
    try check(archive_read_support_format_tar(handle))
    // A filter that libarchive has not built in would be a program: it says so by a warning, which is a fault here.
    try check(archive_read_support_filter_gzip(handle))
    try check(archive_read_support_filter_bzip2(handle))
    try check(archive_read_support_filter_xz(handle))
    try check(archive_read_support_filter_lzma(handle))
    try check(archive_read_support_filter_zstd(handle))
    // The outer reader lives as long as this one, and libarchive asks only while this one does.
    try check(
      archive_read_open(
        handle, Unmanaged.passUnretained(outer).toOpaque(), nil,
        { _, outer, piece in Unmanaged<ArchiveReader>.fromOpaque(outer!).takeUnretainedValue().givePiece(piece) }, nil))
  }

  private static func make() throws(ArchiveFault) -> OpaquePointer {
    guard let handle = archive_read_new() else { throw ArchiveFault(message: "no memory to read it") }
    return handle
  }

  deinit { archive_read_free(handle) }

  /// The next member, or nil at the end. The one before is gone.
  func next() throws(ArchiveFault) -> ArchiveMember? {
    var entry: OpaquePointer?
    let result = archive_read_next_header(handle, &entry)
    if result == ARCHIVE_EOF { return nil }
    try check(result)
    guard let entry else { throw ArchiveFault(message: "a member without a header") }
    size = archive_entry_size(entry)
    return ArchiveMember(entry, format: archive_format(handle))
  }

  /// Gives the current member's content piece by piece; the count of bytes. A hole is a fault: dpkg has none.
  func readContent(_ body: (UnsafeRawBufferPointer) throws(ArchiveFault) -> Void) throws(ArchiveFault) -> UInt64 {
    var total: Int64 = 0
    while true {
      var start: UnsafeRawPointer?
      var count = 0
      var offset: Int64 = 0
      let result = archive_read_data_block(handle, &start, &count, &offset)
      if result != ARCHIVE_EOF { try check(result) }
      // A hole may be at the end as well.
      guard result == ARCHIVE_EOF ? total == size : offset == total else {
        throw ArchiveFault(message: "a member has holes, which dpkg does not unpack")
      }
      if result == ARCHIVE_EOF { return UInt64(total) }
      try body(UnsafeRawBufferPointer(start: start, count: count))
      total += Int64(count)
    }
  }

  /// The next piece of the current member for an archive inside it: its length, 0 at the end, or libarchive's error.
  private func givePiece(_ piece: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
    var start: UnsafeRawPointer?
    var count = 0
    var offset: Int64 = 0
    // An empty piece would be taken for the end.
    repeat {
      let result = archive_read_data_block(handle, &start, &count, &offset)
      if result == ARCHIVE_EOF { return 0 }
      if result != ARCHIVE_OK {
        inner = fault(result)
        return Int(ARCHIVE_FATAL)
      }
    } while count == 0
    piece?.pointee = start
    return count
  }

  private func check(_ result: Int32) throws(ArchiveFault) {
    if result != ARCHIVE_OK { throw outer?.inner ?? fault(result) }
  }

  private func fault(_ result: Int32) -> ArchiveFault {
    let text = archive_error_string(handle).map { String(cString: $0) } ?? "libarchive error \(result)"
    // libarchive may quote bytes of the file.
    let shown = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value < 0x7f }.prefix(200)
    return ArchiveFault(message: String(String.UnicodeScalarView(shown)))
  }
}

/// A member's header, copied.
struct ArchiveMember {
  enum Kind {
    case file
    /// Another name of a member before it.
    case hardLink([UInt8])
    /// Folder, symbolic link, device.
    case other
  }

  /// Nil where libarchive cannot give its bytes.
  let name: [UInt8]?
  let kind: Kind
  /// The header is of the POSIX interchange format, which dpkg does not unpack.
  let isPax: Bool

  fileprivate init(_ entry: OpaquePointer, format: Int32) {
    let bytes = { (text: UnsafePointer<CChar>?) in text.map { Array(String.bytes($0)) } }
    name = bytes(archive_entry_pathname(entry))
    isPax = format == ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE
    if let target = bytes(archive_entry_hardlink(entry)) {
      kind = .hardLink(target)
    } else {
      kind = archive_entry_filetype(entry) == 0o100000 ? .file : .other
    }
  }
}

extension String {
  /// The bytes of a C string, whatever they are.
  fileprivate static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    var bytes: [UInt8] = []
    var next = text
    while next.pointee != 0 {
      bytes.append(UInt8(bitPattern: next.pointee))
      next += 1
    }
    return bytes
  }
}
