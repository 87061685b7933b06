// Owns the names and numbers of the ptrace(2) and ioctl(2) requests that rules and records may name.
// It must not know what a request does or reads; a test holds the numbers against the C headers.

/// The requests that have a name here. Where x86 differs from other machines, the numbers are x86-64's.
public enum RequestNames {
  /// The name of a request, as in `PTRACE_ATTACH`; nil where none is known.
  public static func name(of number: UInt64, _ mechanism: Mechanism) -> String? {
    table(of: mechanism).names[number]
  }

  /// The number of a request; nil where the name is not known. Where a 32-bit program uses another one, this is the
  /// 64-bit program's.
  public static func number(named name: String, mechanism: Mechanism) -> UInt64? {
    numbers(named: name, mechanism: mechanism).first
  }

  /// Every number that stands for the name: the 64-bit program's, then the 32-bit program's where it is another.
  public static func numbers(named name: String, mechanism: Mechanism) -> [UInt64] {
    table(of: mechanism).numbers[name] ?? []
  }

  /// Every name that is known, in the order of the table; none for a mechanism without requests.
  public static func names(_ mechanism: Mechanism) -> [String] { table(of: mechanism).order }

  private static func table(of mechanism: Mechanism) -> Table {
    switch mechanism {
    case .ptrace: ptrace
    case .ioctl: ioctl
    default: none
    }
  }

  private struct Table: Sendable {
    private(set) var order: [String] = []
    private(set) var names: [UInt64: String] = [:]
    private(set) var numbers: [String: [UInt64]] = [:]

    /// `narrow` gives a second number to a name: the one of 32-bit programs.
    init(_ requests: [(name: String, number: UInt64)] = [], narrow: [(name: String, number: UInt64)] = []) {
      order = requests.map(\.name)
      for (name, number) in requests + narrow {
        names[number] = name
        numbers[name, default: []].append(number)
      }
    }
  }

  private static let none = Table()
  private static let ptrace = Table(ptraceRequests)
  private static let ioctl = Table(terminals + files + disks + devices + networks, narrow: narrow)

  private static let ptraceRequests: [(name: String, number: UInt64)] = [
    ("PTRACE_TRACEME", 0), ("PTRACE_PEEKTEXT", 1), ("PTRACE_PEEKDATA", 2), ("PTRACE_PEEKUSER", 3),
    ("PTRACE_POKETEXT", 4), ("PTRACE_POKEDATA", 5), ("PTRACE_POKEUSER", 6), ("PTRACE_CONT", 7), ("PTRACE_KILL", 8),
    ("PTRACE_SINGLESTEP", 9), ("PTRACE_GETREGS", 12), ("PTRACE_SETREGS", 13), ("PTRACE_GETFPREGS", 14),
    ("PTRACE_SETFPREGS", 15), ("PTRACE_ATTACH", 16), ("PTRACE_DETACH", 17), ("PTRACE_SYSCALL", 24),
    ("PTRACE_GET_THREAD_AREA", 25), ("PTRACE_SET_THREAD_AREA", 26), ("PTRACE_ARCH_PRCTL", 30), ("PTRACE_SYSEMU", 31),
    ("PTRACE_SYSEMU_SINGLESTEP", 32), ("PTRACE_SINGLEBLOCK", 33), ("PTRACE_SETOPTIONS", 0x4200),
    ("PTRACE_GETEVENTMSG", 0x4201), ("PTRACE_GETSIGINFO", 0x4202), ("PTRACE_SETSIGINFO", 0x4203),
    ("PTRACE_GETREGSET", 0x4204), ("PTRACE_SETREGSET", 0x4205), ("PTRACE_SEIZE", 0x4206), ("PTRACE_INTERRUPT", 0x4207),
    ("PTRACE_LISTEN", 0x4208), ("PTRACE_PEEKSIGINFO", 0x4209), ("PTRACE_GETSIGMASK", 0x420a),
    ("PTRACE_SETSIGMASK", 0x420b), ("PTRACE_SECCOMP_GET_FILTER", 0x420c), ("PTRACE_SECCOMP_GET_METADATA", 0x420d),
    ("PTRACE_GET_SYSCALL_INFO", 0x420e), ("PTRACE_GET_RSEQ_CONFIGURATION", 0x420f),
  ]

