// Owns LMDB: the two tables of one generation, in a file in memory, under one transaction.
// It must not know what keys and values mean, and never sees a file on a disk.

internal import CLMDB
internal import SystemCalls

/// The tables of a generation.
enum Table: Int, CaseIterable {
  /// Path -> entry.
  case paths
  /// SHA-256 -> content that is trusted wherever it lies.
  case contents

  var name: String { self == .paths ? "paths" : "contents" }
}

/// One thread's view of a generation. Everything read is copied, or borrowed for one call.
@safe final class Tables {
  /// What errors name.
  let place: String
  private let environment: OpaquePointer
  /// Nil after the end.
  private var transaction: OpaquePointer?
  private var handles: [MDB_dbi] = []
  /// Something was put or removed.
  private(set) var isChanged = false

  /// Address space, not memory, for a generation that grows.
  private static let largest = Int(TrustManifest.largestFile)

  /// Opens what `memory` holds, or begins an empty generation in an empty one. LMDB keeps a descriptor of its own.
  init(_ memory: borrowing MemoryFile, writable: Bool, place: String) throws(TrustStoreError) {
    let size = writable ? Self.largest : Int(try memory.byteCount)
    var created: OpaquePointer?
    try Self.check(unsafe mdb_env_create(&created), "mdb_env_create", place)
    guard let environment = unsafe created else { throw TrustStoreError("mdb_env_create", place, .invalid) }
    unsafe self.environment = environment
    self.place = place
    unsafe transaction = nil
    try check(unsafe mdb_env_set_maxdbs(environment, MDB_dbi(Table.allCases.count)), "mdb_env_set_maxdbs")
    try check(unsafe mdb_env_set_mapsize(environment, size), "mdb_env_set_mapsize")
    // The store's own lock keeps others away, and a file in memory needs no flushing.
    let flags = MDB_NOSUBDIR | MDB_NOLOCK | (writable ? MDB_NOSYNC : MDB_RDONLY)
    try check(unsafe mdb_env_open(environment, memory.path, UInt32(flags), 0o600), "mdb_env_open")
    try check(unsafe mdb_txn_begin(environment, nil, UInt32(writable ? 0 : MDB_RDONLY), &transaction), "mdb_txn_begin")
    for table in Table.allCases {
      var handle: MDB_dbi = 0
      let create = UInt32(writable ? MDB_CREATE : 0)
      try check(unsafe mdb_dbi_open(transaction, table.name, create, &handle), "mdb_dbi_open")
      handles.append(handle)
    }
  }

  deinit {
    if let transaction = unsafe transaction { unsafe mdb_txn_abort(transaction) }
    unsafe mdb_env_close(environment)
  }

  /// Ends the transaction; nothing can be read or written afterwards.
  func commit() throws(TrustStoreError) {
    let running = try unsafe running()
    // LMDB frees it, also where it fails.
    unsafe transaction = nil
    try check(unsafe mdb_txn_commit(running), "mdb_txn_commit")
  }

  /// Ends the transaction; what was written in it is gone.
  func abort() {
    if let running = unsafe transaction { unsafe mdb_txn_abort(running) }
    unsafe transaction = nil
  }

  func count(_ table: Table) throws(TrustStoreError) -> Int {
    var status = MDB_stat()
    let running = try unsafe running()
    try check(unsafe mdb_stat(running, handles[table.rawValue], &status), "mdb_stat")
    return Int(status.ms_entries)
  }

  private func running() throws(TrustStoreError) -> OpaquePointer {
    guard let running = unsafe transaction else { throw TrustStoreError("use after its end", place, .invalid) }
    return unsafe running
  }

  private func check(_ code: Int32, _ call: String) throws(TrustStoreError) { try Self.check(code, call, place) }

  private static func check(_ code: Int32, _ call: String, _ place: String) throws(TrustStoreError) {
    if code != 0 { throw TrustStoreError(lmdb: code, call, place) }
  }
}

// MARK: Reading and writing. What is given stays as it is until the next `put` or `remove`, or the end.
extension Tables {
  /// mdb_get(): nil where the key is not there.
  func value(_ table: Table, _ key: [UInt8]) throws(TrustStoreError) -> UnsafeRawBufferPointer? {
    let running = try unsafe running()
    let handle = handles[table.rawValue]
    var found = unsafe MDB_val()
    let code = unsafe key.withUnsafeBytes { bytes in
      var name = unsafe MDB_val(bytes)
      return unsafe mdb_get(running, handle, &name, &found)
    }
    if code == MDB_NOTFOUND { return nil }
    try check(code, "mdb_get")
    return unsafe UnsafeRawBufferPointer(found)
  }

