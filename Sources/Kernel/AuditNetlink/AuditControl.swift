// Owns a control socket of the audit system: status, switches, rules, messages of its own. libaudit speaks to the
// kernel; here its answers are matched to the questions and bounded in time.
// It must not keep a list of rules or undo anything by itself.

internal import CAudit
internal import CAuditNetlink
internal import Glibc
internal import Synchronization
public import SystemCalls

/// The kernel's audit system, as CAP_AUDIT_CONTROL and CAP_AUDIT_WRITE in the initial namespaces may change it. EPERM
/// elsewhere, for lack of the capability, and for changes while auditing is locked (`auditctl -e 2`).
public final class AuditControl: Sendable {
  private let socket: Mutex<Descriptor>

  /// Milliseconds until a reply counts as lost.
  private static let patience: Int32 = 2000

  /// libaudit numbers requests in a variable of its own, which no two threads may touch at once.
  private static let numbering = Mutex(())

  public init() throws(Errno) {
    set_aumessage_mode(MSG_QUIET, DBG_NO)
    socket = Mutex(try Self.open())
  }

  private static func open() throws(Errno) -> Descriptor {
    Descriptor(owning: try systemCall { audit_open() })
  }

  public func status() throws(Errno) -> AuditStatus {
    var found: AuditStatus?
    try exchange(
      audit_request_status,
      until: { reply in
        guard reply.type == UInt16(AUDIT_GET) else { return false }
        found = AuditStatus(reply.bytes)
        return true
      })
    guard let found else { throw .badMessage }
    return found
  }

  /// Switches auditing on or off for the whole host. Rules stay, and record nothing while it is off.
  public func setEnabled(_ enabled: Bool) throws(Errno) {
    try exchange({ audit_set_enabled($0, enabled ? 1 : 0) }, until: nil)
  }

  /// How many records may wait for their readers; 0 is no limit.
  public func setBacklogLimit(_ limit: UInt32) throws(Errno) {
    try exchange({ audit_set_backlog_limit($0, limit) }, until: nil)
  }

  /// All rules of all lists, each list in the order in which the kernel tries them.
  public func rules() throws(Errno) -> [ListedRule] {
    var all: [ListedRule] = []
    var isReadable = true
    try exchange(
      audit_request_rules_list_data,
      until: { reply in
        if reply.type == UInt16(NLMSG_DONE) { return true }
        guard reply.type == UInt16(AUDIT_LIST_RULES) else { return false }
        if let rule = ListedRule(reply.bytes) { all.append(rule) } else { isReadable = false }
        return false
      })
    guard isReadable else { throw .badMessage }
    return all
  }

  /// Puts the rule behind all others of its list. EEXIST where it is there already.
  public func add(_ rule: AuditRule) throws(Errno) { try unsafe change(rule.data.bytes, with: audit_add_rule_data) }

  /// ENOENT where the kernel has no such rule.
  public func delete(_ rule: AuditRule) throws(Errno) {
    try unsafe change(rule.data.bytes, with: audit_delete_rule_data)
  }

  /// ENOENT where the rule is gone.
  public func delete(_ rule: ListedRule) throws(Errno) { try unsafe change(rule.bytes, with: audit_delete_rule_data) }

  /// Longest text of a user message (AUDIT_MESSAGE_TEXT_MAX).
  public static let maximumMessage = 8560

  /// Logs one record of the type USER_AVC, which the kernel takes even while auditing is off. The kernel puts the text
  /// between single quotes as it is: EINVAL for a text with a single quote, a control character or a byte that is not
  /// ASCII, EMSGSIZE for a long one. The field name `exe` is the kernel's.
  public func logUserMessage(_ text: [UInt8]) throws(Errno) {
    guard text.count <= Self.maximumMessage else { throw Errno(EMSGSIZE) }
    guard text.allSatisfy({ (0x20...0x7e).contains($0) && $0 != UInt8(ascii: "'") }) else { throw .invalid }
    // The kernel writes a NUL over the last byte.
    let message = text + [0]
    try socket.withLock { socket throws(Errno) in
      let number = socket.rawValue
      _ = try shimCall { unsafe lil_audit_send(number, AuditType.userAVC, message, message.count) }
    }
  }

