#include "CStallGuard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* How often the guard looks. It counts looks, not time: after a pause of the whole machine one look has passed. */
#define LIL_GUARD_LOOK 100

struct lil_guard_page {
    _Atomic uint64_t pulses;
    _Atomic uint32_t limit;
};

struct lil_guard_page *lil_guard_page(void) {
    void *page = mmap(NULL, sizeof(struct lil_guard_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

void lil_guard_pulse(struct lil_guard_page *page) {
    atomic_fetch_add_explicit(&page->pulses, 1, memory_order_relaxed);
}

void lil_guard_limit(struct lil_guard_page *page, uint32_t milliseconds) {
    atomic_store_explicit(&page->limit, milliseconds, memory_order_relaxed);
}

/* The kernel's log takes a line without waiting for anybody; the journal may be what waits. */
static void lil_guard_tell(int log, int guarded, unsigned milliseconds) {
    char line[160];
    int length = snprintf(
        line, sizeof line, "<3>liliumd-guard: liliumd[%d] stood still for %u ms; killed, so that the host goes on\n",
        guarded, milliseconds);
    if (log >= 0 && write(log, line, (size_t)length) < 0) return;
}

/* One user may end another process of hers without any capability. */
static void lil_guard_give_up_powers(void) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    syscall(SYS_capset, &head, none);
}

static _Noreturn void lil_guard_look(struct lil_guard_page *page, int process, int log, int guarded) {
    uint64_t last = 0;
    uint32_t still = 0;
    while (1) {
        struct pollfd end = {.fd = process, .events = POLLIN};
        if (poll(&end, 1, LIL_GUARD_LOOK) > 0) _exit(0);
        uint64_t pulses = atomic_load_explicit(&page->pulses, memory_order_relaxed);
        uint32_t limit = atomic_load_explicit(&page->limit, memory_order_relaxed);
        still = pulses == last && limit > 0 ? still + LIL_GUARD_LOOK : 0;
        last = pulses;
        if (limit == 0 || still < limit) continue;
        syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
        lil_guard_tell(log, guarded, still);
        still = 0;
    }
}

/* Keeps the process handle and the log as 3 and 4, and nothing else: a fanotify group that the guard held open would
   go on asking when the process that answers is dead. */
static void lil_guard_keep(int process, int log) {
    int kept = fcntl(process, F_DUPFD, 5), kept_log = log < 0 ? -1 : fcntl(log, F_DUPFD, 5);
    dup2(kept, 3);
    if (kept_log >= 0) dup2(kept_log, 4); else close(4);
    syscall(SYS_close_range, 5U, ~0U, 0U);
    for (int standard = 0; standard < 3; standard++) close(standard);
}

int lil_guard_start(struct lil_guard_page *page) {
    int guarded = getpid();
    int process = (int)syscall(SYS_pidfd_open, guarded, 0);
    if (process < 0) return -errno;
    int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int child = fork(), error = errno;
    if (child == 0) {
        lil_guard_keep(process, log);
        prctl(PR_SET_NAME, "liliumd-guard");
        lil_guard_give_up_powers();
        lil_guard_look(page, 3, log < 0 ? -1 : 4, guarded);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(process);
    if (log >= 0) close(log);
    return child < 0 ? -error : child;
}

int lil_guard_runs(int pid) {
    int ended = waitpid(pid, NULL, WNOHANG);
    return ended < 0 ? -errno : ended == 0;
}
