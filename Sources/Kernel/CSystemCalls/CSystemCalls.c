#include "CSystemCalls.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <linux/btrfs.h>
#include <linux/fsverity.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static long lil_result(long value) { return value < 0 ? -errno : value; }


int lil_statx(int directory, const char *path, int follow, struct lil_status *out) {
    struct statx x;
    const int flags = path[0] == '\0' ? AT_EMPTY_PATH : follow ? 0 : AT_SYMLINK_NOFOLLOW;
    const int synced = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
    if (statx(directory, path, flags | synced, STATX_BASIC_STATS | STATX_MNT_ID, &x) < 0) return -errno;
    out->device_major = x.stx_dev_major;
    out->device_minor = x.stx_dev_minor;
    out->inode = x.stx_ino;
    out->size = x.stx_size;
    out->owner = x.stx_uid;
    out->group = x.stx_gid;
    out->links = x.stx_nlink;
    out->mount = x.stx_mask & STATX_MNT_ID ? x.stx_mnt_id : 0;
    out->mode = x.stx_mode;
    out->change_seconds = x.stx_ctime.tv_sec;
    out->change_nanoseconds = x.stx_ctime.tv_nsec;
    return 0;
}


int lil_fstatfs(int descriptor, struct lil_filesystem *out) {
    struct statfs s;
    if (fstatfs(descriptor, &s) < 0) return -errno;
    out->type = (uint64_t)s.f_type;
    out->flags = (uint64_t)s.f_flags;
    _Static_assert(sizeof s.f_fsid == sizeof out->identity, "f_fsid is two words");
    memcpy(&out->identity, &s.f_fsid, sizeof out->identity);
    return 0;
}

int lil_unique_mount(int descriptor, uint64_t *out) {
    struct statx x;
    const unsigned unique = 0x4000; /* STATX_MNT_ID_UNIQUE, which older headers lack */
    if (statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, unique, &x) < 0) return -errno;
    if (!(x.stx_mask & unique)) return -EOPNOTSUPP;
    *out = x.stx_mnt_id;
    return 0;
}

int lil_btrfs_uuid(int descriptor, uint8_t out[LIL_UUID_BYTES]) {
    struct btrfs_ioctl_fs_info_args info = {0};
    if (ioctl(descriptor, BTRFS_IOC_FS_INFO, &info) < 0) return -errno;
    _Static_assert(sizeof info.fsid == LIL_UUID_BYTES, "a UUID has 16 bytes");
    memcpy(out, info.fsid, LIL_UUID_BYTES);
    return 0;
}

int lil_openat(int directory, const char *path, int flags, unsigned mode) {
    int descriptor = openat(directory, path, flags | O_CLOEXEC, mode);
    return descriptor < 0 ? -errno : descriptor;
}

long lil_pread_nowait(int descriptor, void *buffer, size_t count, int64_t offset) {
    struct iovec part = {.iov_base = buffer, .iov_len = count};
    return lil_result(preadv2(descriptor, &part, 1, offset, RWF_NOWAIT));
}


