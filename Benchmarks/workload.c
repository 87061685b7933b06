// The work that the benchmark times: opens and execs, one after another, in one process.
// It must not know who listens; it prints one line: MODE COUNT P50 MEAN, in nanoseconds an operation.

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what, const char *where, int error) {
  fprintf(stderr, "workload: %s %s: %s\n", what, where, strerror(error));
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void open_once(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("open", path, errno);
  close(file);
}

static void run_once(const char *path) {
  char *arguments[] = {(char *)path, NULL};
  pid_t child;
  int status;
  int error = posix_spawn(&child, path, NULL, NULL, arguments, environ);
  if (error != 0) fail("run", path, error);
  if (waitpid(child, &status, 0) < 0) fail("wait for", path, errno);
  if (status != 0) {
    fprintf(stderr, "workload: %s ended with wait status %d instead of 0\n", path, status);
    exit(1);
  }
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

// Sorts `times`.
static void report(const char *mode, uint64_t *times, long count) {
  uint64_t sum = 0;
  for (long i = 0; i < count; i++) sum += times[i];
  qsort(times, (size_t)count, sizeof *times, by_value);
  printf("%s %ld %llu %llu\n", mode, count, (unsigned long long)times[count / 2],
         (unsigned long long)(sum / (uint64_t)count));
}

// The files 0, 1, 2 ... of `folder` in turn; `path` has room for 4,096 bytes.
static const char *nth(char *path, const char *folder, long index) {
  snprintf(path, 4096, "%s/%ld", folder, index);
  return path;
}

static void spawn_and_wait(char **command) {
  pid_t child;
  int status;
  int error = posix_spawnp(&child, command[0], NULL, NULL, command, environ);
  if (error != 0) fail("run", command[0], error);
  if (waitpid(child, &status, 0) < 0) fail("wait for", command[0], errno);
  if (status != 0) {
    fprintf(stderr, "workload: %s ended with wait status %d instead of 0\n", command[0], status);
    exit(1);
  }
}

// Times a whole command, once as it comes and then `count` times: two lines, NAME-cold and NAME-warm.
static int run_command(const char *name, long count, char **command) {
  uint64_t *times = calloc((size_t)count, sizeof *times);
  if (times == NULL) fail("make room for", "the times", ENOMEM);
  char label[64];
  uint64_t start = now();
  spawn_and_wait(command);
  times[0] = now() - start;
  snprintf(label, sizeof label, "%s-cold", name);
  report(label, times, 1);
  for (long i = 0; i < count; i++) {
    start = now();
    spawn_and_wait(command);
    times[i] = now() - start;
  }
  snprintf(label, sizeof label, "%s-warm", name);
  report(label, times, count);
  free(times);
  return 0;
}

static int usage(void) {
  fprintf(stderr,
          "usage: workload open-loop FILE COUNT | open-many FOLDER COUNT | open-first FOLDER COUNT |\n"
          "       exec-loop PROGRAM COUNT | exec-many FOLDER COUNT | command NAME COUNT COMMAND...\n"
          "open-many, open-first and exec-many take the files 0 ... COUNT-1 of FOLDER: open-first once, the others twice\n"
          "unmeasured and once measured\n");
  return 2;
}

int main(int argument_count, char **arguments) {
  if (argument_count < 4) return usage();
  const char *mode = arguments[1], *where = arguments[2];
  long count = strtol(arguments[3], NULL, 10);
  if (count < 1 || count > 100000000) return usage();
  if (strcmp(mode, "command") == 0) return argument_count > 4 ? run_command(where, count, arguments + 4) : usage();
  int first = strcmp(mode, "open-first") == 0;
  int exec_many = strcmp(mode, "exec-many") == 0;
  int many = first || exec_many || strcmp(mode, "open-many") == 0;
  int exec = exec_many || strcmp(mode, "exec-loop") == 0;
  if (argument_count != 4 || !(many || exec || strcmp(mode, "open-loop") == 0)) return usage();
  uint64_t *times = calloc((size_t)count, sizeof *times);
  if (times == NULL) fail("make room for", "the times", ENOMEM);
  char path[4096];

  // Warm up: caches of the kernel and of the listener.
  // Twice over many files: a listener may look closer at what comes again.
  long warm = first ? 0 : many ? 2 * count : count / 10 + 1;
  for (long i = 0; i < warm; i++) {
    const char *file = many ? nth(path, where, i % count) : where;
    if (exec) run_once(file);
    else open_once(file);
  }
  for (long i = 0; i < count; i++) {
    const char *file = many ? nth(path, where, i) : where;
    uint64_t start = now();
    if (exec) run_once(file);
    else open_once(file);
    times[i] = now() - start;
  }
  report(mode, times, count);
  free(times);
  return 0;
}
