// Owns the numbers that this machine's C headers give to ptrace(2) and ioctl(2) requests, for a test to compare.
// It must not hold a number of its own; a name that the headers lack is left out.

#include "CRequestNumbers.h"

#include <stddef.h>
// glibc's own names of the requests are an enumeration: the kernel's are macros.
#include <asm/ptrace.h>
#include <linux/ptrace.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <linux/tty.h>
#include <linux/vt.h>
#include <linux/kd.h>
#include <linux/loop.h>
#include <linux/dm-ioctl.h>
#include <linux/nvme_ioctl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <linux/rtc.h>
#include <linux/input.h>
#include <linux/uinput.h>
#include <linux/sockios.h>
#include <linux/perf_event.h>
#include <linux/fuse.h>
#include <linux/btrfs.h>
#include <linux/usbdevice_fs.h>
#include <linux/hdreg.h>
#include <linux/fscrypt.h>
#include <linux/random.h>
#include <linux/nbd.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <linux/watchdog.h>
#include <linux/userfaultfd.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <linux/cdrom.h>
#include <linux/mmc/ioctl.h>
#include <linux/blkpg.h>
#include <scsi/sg.h>
#include <linux/types.h>

struct request {
  const char *name;
  uint64_t number;
};

#define REQUEST(name) {#name, (uint32_t)(name)},

static const struct request ptrace_requests[] = {
#ifdef PTRACE_TRACEME
    REQUEST(PTRACE_TRACEME)
#endif
#ifdef PTRACE_PEEKTEXT
    REQUEST(PTRACE_PEEKTEXT)
#endif
#ifdef PTRACE_PEEKDATA
    REQUEST(PTRACE_PEEKDATA)
#endif
    {"PTRACE_PEEKUSER", PTRACE_PEEKUSR},
#ifdef PTRACE_POKETEXT
    REQUEST(PTRACE_POKETEXT)
#endif
#ifdef PTRACE_POKEDATA
    REQUEST(PTRACE_POKEDATA)
#endif
    {"PTRACE_POKEUSER", PTRACE_POKEUSR},
#ifdef PTRACE_CONT
    REQUEST(PTRACE_CONT)
#endif
#ifdef PTRACE_KILL
    REQUEST(PTRACE_KILL)
#endif
#ifdef PTRACE_SINGLESTEP
    REQUEST(PTRACE_SINGLESTEP)
#endif
#ifdef PTRACE_GETREGS
    REQUEST(PTRACE_GETREGS)
#endif
#ifdef PTRACE_SETREGS
    REQUEST(PTRACE_SETREGS)
#endif
#ifdef PTRACE_GETFPREGS
    REQUEST(PTRACE_GETFPREGS)
#endif
#ifdef PTRACE_SETFPREGS
    REQUEST(PTRACE_SETFPREGS)
#endif
#ifdef PTRACE_ATTACH
    REQUEST(PTRACE_ATTACH)
#endif
#ifdef PTRACE_DETACH
    REQUEST(PTRACE_DETACH)
#endif
#ifdef PTRACE_SYSCALL
    REQUEST(PTRACE_SYSCALL)
#endif
#ifdef PTRACE_GET_THREAD_AREA
    REQUEST(PTRACE_GET_THREAD_AREA)
#endif
#ifdef PTRACE_SET_THREAD_AREA
    REQUEST(PTRACE_SET_THREAD_AREA)
#endif
#ifdef PTRACE_ARCH_PRCTL
    REQUEST(PTRACE_ARCH_PRCTL)
#endif
#ifdef PTRACE_SYSEMU
    REQUEST(PTRACE_SYSEMU)
#endif
#ifdef PTRACE_SYSEMU_SINGLESTEP
    REQUEST(PTRACE_SYSEMU_SINGLESTEP)
#endif
#ifdef PTRACE_SINGLEBLOCK
    REQUEST(PTRACE_SINGLEBLOCK)
#endif
#ifdef PTRACE_SETOPTIONS
    REQUEST(PTRACE_SETOPTIONS)
#endif
#ifdef PTRACE_GETEVENTMSG
    REQUEST(PTRACE_GETEVENTMSG)
#endif
#ifdef PTRACE_GETSIGINFO
    REQUEST(PTRACE_GETSIGINFO)
#endif
#ifdef PTRACE_SETSIGINFO
    REQUEST(PTRACE_SETSIGINFO)
#endif
#ifdef PTRACE_GETREGSET
    REQUEST(PTRACE_GETREGSET)
#endif
#ifdef PTRACE_SETREGSET
    REQUEST(PTRACE_SETREGSET)
#endif
#ifdef PTRACE_SEIZE
    REQUEST(PTRACE_SEIZE)
#endif
#ifdef PTRACE_INTERRUPT
    REQUEST(PTRACE_INTERRUPT)
#endif
#ifdef PTRACE_LISTEN
    REQUEST(PTRACE_LISTEN)
#endif
#ifdef PTRACE_PEEKSIGINFO
    REQUEST(PTRACE_PEEKSIGINFO)
#endif
#ifdef PTRACE_GETSIGMASK
    REQUEST(PTRACE_GETSIGMASK)
#endif
#ifdef PTRACE_SETSIGMASK
    REQUEST(PTRACE_SETSIGMASK)
#endif
#ifdef PTRACE_SECCOMP_GET_FILTER
    REQUEST(PTRACE_SECCOMP_GET_FILTER)
#endif
#ifdef PTRACE_SECCOMP_GET_METADATA
    REQUEST(PTRACE_SECCOMP_GET_METADATA)
#endif
#ifdef PTRACE_GET_SYSCALL_INFO
    REQUEST(PTRACE_GET_SYSCALL_INFO)
#endif
#ifdef PTRACE_GET_RSEQ_CONFIGURATION
    REQUEST(PTRACE_GET_RSEQ_CONFIGURATION)
#endif
};

