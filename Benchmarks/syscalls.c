// The work that benchmarks of system calls time: one system call, or a pair that leaves nothing behind, over and over.
// It must not know what is armed; it prints one number: nanoseconds an operation, the best of ten equal parts.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *object;
static void *page;

static void fail(const char *what) {
  fprintf(stderr, "syscalls: %s %s: %s\n", what, object, strerror(errno));
  exit(1);
}

// The C library would answer from memory, or stat by another call than programs of today do.
static void ask(void) { syscall(SYS_getppid); }

static void open_close(void) {
  int file = open(object, O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("open");
  close(file);
}

static void look(void) {
  struct stat status;
  if (stat(object, &status) < 0) fail("stat");
}

static void map(void) {
  void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  munmap(memory, 4096);
}

static void protect(void) {
  if (mprotect(page, 4096, PROT_READ) < 0 || mprotect(page, 4096, PROT_READ | PROT_WRITE) < 0) fail("mprotect");
}

static void map_code(void) {
  void *memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap of code");
  munmap(memory, 4096);
}

static void make_code(void) {
  if (mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 || mprotect(page, 4096, PROT_READ | PROT_WRITE) < 0)
    fail("mprotect of code");
}

// Another process; it ends with this one.
static pid_t other(void) {
  static pid_t child;
  if (child) return child;
  child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  return child;
}

static void read_memory(void) {
  char byte;
  struct iovec here = {&byte, 1}, there = {page, 1};
  if (process_vm_readv(other(), &here, 1, &there, 1, 0) != 1) fail("process_vm_readv");
}

// A signal that is ignored by default.
static void signal_other(void) {
  if (kill(other(), SIGWINCH) < 0) fail("kill");
}

static void command(void) {
  static int ends[2] = {-1, -1};
  int waiting;
  if (ends[0] < 0 && pipe(ends) < 0) fail("pipe");
  if (ioctl(ends[0], FIONREAD, &waiting) < 0) fail("ioctl");
}

static void open_to_write(void) {
  int file = open(object, O_WRONLY | O_CLOEXEC);
  if (file < 0) fail("open to write");
  close(file);
}

static void mount_over(void) {
  if (mount("none", object, "tmpfs", 0, NULL) < 0 || umount(object) < 0) fail("mount");
}

static void run(void) {
  char *arguments[] = {(char *)object, NULL};
  pid_t child;
  int status;
  errno = posix_spawn(&child, object, NULL, NULL, arguments, environ);
  if (errno != 0) fail("run");
  if (waitpid(child, &status, 0) < 0 || status != 0) fail("wait for");
}

static const struct {
  const char *name;
  void (*once)(void);
} works[] = {
  {"getppid", ask}, {"open", open_close}, {"stat", look}, {"mmap", map}, {"mprotect", protect}, {"exec", run},
  {"mmap-code", map_code}, {"mprotect-code", make_code}, {"vm-read", read_memory}, {"kill", signal_other},
  {"ioctl", command}, {"open-write", open_to_write}, {"mount", mount_over},
};

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static double best_part(void (*once)(void), long count) {
  double best = 0;
  for (int part = 0; part < 10; part++) {
    uint64_t start = now();
    for (long i = 0; i < count; i++) once();
    double each = (double)(now() - start) / (double)count;
    if (part == 0 || each < best) best = each;
  }
  return best;
}

int main(int argument_count, char **arguments) {
  long count = argument_count == 4 ? strtol(arguments[3], NULL, 10) / 10 : 0;
  for (size_t i = 0; count > 0 && i < sizeof works / sizeof *works; i++) {
    if (strcmp(arguments[1], works[i].name) != 0) continue;
    object = arguments[2];
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) fail("mmap for");
    memset(page, 1, 4096);
    for (long warm = 0; warm < count / 10 + 1; warm++) works[i].once();
    printf("%.1f\n", best_part(works[i].once, count));
    return 0;
  }
  fprintf(stderr, "usage: syscalls WORK FILE COUNT, with a COUNT of 10 or more; the work is one of");
  for (size_t i = 0; i < sizeof works / sizeof *works; i++) fprintf(stderr, " %s", works[i].name);
  fputc('\n', stderr);
  return 2;
}