  private typealias Change = (Int32, UnsafeMutablePointer<audit_rule_data>?, Int32, Int32) -> Int32

  private func change(_ bytes: [UInt8], with call: Change) throws(Errno) {
    let list = Int32(bytes[0])
    let action = Int32(bytes[4])
    var copy = bytes
    try exchange(
      { socket in
        // The array holds a whole struct audit_rule_data with its strings; libaudit writes list and action into it.
        unsafe copy.withUnsafeMutableBytes { buffer in
          unsafe call(socket, buffer.baseAddress?.assumingMemoryBound(to: audit_rule_data.self), list, action)
        }
      }, until: nil)
  }

  /// Sends a request and hands its replies over until one is the last; without `isLast` the kernel's acknowledgement is
  /// all. libaudit awaits that, for up to 40 s, but the kernel queues it, or ENOBUFS in its place, before the send
  /// returns. A socket whose replies did not come is replaced, so that none comes late.
  private func exchange(_ send: (Int32) -> Int32, until isLast: ((AuditReply) -> Bool)?) throws(Errno) {
    try socket.withLock { socket throws(Errno) in
      let number = socket.rawValue
      Self.drain(number)
      let sequence = Self.numbering.withLock { _ in send(number) }
      guard sequence >= 0 else { throw Errno(-sequence) }
      guard let isLast else { return }
      do throws(Errno) {
        try Self.collect(UInt32(sequence), on: number, until: isLast)
      } catch {
        socket = try Self.open()
        throw error
      }
    }
  }

  /// What an earlier exchange left would be taken for the acknowledgement of the next.
  private static func drain(_ socket: Int32) {
    for _ in 0..<4096 {
      do throws(Errno) {
        if try AuditReply.next(from: socket) == nil { return }
      } catch {
        // An error belongs to the past as well; the next message, or none, follows it.
      }
    }
  }

  /// Hands over the replies to one request. ETIMEDOUT where the last has not come in time.
  static func collect(
    _ sequence: UInt32, on socket: Int32, until isLast: (AuditReply) -> Bool
  ) throws(Errno) {
    let deadline = Clock.monotonic() + UInt64(patience) * 1_000_000
    while true {
      while let reply = try AuditReply.nextOfKernel(from: socket) {
        guard reply.sequence == sequence else { continue }
        if let error = reply.error { throw error }
        if isLast(reply) { return }
      }
      let now = Clock.monotonic()
      guard now < deadline else { throw Errno(ETIMEDOUT) }
      _ = try waitForEvents(
        [(socket, PollEvents.input)], milliseconds: Int32(clamping: (deadline - now) / 1_000_000 + 1))
    }
  }
}

/// One message of the kernel on a control socket.
struct AuditReply {
  let type: UInt16
  let sequence: UInt32
  /// The request was refused.
  let error: Errno?
  let bytes: [UInt8]

  /// The longest is a rule with its strings: MAX_AUDIT_MESSAGE_LENGTH of libaudit.
  private static let capacity = 9216

  /// Passes over what somebody else has sent; nil where none is there.
  static func nextOfKernel(from socket: Int32) throws(Errno) -> AuditReply? {
    do throws(Errno) { return try next(from: socket) } catch .invalid { return nil }
  }

  /// Nil where none is there; EINVAL where it is not the kernel's.
  static func next(from socket: Int32) throws(Errno) -> AuditReply? {
    var head = lil_audit_reply()
    var result: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      result = unsafe lil_audit_reply(socket, &head, buffer.baseAddress, capacity)
      count = result < 0 ? 0 : Int(head.length)
    }
    if result == -EAGAIN { return nil }
    guard result >= 0 else { throw Errno(-result) }
    return AuditReply(
      type: head.type, sequence: head.sequence, error: head.error == 0 ? nil : Errno(-head.error), bytes: bytes)
  }
}
