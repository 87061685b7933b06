// Fuzzes the manifest of the trust database: any text is refused, or is what would be written.
// libFuzzer calls it; a broken promise traps.

import ContentDigest
import TrustDatabase

@c(LLVMFuzzerTestOneInput)
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let bytes = [UInt8](UnsafeRawBufferPointer(start: data, count: count))
  judge(bytes)
  // No fuzzer finds a SHA-256, so it is put behind the text as well.
  if let check = try? ContentDigest.sha256(of: bytes) { judge(bytes + Array("check \(hexadecimal(check))\n".utf8)) }
  return 0
}

private func judge(_ bytes: [UInt8]) {
  do throws(TrustStoreError) {
    let manifest = try TrustManifest(parsing: bytes, path: "current")
    let text = try manifest.text()
    precondition(text == bytes, "one manifest has one form")
    precondition(!manifest.file.contains("/") && manifest.byteCount <= TrustManifest.largestFile)
    precondition(manifest.schema == TrustManifest.currentSchema && manifest.written >= 0)
  } catch {
    switch error {
    case .damaged, .unsupportedSchema: break
    default: preconditionFailure("\(error)")
    }
  }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
