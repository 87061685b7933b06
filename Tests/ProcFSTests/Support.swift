// Texts as the parsers of this folder read them: bytes in a buffer of exactly their size.

import ProcFS

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Runs `body` over a buffer that holds these bytes and not one more.
func reading<Result>(_ bytes: some Sequence<UInt8>, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
  -> Result
{
  let all = Array(bytes)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: all.count, alignment: 1)
  defer { buffer.deallocate() }
  buffer.copyBytes(from: all)
  return try body(UnsafeRawBufferPointer(buffer))
}

func text(_ buffer: UnsafeRawBufferPointer) -> String { String(decoding: buffer, as: UTF8.self) }
