// Owns a small C program that makes one system call that is a door, says its number, and waits to be contained.
// It must not do harm where nobody contains it: modules and kernels that it asks for do not exist.

enum CallProgram {
  /// `lilcaller CALL [ARGUMENT]...`: prints `PID RESULT ERRNO`, waits a moment, and ends with status 0.
  static let source = """
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <linux/sched.h>
    #include <sched.h>
    #include <signal.h>
    #include <stdint.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/ioctl.h>
    #include <sys/mman.h>
    #include <sys/mount.h>
    #include <sys/prctl.h>
    #include <sys/ptrace.h>
    #include <sys/syscall.h>
    #include <sys/uio.h>
    #include <sys/wait.h>
    #include <unistd.h>

    static pid_t victim(void) {
        pid_t child = fork();
        if (child == 0) { prctl(PR_SET_PDEATHSIG, SIGKILL); sleep(30); _exit(0); }
        usleep(1000);
        return child;
    }

    #ifdef __x86_64__
    static long int80(long number, long a, long b, long c) {
        long result;
        __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
        if (result < 0 && result > -4096) { errno = -result; return -1; }
        return result;
    }
    #endif

    static long new_mount(const char *place) {
        int context = syscall(SYS_fsopen, "tmpfs", 0);
        if (context < 0) return -1;
        syscall(SYS_fsconfig, context, 1, "size", "1m", 0);
        if (syscall(SYS_fsconfig, context, 6, NULL, NULL, 0) < 0) return -1;
        int made = syscall(SYS_fsmount, context, 0, 0);
        if (made < 0) return -1;
        return syscall(SYS_move_mount, made, "", AT_FDCWD, place, 4);
    }

    static char stack[65536];
    static int idle(void *argument) { (void)argument; sleep(5); return 0; }

    static long call(int count, char **words) {
        const char *name = words[1], *word = count > 2 ? words[2] : "";
        int local = 7; char byte = 1;
        struct iovec mine = {&byte, 1}, its = {&local, 1};
        if (!strcmp(name, "attach")) return ptrace(PTRACE_ATTACH, victim(), 0, 0);
        if (!strcmp(name, "seize")) return ptrace(PTRACE_SEIZE, victim(), 0, 0);
        if (!strcmp(name, "traceme")) return ptrace(PTRACE_TRACEME, 0, 0, 0);
        if (!strcmp(name, "writev")) return process_vm_writev(victim(), &mine, 1, &its, 1, 0);
        if (!strcmp(name, "mmap-wx"))
            return mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
        if (!strcmp(name, "mprotect-x")) {
            void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            return mprotect(page, 4096, PROT_READ | PROT_EXEC);
        }
        if (!strcmp(name, "init_module")) return syscall(SYS_init_module, "none", 4L, "");
        if (!strcmp(name, "finit_module")) return syscall(SYS_finit_module, open("/dev/null", O_RDONLY), "", 0);
        if (!strcmp(name, "delete_module")) return syscall(SYS_delete_module, "lilium_test_none", O_NONBLOCK);
        if (!strcmp(name, "kexec_load")) return syscall(SYS_kexec_load, 0L, 0L, NULL, 0xffff0001L);
        if (!strcmp(name, "kexec_file_load")) return syscall(SYS_kexec_file_load, -1, -1, 0L, NULL, 0L);
        if (!strcmp(name, "mount")) return mount("none", word, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m");
        if (!strcmp(name, "bind")) return mount(word, words[3], NULL, MS_BIND, NULL);
        if (!strcmp(name, "umount")) return umount2(word, MNT_DETACH);
        if (!strcmp(name, "new-mount")) return new_mount(word);
        if (!strcmp(name, "unshare")) return unshare(strtoul(word, NULL, 0));
        if (!strcmp(name, "clone")) return clone(idle, stack + sizeof stack, strtoul(word, NULL, 0) | SIGCHLD, NULL) < 0 ? -1 : 0;
        if (!strcmp(name, "clone3")) {
            struct clone_args how = {.flags = strtoul(word, NULL, 0), .exit_signal = SIGCHLD};
            long child = syscall(SYS_clone3, &how, sizeof how);
            if (child == 0) { sleep(5); _exit(0); }
            return child < 0 ? -1 : 0;
        }
        if (!strcmp(name, "setns")) return setns(open(word, O_RDONLY), 0);
        if (!strcmp(name, "ioctl")) return ioctl(open("/dev/null", O_RDONLY), strtoul(word, NULL, 0), "x");
        if (!strcmp(name, "drop")) {
            struct { uint32_t version; int pid; } head = {0x20080522, 0};
            struct { uint32_t effective, permitted, inheritable; } sets[2] = {{0}};
            if (syscall(SYS_capset, &head, sets) < 0) return -1;
            usleep(atoi(word) * 1000);
            return syscall(SYS_delete_module, "lilium_test_none", O_NONBLOCK);
        }
        if (!strcmp(name, "storm")) {
            long rounds = atol(word);
            for (long i = 0; i < rounds; i++) syscall(SYS_delete_module, "lilium_test_none", O_NONBLOCK);
            return 0;
        }
    #ifdef __x86_64__
        if (!strcmp(name, "b32-ptrace")) return int80(26, PTRACE_ATTACH, victim(), 0);
        if (!strcmp(name, "b32-unshare")) return int80(310, CLONE_NEWUTS, 0, 0);
        if (!strcmp(name, "b32-delete_module")) return int80(129, 0, O_NONBLOCK, 0);
    #endif
        fprintf(stderr, "no such call\\n");
        exit(2);
    }

    int main(int count, char **words) {
        errno = 0;
        long result = call(count, words);
        printf("%d %ld %d\\n", getpid(), result, result < 0 ? errno : 0);
        fflush(stdout);
        if (getenv("LINGER")) usleep(atoi(getenv("LINGER")) * 1000);
        return 0;
    }
    """
}

extension Host {
  /// A host on which calls are sensed: its programs find a loader cache of the host's own, so that the mark on it
  /// concerns nobody else.
  func addCaller() throws {
    try write("lilcaller.c", CallProgram.source)
    try check(
      run(
        """
        gcc -O1 -w -o m/lilcaller lilcaller.c && chmod 755 m/lilcaller
        cp /etc/ld.so.cache m/ld.so.cache && mount --bind m/ld.so.cache /etc/ld.so.cache
        """))
  }

  /// What `lilcaller` was told by the kernel.
  struct Called {
    var pid: Int
    var result: Int
    var error: Int
    var status: Int32
  }

  /// Makes a call as `who`, for example `setpriv --reuid 61234`; root without.
  func call(_ words: String, as who: String = "", linger: Int = 0) throws -> Called {
    let outcome = try run("LINGER=\(linger) \(who) m/lilcaller \(words)")
    let numbers = outcome.output.split(separator: "\n").compactMap { line -> [Int]? in
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      return numbers.count == 3 ? numbers : nil
    }
    guard let numbers = numbers.first else { throw HostError(description: outcome.description) }
    return Called(pid: numbers[0], result: numbers[1], error: numbers[2], status: outcome.status)
  }

  /// The record of a call of that process.
  func record(of called: Called, _ mechanism: String) throws -> [String: Any]? {
    try record {
      $0["mechanism"] as? String == mechanism && $0[path: "subject", "pid"] as? Int == called.pid
    }
  }

  static let stranger = "setpriv --reuid 61234 --regid 61234 --clear-groups"
}
