// Owns the names of file systems that statfs(2) knows only by a magic number (include/uapi/linux/magic.h).
// It must not be asked first: the mount table knows the exact type.

enum FileSystemNames {
  static func name(magic: UInt64) -> StaticString {
    switch UInt32(truncatingIfNeeded: magic) {
    case 0xef53: "ext4"
    case 0x5846_5342: "xfs"
    case 0x9123_683e: "btrfs"
    case 0x0102_1994: "tmpfs"
    case 0x8584_58f6: "ramfs"
    case 0x794c_7630: "overlay"
    case 0x7371_7368: "squashfs"
    case 0xe0f5_e1e2: "erofs"
    case 0x4d44: "vfat"
    case 0x9660: "iso9660"
    case 0xf2f5_2010: "f2fs"
    case 0x2fc1_2fc1: "zfs"
    case 0x6969: "nfs"
    case 0xff53_4d42, 0xfe53_4d42: "cifs"
    case 0x6573_5546: "fuse"
    case 0x0102_1997: "9p"
    case 0x0027_e0eb: "cgroup"
    case 0x6367_7270: "cgroup2"
    case 0x6265_6572: "sysfs"
    case 0x9fa0: "proc"
    case 0x1cd1: "devpts"
    case 0x9584_58f6: "hugetlbfs"
    case 0x2011_bab0: "exfat"
    default: ""
    }
  }
}