static const struct request ioctl_requests[] = {
#ifdef TIOCSTI
    REQUEST(TIOCSTI)
#endif
#ifdef TIOCLINUX
    REQUEST(TIOCLINUX)
#endif
#ifdef TIOCCONS
    REQUEST(TIOCCONS)
#endif
#ifdef TIOCSETD
    REQUEST(TIOCSETD)
#endif
#ifdef TIOCSCTTY
    REQUEST(TIOCSCTTY)
#endif
#ifdef TIOCVHANGUP
    REQUEST(TIOCVHANGUP)
#endif
#ifdef TIOCSPTLCK
    REQUEST(TIOCSPTLCK)
#endif
#ifdef TIOCGPTPEER
    REQUEST(TIOCGPTPEER)
#endif
#ifdef TIOCSSERIAL
    REQUEST(TIOCSSERIAL)
#endif
#ifdef KDSETLED
    REQUEST(KDSETLED)
#endif
#ifdef KDSETMODE
    REQUEST(KDSETMODE)
#endif
#ifdef KDSKBMODE
    REQUEST(KDSKBMODE)
#endif
#ifdef KDSKBENT
    REQUEST(KDSKBENT)
#endif
#ifdef KDSKBSENT
    REQUEST(KDSKBSENT)
#endif
#ifdef VT_ACTIVATE
    REQUEST(VT_ACTIVATE)
#endif
#ifdef VT_LOCKSWITCH
    REQUEST(VT_LOCKSWITCH)
#endif
#ifdef VT_UNLOCKSWITCH
    REQUEST(VT_UNLOCKSWITCH)
#endif
#ifdef FIBMAP
    REQUEST(FIBMAP)
#endif
#ifdef FIFREEZE
    REQUEST(FIFREEZE)
#endif
#ifdef FITHAW
    REQUEST(FITHAW)
#endif
#ifdef FITRIM
    REQUEST(FITRIM)
#endif
#ifdef FICLONE
    REQUEST(FICLONE)
#endif
#ifdef FICLONERANGE
    REQUEST(FICLONERANGE)
#endif
#ifdef FIDEDUPERANGE
    REQUEST(FIDEDUPERANGE)
#endif
#ifdef FS_IOC_GETFLAGS
    REQUEST(FS_IOC_GETFLAGS)
#endif
#ifdef FS_IOC_SETFLAGS
    REQUEST(FS_IOC_SETFLAGS)
#endif
#ifdef FS_IOC_SETVERSION
    REQUEST(FS_IOC_SETVERSION)
#endif
#ifdef FS_IOC_FSSETXATTR
    REQUEST(FS_IOC_FSSETXATTR)
#endif
#ifdef FS_IOC_SETFSLABEL
    REQUEST(FS_IOC_SETFSLABEL)
#endif
#ifdef FS_IOC_ADD_ENCRYPTION_KEY
    REQUEST(FS_IOC_ADD_ENCRYPTION_KEY)
#endif
#ifdef FS_IOC_REMOVE_ENCRYPTION_KEY
    REQUEST(FS_IOC_REMOVE_ENCRYPTION_KEY)
#endif
#ifdef BTRFS_IOC_SNAP_CREATE
    REQUEST(BTRFS_IOC_SNAP_CREATE)
#endif
#ifdef BTRFS_IOC_SNAP_CREATE_V2
    REQUEST(BTRFS_IOC_SNAP_CREATE_V2)
#endif
#ifdef BTRFS_IOC_SNAP_DESTROY
    REQUEST(BTRFS_IOC_SNAP_DESTROY)
#endif
#ifdef BTRFS_IOC_SUBVOL_CREATE
    REQUEST(BTRFS_IOC_SUBVOL_CREATE)
#endif
#ifdef FUSE_DEV_IOC_CLONE
    REQUEST(FUSE_DEV_IOC_CLONE)
#endif
#ifdef BLKROSET
    REQUEST(BLKROSET)
#endif
#ifdef BLKRRPART
    REQUEST(BLKRRPART)
#endif
#ifdef BLKFLSBUF
    REQUEST(BLKFLSBUF)
#endif
#ifdef BLKPG
    REQUEST(BLKPG)
#endif
#ifdef BLKBSZSET
    REQUEST(BLKBSZSET)
#endif
#ifdef BLKDISCARD
    REQUEST(BLKDISCARD)
#endif
#ifdef BLKSECDISCARD
    REQUEST(BLKSECDISCARD)
#endif
#ifdef BLKZEROOUT
    REQUEST(BLKZEROOUT)
#endif
#ifdef LOOP_SET_FD
    REQUEST(LOOP_SET_FD)
#endif
#ifdef LOOP_CLR_FD
    REQUEST(LOOP_CLR_FD)
#endif
#ifdef LOOP_SET_STATUS64
    REQUEST(LOOP_SET_STATUS64)
#endif
#ifdef LOOP_CHANGE_FD
    REQUEST(LOOP_CHANGE_FD)
#endif
#ifdef LOOP_CONFIGURE
    REQUEST(LOOP_CONFIGURE)
#endif
#ifdef LOOP_CTL_ADD
    REQUEST(LOOP_CTL_ADD)
#endif
#ifdef LOOP_CTL_REMOVE
    REQUEST(LOOP_CTL_REMOVE)
#endif
#ifdef LOOP_CTL_GET_FREE
    REQUEST(LOOP_CTL_GET_FREE)
#endif
#ifdef SG_IO
    REQUEST(SG_IO)
#endif
#ifdef HDIO_DRIVE_TASKFILE
    REQUEST(HDIO_DRIVE_TASKFILE)
#endif
#ifdef HDIO_DRIVE_CMD
    REQUEST(HDIO_DRIVE_CMD)
#endif
#ifdef CDROM_SEND_PACKET
    REQUEST(CDROM_SEND_PACKET)
#endif
#ifdef DM_REMOVE_ALL
    REQUEST(DM_REMOVE_ALL)
#endif
#ifdef DM_DEV_CREATE
    REQUEST(DM_DEV_CREATE)
#endif
#ifdef DM_DEV_REMOVE
    REQUEST(DM_DEV_REMOVE)
#endif
#ifdef DM_DEV_RENAME
    REQUEST(DM_DEV_RENAME)
#endif
#ifdef DM_DEV_SUSPEND
    REQUEST(DM_DEV_SUSPEND)
#endif
#ifdef DM_TABLE_LOAD
    REQUEST(DM_TABLE_LOAD)
#endif
#ifdef DM_TABLE_CLEAR
    REQUEST(DM_TABLE_CLEAR)
#endif
#ifdef DM_TARGET_MSG
    REQUEST(DM_TARGET_MSG)
#endif
#ifdef NVME_IOCTL_ADMIN_CMD
    REQUEST(NVME_IOCTL_ADMIN_CMD)
#endif
#ifdef NVME_IOCTL_IO_CMD
    REQUEST(NVME_IOCTL_IO_CMD)
#endif
#ifdef NVME_IOCTL_ADMIN64_CMD
    REQUEST(NVME_IOCTL_ADMIN64_CMD)
#endif
#ifdef NVME_IOCTL_RESET
    REQUEST(NVME_IOCTL_RESET)
#endif
#ifdef MMC_IOC_CMD
    REQUEST(MMC_IOC_CMD)
#endif
#ifdef NBD_SET_SOCK
    REQUEST(NBD_SET_SOCK)
#endif
#ifdef NBD_DO_IT
    REQUEST(NBD_DO_IT)
#endif
#ifdef STOP_ARRAY
    REQUEST(STOP_ARRAY)
#endif
#ifdef KVM_CREATE_VM
    REQUEST(KVM_CREATE_VM)
#endif
#ifdef VFIO_SET_IOMMU
    REQUEST(VFIO_SET_IOMMU)
#endif
#ifdef VFIO_GROUP_SET_CONTAINER
    REQUEST(VFIO_GROUP_SET_CONTAINER)
#endif
#ifdef VFIO_GROUP_GET_DEVICE_FD
    REQUEST(VFIO_GROUP_GET_DEVICE_FD)
#endif
#ifdef VFIO_IOMMU_MAP_DMA
    REQUEST(VFIO_IOMMU_MAP_DMA)
#endif
#ifdef VHOST_SET_OWNER
    REQUEST(VHOST_SET_OWNER)
#endif
#ifdef RTC_SET_TIME
    REQUEST(RTC_SET_TIME)
#endif
#ifdef RTC_WKALM_SET
    REQUEST(RTC_WKALM_SET)
#endif
#ifdef WDIOC_SETOPTIONS
    REQUEST(WDIOC_SETOPTIONS)
#endif
#ifdef EVIOCGRAB
    REQUEST(EVIOCGRAB)
#endif
#ifdef UI_DEV_CREATE
    REQUEST(UI_DEV_CREATE)
#endif
#ifdef UI_DEV_SETUP
    REQUEST(UI_DEV_SETUP)
#endif
#ifdef USBDEVFS_RESET
    REQUEST(USBDEVFS_RESET)
#endif
#ifdef USBDEVFS_CONTROL
    REQUEST(USBDEVFS_CONTROL)
#endif
#ifdef USBDEVFS_CLAIMINTERFACE
    REQUEST(USBDEVFS_CLAIMINTERFACE)
#endif
#ifdef I2C_SLAVE_FORCE
    REQUEST(I2C_SLAVE_FORCE)
#endif
#ifdef I2C_RDWR
    REQUEST(I2C_RDWR)
#endif
#ifdef RNDADDENTROPY
    REQUEST(RNDADDENTROPY)
#endif
#ifdef RNDCLEARPOOL
    REQUEST(RNDCLEARPOOL)
#endif
#ifdef PERF_EVENT_IOC_SET_FILTER
    REQUEST(PERF_EVENT_IOC_SET_FILTER)
#endif
#ifdef PERF_EVENT_IOC_SET_BPF
    REQUEST(PERF_EVENT_IOC_SET_BPF)
#endif
#ifdef USERFAULTFD_IOC_NEW
    REQUEST(USERFAULTFD_IOC_NEW)
#endif
#ifdef TUNSETIFF
    REQUEST(TUNSETIFF)
#endif
#ifdef TUNSETPERSIST
    REQUEST(TUNSETPERSIST)
#endif
#ifdef TUNSETOWNER
    REQUEST(TUNSETOWNER)
#endif
#ifdef SIOCADDRT
    REQUEST(SIOCADDRT)
#endif
#ifdef SIOCDELRT
    REQUEST(SIOCDELRT)
#endif
#ifdef SIOCSIFFLAGS
    REQUEST(SIOCSIFFLAGS)
#endif
#ifdef SIOCSIFADDR
    REQUEST(SIOCSIFADDR)
#endif
#ifdef SIOCSIFNETMASK
    REQUEST(SIOCSIFNETMASK)
#endif
#ifdef SIOCSIFMTU
    REQUEST(SIOCSIFMTU)
#endif
#ifdef SIOCSIFNAME
    REQUEST(SIOCSIFNAME)
#endif
#ifdef SIOCSIFHWADDR
    REQUEST(SIOCSIFHWADDR)
#endif
#ifdef SIOCSIFTXQLEN
    REQUEST(SIOCSIFTXQLEN)
#endif
#ifdef SIOCETHTOOL
    REQUEST(SIOCETHTOOL)
#endif
#ifdef SIOCDARP
    REQUEST(SIOCDARP)
#endif
#ifdef SIOCSARP
    REQUEST(SIOCSARP)
#endif
#ifdef SIOCSIFVLAN
    REQUEST(SIOCSIFVLAN)
#endif
#ifdef SIOCBRADDBR
    REQUEST(SIOCBRADDBR)
#endif
#ifdef SIOCBRDELBR
    REQUEST(SIOCBRDELBR)
#endif
#ifdef SIOCBRADDIF
    REQUEST(SIOCBRADDIF)
#endif
#ifdef SIOCBRDELIF
    REQUEST(SIOCBRDELIF)
#endif
};