  private static let terminals: [(name: String, number: UInt64)] = [
    ("TIOCSTI", 0x5412), ("TIOCLINUX", 0x541c), ("TIOCCONS", 0x541d), ("TIOCSETD", 0x5423), ("TIOCSCTTY", 0x540e),
    ("TIOCVHANGUP", 0x5437), ("TIOCSPTLCK", 0x4004_5431), ("TIOCGPTPEER", 0x5441), ("TIOCSSERIAL", 0x541f),
    ("KDSETLED", 0x4b32), ("KDSETMODE", 0x4b3a), ("KDSKBMODE", 0x4b45), ("KDSKBENT", 0x4b47), ("KDSKBSENT", 0x4b49),
    ("VT_ACTIVATE", 0x5606), ("VT_LOCKSWITCH", 0x560b), ("VT_UNLOCKSWITCH", 0x560c),
  ]

  private static let files: [(name: String, number: UInt64)] = [
    ("FIBMAP", 1), ("FIFREEZE", 0xc004_5877), ("FITHAW", 0xc004_5878), ("FITRIM", 0xc018_5879),
    ("FICLONE", 0x4004_9409), ("FICLONERANGE", 0x4020_940d), ("FIDEDUPERANGE", 0xc018_9436),
    ("FS_IOC_GETFLAGS", 0x8008_6601), ("FS_IOC_SETFLAGS", 0x4008_6602), ("FS_IOC_SETVERSION", 0x4008_7602),
    ("FS_IOC_FSSETXATTR", 0x401c_5820), ("FS_IOC_SETFSLABEL", 0x4100_9432),
    ("FS_IOC_ADD_ENCRYPTION_KEY", 0xc050_6617), ("FS_IOC_REMOVE_ENCRYPTION_KEY", 0xc040_6618),
    ("BTRFS_IOC_SNAP_CREATE", 0x5000_9401), ("BTRFS_IOC_SNAP_CREATE_V2", 0x5000_9417),
    ("BTRFS_IOC_SNAP_DESTROY", 0x5000_940f), ("BTRFS_IOC_SUBVOL_CREATE", 0x5000_940e),
    ("FUSE_DEV_IOC_CLONE", 0x8004_e500),
  ]

  private static let disks: [(name: String, number: UInt64)] = [
    ("BLKROSET", 0x125d), ("BLKRRPART", 0x125f), ("BLKFLSBUF", 0x1261), ("BLKPG", 0x1269), ("BLKBSZSET", 0x4008_1271),
    ("BLKDISCARD", 0x1277), ("BLKSECDISCARD", 0x127d), ("BLKZEROOUT", 0x127f), ("LOOP_SET_FD", 0x4c00),
    ("LOOP_CLR_FD", 0x4c01), ("LOOP_SET_STATUS64", 0x4c04), ("LOOP_CHANGE_FD", 0x4c06), ("LOOP_CONFIGURE", 0x4c0a),
    ("LOOP_CTL_ADD", 0x4c80), ("LOOP_CTL_REMOVE", 0x4c81), ("LOOP_CTL_GET_FREE", 0x4c82), ("SG_IO", 0x2285),
    ("HDIO_DRIVE_TASKFILE", 0x31d), ("HDIO_DRIVE_CMD", 0x31f), ("CDROM_SEND_PACKET", 0x5393),
    ("DM_REMOVE_ALL", 0xc138_fd01), ("DM_DEV_CREATE", 0xc138_fd03), ("DM_DEV_REMOVE", 0xc138_fd04),
    ("DM_DEV_RENAME", 0xc138_fd05), ("DM_DEV_SUSPEND", 0xc138_fd06), ("DM_TABLE_LOAD", 0xc138_fd09),
    ("DM_TABLE_CLEAR", 0xc138_fd0a), ("DM_TARGET_MSG", 0xc138_fd0e), ("NVME_IOCTL_ADMIN_CMD", 0xc048_4e41),
    ("NVME_IOCTL_IO_CMD", 0xc048_4e43), ("NVME_IOCTL_ADMIN64_CMD", 0xc050_4e47), ("NVME_IOCTL_RESET", 0x4e44),
    ("MMC_IOC_CMD", 0xc048_b300), ("NBD_SET_SOCK", 0xab00), ("NBD_DO_IT", 0xab03), ("STOP_ARRAY", 0x932),
  ]

