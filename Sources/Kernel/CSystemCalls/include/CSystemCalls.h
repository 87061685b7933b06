// Owns the system calls, macros and layouts that the Glibc module does not carry to Swift.
// Every function gives the call's result, or -errno. No logic here, and no libc header, whose types differ by
// feature macro from those of the Glibc module.
#ifndef LILIUM_CSYSTEMCALLS_H
#define LILIUM_CSYSTEMCALLS_H

#include <stddef.h>
#include <stdint.h>

/* What Lilium keeps of struct statx (statx(2)). */
struct lil_status {
    uint32_t device_major, device_minor;
    uint64_t inode, size;
    uint32_t owner, group, links;
    uint64_t mount; /* mount id, 0 where the kernel does not say (before 5.8) */
    uint16_t mode; /* with the file type */
    int64_t change_seconds;
    uint32_t change_nanoseconds;
};

struct lil_filesystem {
    uint64_t type;  /* f_type, statfs(2) */
    uint64_t flags; /* f_flags, ST_* */
    uint64_t identity; /* f_fsid, as fanotify reports it */
};

struct lil_peer { int pid; unsigned uid, gid; };

#define LIL_HANDLE_BYTES 128
/* Room for struct file_handle and its bytes (open_by_handle_at(2)). */
struct lil_handle {
    uint64_t words[(8 + LIL_HANDLE_BYTES) / 8];
};

/* statx(2) without asking a file server anew and without triggering an automount; an empty path means the descriptor. */
int lil_statx(int directory, const char *path, int follow, struct lil_status *out);
int lil_fstatfs(int descriptor, struct lil_filesystem *out);
/* The id of a mount that no other has had since boot (statx(2), STATX_MNT_ID_UNIQUE, since Linux 6.8). */
int lil_unique_mount(int descriptor, uint64_t *out);
#define LIL_UUID_BYTES 16
/* The UUID of the btrfs that holds an open file (ioctl(2), BTRFS_IOC_FS_INFO), by which sysfs names it. */
int lil_btrfs_uuid(int descriptor, uint8_t out[LIL_UUID_BYTES]);

/* Adds O_CLOEXEC. */
int lil_openat(int directory, const char *path, int flags, unsigned mode);
/* pread that fails with EAGAIN where the content is not in memory (preadv2(2), RWF_NOWAIT). */
long lil_pread_nowait(int descriptor, void *buffer, size_t count, int64_t offset);
/* name_to_handle_at(2) on the descriptor itself; the mount id is not kept. */
int lil_handle_of(int descriptor, struct lil_handle *out);
/* open_by_handle_at(2) with O_PATH. */
int lil_open_handle(int mount, struct lil_handle *handle);
/* struct file_handle from its parts, as fanotify reports them; -EOVERFLOW where there are too many bytes. */
int lil_handle_from(int type, const void *bytes, size_t count, struct lil_handle *out);

/* fcntl(2), F_SETSIG: the signal that tells the holder of a lease to give way; 0 is SIGIO, which ends a process. */
int lil_set_lease_signal(int descriptor, int number);
/* fcntl(2), F_SETLEASE with F_RDLCK, and with F_UNLCK. */
int lil_take_read_lease(int descriptor);
int lil_drop_lease(int descriptor);

#define LIL_VERITY_BYTES 64
struct lil_verity {
    uint16_t algorithm, count;
    uint8_t bytes[LIL_VERITY_BYTES];
};
/* ioctl(2), FS_IOC_MEASURE_VERITY (since Linux 5.4). */
int lil_measure_verity(int descriptor, struct lil_verity *out);

int lil_undumpable(void);
int lil_name_thread(const char *name);
/* Locks pages as they are touched, so that thread stacks cost only what they use (mlockall(2), MCL_ONFAULT). */
int lil_lock_memory(void);
/* Blocks of `size` bytes and more are mapped one by one, and unmapped when they are freed (mallopt(3)). */
void lil_return_large_blocks(int size);
int lil_eventfd(void);
/* Blocking, counts down by one a read. */
int lil_semaphore(void);
int lil_eventfd_wake(int descriptor);
int lil_eventfd_clear(int descriptor);
/* A descriptor that is readable when CLOCK_REALTIME was set (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). */
int lil_clock_watch(void);
/* 1 where the clock was set since the last call, 0 where not, or -errno. */
int lil_clock_was_set(int descriptor);
/* Blocks the signals in the calling thread and gives a descriptor that reads them. */
int lil_signalfd(const int *signals, unsigned count);
/* The signal's number from a signalfd, or -errno. */
int lil_signalfd_read(int descriptor);
void lil_ignore_signal(int number);
/* As in KILL (sigabbrev_np(3)); NULL where the number has no name, as those of real-time signals. */
const char *lil_signal_name(int number);
/* In the calling thread. */
int lil_unblock_signal(int number);

