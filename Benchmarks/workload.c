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

int main(int argument_count, char **arguments) {
  long count = argument_count == 4 ? strtol(arguments[3], NULL, 10) : 0;
  int many = argument_count == 4 && strcmp(arguments[1], "open-many") == 0;
  int loop = argument_count == 4 && strcmp(arguments[1], "open-loop") == 0;
  int exec = argument_count == 4 && strcmp(arguments[1], "exec-loop") == 0;
  if (count < 1 || count > 100000000 || !(many || loop || exec)) {
    fprintf(stderr,
            "usage: workload open-loop FILE COUNT | open-many FOLDER COUNT | exec-loop PROGRAM COUNT\n"
            "open-many opens the files 0 ... COUNT-1 of FOLDER, once unmeasured and once measured\n");
    return 2;
  }
  const char *where = arguments[2];
  uint64_t *times = calloc((size_t)count, sizeof *times);
  if (times == NULL) fail("make room for", "the times", ENOMEM);
  char path[4096];

  // Warm up: caches of the kernel and of the listener.
  long warm = many ? count : count / 10 + 1;
  for (long i = 0; i < warm; i++) {
    if (exec) run_once(where);
    else open_once(many ? nth(path, where, i) : where);
  }
  for (long i = 0; i < count; i++) {
    const char *file = many ? nth(path, where, i) : where;
    uint64_t start = now();
    if (exec) run_once(file);
    else open_once(file);
    times[i] = now() - start;
  }
  report(arguments[1], times, count);
  free(times);
  return 0;
}