  private static let devices: [(name: String, number: UInt64)] = [
    ("KVM_CREATE_VM", 0xae01), ("VFIO_SET_IOMMU", 0x3b66), ("VFIO_GROUP_SET_CONTAINER", 0x3b68),
    ("VFIO_GROUP_GET_DEVICE_FD", 0x3b6a), ("VFIO_IOMMU_MAP_DMA", 0x3b71), ("VHOST_SET_OWNER", 0xaf01),
    ("RTC_SET_TIME", 0x4024_700a), ("RTC_WKALM_SET", 0x4028_700f), ("WDIOC_SETOPTIONS", 0x8004_5704),
    ("EVIOCGRAB", 0x4004_4590), ("UI_DEV_CREATE", 0x5501), ("UI_DEV_SETUP", 0x405c_5503), ("USBDEVFS_RESET", 0x5514),
    ("USBDEVFS_CONTROL", 0xc018_5500), ("USBDEVFS_CLAIMINTERFACE", 0x8004_550f), ("I2C_SLAVE_FORCE", 0x706),
    ("I2C_RDWR", 0x707), ("RNDADDENTROPY", 0x4008_5203), ("RNDCLEARPOOL", 0x5206),
    ("PERF_EVENT_IOC_SET_FILTER", 0x4008_2406), ("PERF_EVENT_IOC_SET_BPF", 0x4004_2408),
    ("USERFAULTFD_IOC_NEW", 0xaa00),
  ]

  private static let networks: [(name: String, number: UInt64)] = [
    ("TUNSETIFF", 0x4004_54ca), ("TUNSETPERSIST", 0x4004_54cb), ("TUNSETOWNER", 0x4004_54cc),
    ("SIOCADDRT", 0x890b), ("SIOCDELRT", 0x890c), ("SIOCSIFFLAGS", 0x8914), ("SIOCSIFADDR", 0x8916),
    ("SIOCSIFNETMASK", 0x891c), ("SIOCSIFMTU", 0x8922), ("SIOCSIFNAME", 0x8923), ("SIOCSIFHWADDR", 0x8924),
    ("SIOCSIFTXQLEN", 0x8943), ("SIOCETHTOOL", 0x8946), ("SIOCDARP", 0x8953), ("SIOCSARP", 0x8955),
    ("SIOCSIFVLAN", 0x8983), ("SIOCBRADDBR", 0x89a0), ("SIOCBRDELBR", 0x89a1), ("SIOCBRADDIF", 0x89a2),
    ("SIOCBRDELIF", 0x89a3),
  ]

  /// A number that counts the size of a long or a pointer is another one in a 32-bit program.
  private static let narrow: [(name: String, number: UInt64)] = [
    ("FS_IOC_GETFLAGS", 0x8004_6601), ("FS_IOC_SETFLAGS", 0x4004_6602), ("FS_IOC_SETVERSION", 0x4004_7602),
    ("BLKBSZSET", 0x4004_1271), ("USBDEVFS_CONTROL", 0xc010_5500), ("PERF_EVENT_IOC_SET_FILTER", 0x4004_2406),
  ]
}