  /// The first pair whose key is not less than this one.
  func pair(
    _ table: Table, atOrAfter key: [UInt8]
  ) throws(TrustStoreError) -> (key: [UInt8], value: UnsafeRawBufferPointer)? {
    let cursor = try unsafe cursor(table)
    defer { unsafe mdb_cursor_close(cursor) }
    var value = unsafe MDB_val()
    var found: [UInt8] = []
    let code = unsafe key.withUnsafeBytes { bytes in
      var name = unsafe MDB_val(bytes)
      let code = unsafe mdb_cursor_get(cursor, &name, &value, key.isEmpty ? MDB_FIRST : MDB_SET_RANGE)
      if code == 0 { found = unsafe [UInt8](UnsafeRawBufferPointer(name)) }
      return code
    }
    if code == MDB_NOTFOUND { return nil }
    try check(code, "mdb_cursor_get")
    return unsafe (found, UnsafeRawBufferPointer(value))
  }

  /// Every pair in the order of the keys, as they lie. `body` must not write.
  func scan(
    _ table: Table, _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
  ) throws(TrustStoreError) {
    let cursor = try unsafe cursor(table)
    defer { unsafe mdb_cursor_close(cursor) }
    var name = unsafe MDB_val()
    var value = unsafe MDB_val()
    while true {
      let code = unsafe mdb_cursor_get(cursor, &name, &value, MDB_NEXT)
      if code == MDB_NOTFOUND { return }
      try check(code, "mdb_cursor_get")
      if unsafe !body(UnsafeRawBufferPointer(name), UnsafeRawBufferPointer(value)) { return }
    }
  }

  /// Fills empty tables with all that is here, in the order of the keys, so that every page is full: a third smaller
  /// than what grew in another order, and what mdb_env_copy2() would keep.
  func copy(into other: Tables) throws(TrustStoreError) {
    let running = try unsafe other.running()
    for table in Table.allCases {
      let handle = other.handles[table.rawValue]
      var code: Int32 = 0
      try unsafe scan(table) { key, value in
        var name = unsafe MDB_val(key)
        var content = unsafe MDB_val(value)
        code = unsafe mdb_put(running, handle, &name, &content, UInt32(MDB_APPEND))
        return code == 0
      }
      try check(code, "mdb_put")
    }
  }

  /// mdb_put(); does nothing where the same value is there.
  func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) throws(TrustStoreError) {
    if let old = try unsafe self.value(table, key), unsafe old.elementsEqual(value) { return }
    let running = try unsafe running()
    let handle = handles[table.rawValue]
    isChanged = true
    let code = unsafe key.withUnsafeBytes { keyBytes in
      unsafe value.withUnsafeBytes { valueBytes in
        var name = unsafe MDB_val(keyBytes)
        var content = unsafe MDB_val(valueBytes)
        return unsafe mdb_put(running, handle, &name, &content, 0)
      }
    }
    try check(code, "mdb_put")
  }

  /// mdb_del(); whether the key was there.
  @discardableResult
  func remove(_ table: Table, _ key: [UInt8]) throws(TrustStoreError) -> Bool {
    let running = try unsafe running()
    let handle = handles[table.rawValue]
    let code = unsafe key.withUnsafeBytes { bytes in
      var name = unsafe MDB_val(bytes)
      return unsafe mdb_del(running, handle, &name, nil)
    }
    if code == MDB_NOTFOUND { return false }
    isChanged = true
    try check(code, "mdb_del")
    return true
  }

  private func cursor(_ table: Table) throws(TrustStoreError) -> OpaquePointer {
    var cursor: OpaquePointer?
    let running = try unsafe running()
    try check(unsafe mdb_cursor_open(running, handles[table.rawValue], &cursor), "mdb_cursor_open")
    guard let cursor = unsafe cursor else { throw TrustStoreError("mdb_cursor_open", place, .invalid) }
    return unsafe cursor
  }
}

extension MDB_val {
  /// LMDB only reads what keys and values point to; they live for the call.
  fileprivate init(_ bytes: UnsafeRawBufferPointer) {
    unsafe self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }
}

extension UnsafeRawBufferPointer {
  fileprivate init(_ value: MDB_val) { unsafe self.init(start: value.mv_data, count: value.mv_size) }
}