int lil_handle_of(int descriptor, struct lil_handle *out) {
    int mount;
    struct file_handle *head = (struct file_handle *)out->words;
    head->handle_bytes = LIL_HANDLE_BYTES;
    return name_to_handle_at(descriptor, "", head, &mount, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int lil_open_handle(int mount, struct lil_handle *handle) {
    int descriptor = open_by_handle_at(mount, (struct file_handle *)handle->words, O_PATH | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int lil_handle_from(int type, const void *bytes, size_t count, struct lil_handle *out) {
    struct file_handle *head = (struct file_handle *)out->words;
    if (count > LIL_HANDLE_BYTES) return -EOVERFLOW;
    head->handle_bytes = (unsigned)count;
    head->handle_type = type;
    memcpy(head->f_handle, bytes, count);
    return 0;
}

int lil_set_lease_signal(int descriptor, int number) { return (int)lil_result(fcntl(descriptor, F_SETSIG, number)); }

int lil_take_read_lease(int descriptor) { return (int)lil_result(fcntl(descriptor, F_SETLEASE, F_RDLCK)); }

int lil_drop_lease(int descriptor) { return (int)lil_result(fcntl(descriptor, F_SETLEASE, F_UNLCK)); }

int lil_measure_verity(int descriptor, struct lil_verity *out) {
    _Alignas(struct fsverity_digest) uint8_t room[sizeof(struct fsverity_digest) + LIL_VERITY_BYTES] = {0};
    struct fsverity_digest *measured = (struct fsverity_digest *)room;
    measured->digest_size = LIL_VERITY_BYTES;
    if (ioctl(descriptor, FS_IOC_MEASURE_VERITY, measured) < 0) return -errno;
    if (measured->digest_size > LIL_VERITY_BYTES) return -EOVERFLOW;
    out->algorithm = measured->digest_algorithm;
    out->count = measured->digest_size;
    memcpy(out->bytes, room + sizeof *measured, out->count);
    return 0;
}

int lil_undumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0; }

int lil_name_thread(const char *name) {
    return prctl(PR_SET_NAME, (unsigned long)name, 0, 0, 0) < 0 ? -errno : 0;
}

void lil_return_large_blocks(int size) { mallopt(M_MMAP_THRESHOLD, size); }

int lil_lock_memory(void) {
    return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0 ? -errno : 0;
}

int lil_eventfd(void) { return (int)lil_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int lil_clock_watch(void) {
    int descriptor = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (descriptor < 0) return -errno;
    /* It never fires in our days: only the setting of the clock ends it. */
    const struct itimerspec never = {.it_value = {.tv_sec = 9000000000}};
    if (timerfd_settime(descriptor, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0) {
        int error = errno;
        close(descriptor);
        return -error;
    }
    return descriptor;
}

int lil_clock_was_set(int descriptor) {
    uint64_t count;
    if (read(descriptor, &count, sizeof count) >= 0 || errno == EAGAIN) return 0;
    return errno == ECANCELED ? 1 : -errno;
}

int lil_semaphore(void) { return (int)lil_result(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)); }

int lil_eventfd_wake(int descriptor) {
    uint64_t one = 1;
    return (int)lil_result(write(descriptor, &one, sizeof one));
}

int lil_eventfd_clear(int descriptor) {
    uint64_t value;
    return (int)lil_result(read(descriptor, &value, sizeof value));
}

int lil_signalfd(const int *signals, unsigned count) {
    sigset_t set;
    sigemptyset(&set);
    for (unsigned i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    return error ? -error : (int)lil_result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int lil_signalfd_read(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t got = read(descriptor, &info, sizeof info);
    if (got < 0) return -errno;
    return got == (ssize_t)sizeof info ? (int)info.ssi_signo : -EIO;
}

void lil_ignore_signal(int number) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(number, &action, NULL);
}

static void lil_nothing(int number) { (void)number; }

int lil_unblock_signal(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int lil_interrupting_signal(int number) {
    struct sigaction action = {.sa_handler = lil_nothing};
    return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

int lil_descriptor_limit(uint64_t wanted, uint64_t *out) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < wanted) {
        struct rlimit more = {.rlim_cur = wanted, .rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max};
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &more) < 0) setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    *out = limit.rlim_cur;
    return 0;
}

static int address_of(const char *path, struct sockaddr_un *out) {
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof out->sun_path) return -ENAMETOOLONG;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, length);
    return 0;
}

const char *lil_signal_name(int number) { return sigabbrev_np(number); }

int lil_close_range(int first, int last) {
    return (int)lil_result(syscall(SYS_close_range, first, last, 0));
}

int lil_open_beneath(int directory, const char *path, int in_root) {
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS | (in_root ? RESOLVE_IN_ROOT : 0)};
    return (int)lil_result(syscall(SYS_openat2, directory, path, &how, sizeof how));
}

int lil_open_cached(const char *path) {
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_CACHED};
    return (int)lil_result(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how));
}

int lil_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int lil_unix_socket(int datagram, int nonblocking) {
    int type = (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
    return (int)lil_result(socket(AF_UNIX, type, 0));
}

int lil_unix_bind(int socket, const char *path) {
    struct sockaddr_un address;
    int error = address_of(path, &address);
    return error ? error : (int)lil_result(bind(socket, (struct sockaddr *)&address, sizeof address));
}

int lil_unix_connect(int socket, const char *path) {
    struct sockaddr_un address;
    int error = address_of(path, &address);
    return error ? error : (int)lil_result(connect(socket, (struct sockaddr *)&address, sizeof address));
}

int lil_accept(int listener) { return (int)lil_result(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)); }