/* A handler that does nothing, without SA_RESTART: the signal only makes a blocking call return EINTR. */
int lil_interrupting_signal(int number);
/* Raises the soft limit of descriptors towards `wanted`; `out` is the limit in force. */
int lil_descriptor_limit(uint64_t wanted, uint64_t *out);
/* openat2(2) with O_PATH, since Linux 5.6: raises no event. -ELOOP where the path leads through a magic link of /proc.
   With in_root the directory stands for the root folder, also for links. */
int lil_open_beneath(int directory, const char *path, int in_root);
/* openat2(2) with O_PATH and O_NOFOLLOW of what the kernel has in memory, since Linux 5.12: -EAGAIN where a file system
   would have to be asked, and now and then where mounts change meanwhile; -EINVAL or -ENOSYS before. */
int lil_open_cached(const char *path);
/* close_range(2), since Linux 5.9. */
int lil_close_range(int first, int last);
int lil_set_nonblocking(int descriptor);
int lil_unix_socket(int datagram, int nonblocking);
int lil_unix_bind(int socket, const char *path);
int lil_unix_connect(int socket, const char *path);
int lil_accept(int listener);
/* Two connected sockets that keep messages apart and never block (socketpair(2), SOCK_SEQPACKET). */
int lil_socket_pair(int out[2]);
long lil_send(int socket, const void *bytes, size_t count);
int lil_peer_of(int descriptor, struct lil_peer *out);
/* A pidfd of the process that connected (unix(7), SO_PEERPIDFD, since Linux 6.5); -ENOPROTOOPT before. */
int lil_peer_pidfd(int descriptor);
/* Supplementary groups of the peer (unix(7), SO_PEERGROUPS); their count, or -errno. */
int lil_peer_groups(int descriptor, uint32_t *groups, unsigned capacity);

/* pidfd_open(2), since Linux 5.3; a pidfd is readable once the process has ended. */
int lil_pidfd_open(int pid);
/* SIGKILL by pidfd_send_signal(2). */
int lil_pidfd_kill(int descriptor);
/* pidfd_send_signal(2), since Linux 5.1. */
int lil_pidfd_signal(int descriptor, int number);
/* The calling thread gets a root and working folder of its own (unshare(2), CLONE_FS). */
int lil_own_file_tree(void);
/* The calling thread enters a mount namespace (setns(2)); it must have a file tree of its own. */
int lil_enter_mounts(int mount_namespace);
int lil_fchdir(int folder);
/* The id of the mount that an open file is on, without asking its file system (statx(2), no mask; since Linux 5.8). */
int64_t lil_mount_id(int descriptor);
/* umount2(2) with MNT_DETACH and UMOUNT_NOFOLLOW. */
int lil_detach_mount(const char *path);

/* A program to start: its descriptors 3, 4, ... are to be these, and it gets no others beside 0, 1 and 2. */
struct lil_program {
    const char *path;
    char *const *arguments, *const *environment;
    const int *descriptors;
    unsigned count;
    int error; /* of the child until it is another program */
};
/* Starts it as a child of the caller's own parent (clone(2), CLONE_PARENT) with no signal blocked or ignored, and waits
   until it runs. Its process id; `pidfd` is its pidfd. A refused execve(2) is -errno, and leaves no process. */
int lil_start_sibling(struct lil_program *program, int *pidfd);

/* Calls that leave everything as it is, made to see who hears of them. */
/* ptrace(2), PTRACE_ATTACH of pid 0, which is nobody's: ESRCH. */
int lil_attach_nobody(void);
/* mmap(2) of a page of zeroes that may be executed, and munmap(2) of it. */
int lil_map_code(void);
/* delete_module(2) of a module that does not exist, without waiting: ENOENT. */
int lil_delete_no_module(void);
/* kexec_load(2) with more segments than there may be, unknown flags and no machine's number: EINVAL, thrice. */
int lil_load_no_kernel(void);
/* umount2(2) with flags that do not exist, of a path that does not: EINVAL. */
int lil_unmount_nothing(void);
/* unshare(2), CLONE_NEWUTS: of the calling process alone. */
int lil_unshare_hostname(void);
/* ioctl(2) on no descriptor: EBADF. */
int lil_control_nothing(unsigned long request);

#endif
