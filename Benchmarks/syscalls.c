// The work that the audit benchmark times: one system call, or a pair that leaves nothing behind, over and over.
// It must not know what is armed; it prints one number: nanoseconds an operation, the best of ten equal parts.

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
  fprintf(stderr, "usage: syscalls getppid|open|stat|mmap|mprotect|exec FILE COUNT, with a COUNT of 10 or more\n");
  return 2;
}