long lil_send(int socket, const void *bytes, size_t count) {
    return lil_result(send(socket, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT));
}

int lil_socket_pair(int out[2]) {
    return (int)lil_result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out));
}

int lil_peer_of(int descriptor, struct lil_peer *out) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    out->pid = peer.pid;
    out->uid = peer.uid;
    out->gid = peer.gid;
    return 0;
}

int lil_peer_pidfd(int descriptor) {
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
    int pidfd = -1;
    socklen_t length = sizeof pidfd;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) < 0) return -errno;
    return pidfd;
}

int lil_peer_groups(int descriptor, uint32_t *groups, unsigned capacity) {
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
    socklen_t length = capacity * sizeof *groups;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0) return -errno;
    return (int)(length / sizeof *groups);
}

int lil_pidfd_open(int pid) { return (int)lil_result(syscall(SYS_pidfd_open, pid, 0)); }

int lil_pidfd_kill(int descriptor) {
    return (int)lil_result(syscall(SYS_pidfd_send_signal, descriptor, SIGKILL, NULL, 0));
}

int lil_pidfd_signal(int descriptor, int number) {
    return (int)lil_result(syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0));
}

/* In the child, which shares the memory of the thread that waits for it and has descriptors and signals of its own. */
static int lil_become(void *argument) {
    struct lil_program *program = argument;
    const int above = 64; /* Where no number that is wanted can be. */
    int held[16];
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < NSIG; number++) sigaction(number, &usual, NULL);
    for (unsigned i = 0; i < program->count; i++) {
        held[i] = fcntl(program->descriptors[i], F_DUPFD_CLOEXEC, above);
        if (held[i] < 0) goto failed;
    }
    for (unsigned i = 0; i < program->count; i++)
        if (dup2(held[i], 3 + (int)i) < 0) goto failed;
    if (syscall(SYS_close_range, 3 + program->count, ~0U, 0) < 0) goto failed;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    execve(program->path, program->arguments, program->environment);
failed:
    program->error = errno;
    _exit(127);
}

int lil_start_sibling(struct lil_program *program, int *pidfd) {
    const size_t size = 64 << 10;
    sigset_t all, before;
    if (program->count > 16) return -E2BIG;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    program->error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pid = (int)lil_result(
        clone(lil_become, stack + size, CLONE_VM | CLONE_VFORK | CLONE_PARENT | CLONE_PIDFD | SIGCHLD, program, pidfd));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, size);
    if (pid < 0 || program->error == 0) return pid;
    close(*pidfd);
    return -program->error;
}

int lil_own_file_tree(void) { return unshare(CLONE_FS) < 0 ? -errno : 0; }

int lil_enter_mounts(int mount_namespace) { return setns(mount_namespace, CLONE_NEWNS) < 0 ? -errno : 0; }

int lil_fchdir(int folder) { return fchdir(folder) < 0 ? -errno : 0; }

int64_t lil_mount_id(int descriptor) {
    struct statx status = {0};
    /* Nothing is asked of the file system itself: one of another user's refuses even root. */
    if (statx(descriptor, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &status) < 0) return -errno;
    return status.stx_mask & STATX_MNT_ID ? (int64_t)status.stx_mnt_id : -EOPNOTSUPP;
}

int lil_detach_mount(const char *path) { return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 ? -errno : 0; }

int lil_attach_nobody(void) { return (int)lil_result(syscall(SYS_ptrace, PTRACE_ATTACH, 0, NULL, NULL)); }

int lil_map_code(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED || munmap(page, 4096) < 0 ? -errno : 0;
}

int lil_delete_no_module(void) { return (int)lil_result(syscall(SYS_delete_module, "lilium-no-module", O_NONBLOCK)); }

int lil_load_no_kernel(void) { return (int)lil_result(syscall(SYS_kexec_load, 0UL, 1UL << 20, NULL, 0xffff8000UL)); }

int lil_unmount_nothing(void) { return (int)lil_result(syscall(SYS_umount2, "/lilium-no-mount", 0x7fff0000)); }

int lil_unshare_hostname(void) { return unshare(CLONE_NEWUTS) < 0 ? -errno : 0; }

int lil_control_nothing(unsigned long request) { return (int)lil_result(ioctl(-1, request, 0)); }
