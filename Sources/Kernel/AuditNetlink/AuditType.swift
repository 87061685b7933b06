// Owns the numbers of the record types that Lilium meets (linux/audit.h).
// It must not say what a record means.

/// nlmsg_type of an audit record.
public enum AuditType {
  public static let login: UInt16 = 1006
  public static let firstUser: UInt16 = 1100
  /// A user-space message that is taken even while auditing is off.
  public static let userAVC: UInt16 = 1107
  public static let lastUser: UInt16 = 1199
  public static let firstDaemon: UInt16 = 1200
  public static let lastDaemon: UInt16 = 1299
  public static let syscall: UInt16 = 1300
  public static let path: UInt16 = 1302
  public static let ipc: UInt16 = 1303
  public static let socketcall: UInt16 = 1304
  public static let configChange: UInt16 = 1305
  public static let sockaddr: UInt16 = 1306
  public static let cwd: UInt16 = 1307
  public static let execve: UInt16 = 1309
  public static let ipcSetPermissions: UInt16 = 1311
  public static let fdPair: UInt16 = 1317
  public static let objPID: UInt16 = 1318
  public static let tty: UInt16 = 1319
  /// The end of an event.
  public static let eoe: UInt16 = 1320
  public static let bprmFcaps: UInt16 = 1321
  public static let capset: UInt16 = 1322
  public static let mmap: UInt16 = 1323
  public static let netfilterPacket: UInt16 = 1324
  public static let netfilterConfig: UInt16 = 1325
  public static let seccomp: UInt16 = 1326
  /// The command line of the process; the last record but EOE.
  public static let proctitle: UInt16 = 1327
  public static let featureChange: UInt16 = 1328
  public static let kernModule: UInt16 = 1330
  public static let fanotify: UInt16 = 1331
  public static let timeInjectOffset: UInt16 = 1332
  public static let timeAdjust: UInt16 = 1333
  public static let bpf: UInt16 = 1334
  public static let eventListener: UInt16 = 1335
  public static let uringOperation: UInt16 = 1336
  public static let openat2: UInt16 = 1337
  public static let avc: UInt16 = 1400
  public static let macPolicyLoad: UInt16 = 1403
  public static let macStatus: UInt16 = 1404
  public static let anomPromiscuous: UInt16 = 1700
  public static let anomAbend: UInt16 = 1701
  public static let integrityRule: UInt16 = 1805
  public static let kernel: UInt16 = 2000
  public static let firstUser2: UInt16 = 2100
  public static let lastUser2: UInt16 = 2999

  /// Sent by a program, through the kernel or by auditd itself: one record is the whole event.
  public static func isUserSpace(_ type: UInt16) -> Bool {
    (firstUser...lastDaemon).contains(type) || (firstUser2...lastUser2).contains(type)
  }

  /// Whether a record of this type only ever comes beside a SYSCALL record of the same event.
  public static func needsSyscall(_ type: UInt16) -> Bool {
    switch type {
    case path, ipc, socketcall, sockaddr, cwd, execve, ipcSetPermissions...fdPair, objPID, eoe...mmap, proctitle,
      kernModule, openat2:
      type != 1316
    default: false
    }
  }
}