// As a 32-bit program has them: a long and a pointer take four bytes.
static const struct request narrow_requests[] = {
    {"FS_IOC_GETFLAGS", (uint32_t)FS_IOC32_GETFLAGS},
    {"FS_IOC_SETFLAGS", (uint32_t)FS_IOC32_SETFLAGS},
    {"FS_IOC_SETVERSION", (uint32_t)FS_IOC32_SETVERSION},
    {"BLKBSZSET", (uint32_t)_IOW(0x12, 113, uint32_t)},
    // struct usbdevfs_ctrltransfer: eight bytes, a timeout, a pointer.
    {"USBDEVFS_CONTROL", (uint32_t)_IOC(_IOC_READ | _IOC_WRITE, 'U', 0, 16)},
    {"PERF_EVENT_IOC_SET_FILTER", (uint32_t)_IOW('$', 6, uint32_t)},
};

static const struct {
  const struct request *requests;
  size_t count;
} tables[] = {
    {ptrace_requests, sizeof ptrace_requests / sizeof ptrace_requests[0]},
    {ioctl_requests, sizeof ioctl_requests / sizeof ioctl_requests[0]},
    {narrow_requests, sizeof narrow_requests / sizeof narrow_requests[0]},
};

int lilium_request_count(int table) { return (int)tables[table].count; }
const char *lilium_request_name(int table, int index) { return tables[table].requests[index].name; }
uint64_t lilium_request_number(int table, int index) { return tables[table].requests[index].number; }
