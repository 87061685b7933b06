// Owns the sentences for a trust store that cannot be used: place, what is wrong, what to do.
// It must not decide what follows from it.

public import SystemCalls

public enum TrustStoreError: Error, Sendable, Hashable, CustomStringConvertible {
  /// No store was ever written here.
  case missing(folder: String)
  case damaged(path: String, why: String)
  /// Written by another release.
  case unsupportedSchema(path: String, schema: Int)
  /// Somebody else than root could have written it.
  case notProtected(path: String, why: String)
  /// Another program is writing.
  case busy(pid: Int32?)
  /// No room on the file system, or the database is as large as it may become.
  case full(path: String)
  /// No entry can be kept of this path, or this entry of any path.
  case unusable(path: String, why: String)
  case system(SystemCallError)

  public var description: String { "\(sentence); \(remedy)" }

  /// Place and what is wrong.
  public var sentence: String {
    switch self {
    case .missing(let folder): "\(folder): there is no trust database"
    case .damaged(let path, let why): "\(path): the trust database is damaged: \(why)"
    case .unsupportedSchema(let path, let schema):
      "\(path): the trust database has schema \(schema), and this release reads \(TrustManifest.currentSchema) only"
    case .notProtected(let path, let why): "\(path): \(why)"
    case .busy(let pid?): "the trust database is being written by process \(pid)"
    case .busy(nil): "the trust database is being written by another process"
    case .full(let path): "\(path): there is no room for another generation of the trust database"
    case .unusable(let path, let why): "\(path): \(why)"
    case .system(let error): "\(error)"
    }
  }

  /// What to do about it.
  public var remedy: String {
    switch self {
    case .missing, .damaged: "run liliumctl trust sync"
    case .unsupportedSchema: "install the release that wrote it, or delete the folder and run liliumctl trust sync"
    case .notProtected: "correct its owner and mode after a look at who could write it, then run liliumctl trust sync"
    case .busy: "wait for it to end, or end it"
    case .full: "make room there and try again; the generation before is whole and in force"
    case .unusable: "leave it out"
    case .system: "the generation before is whole; try again, as root"
    }
  }
}
