// The floor of the benchmark: a fanotify listener that allows everything at once.
// It must do nothing that liliumd needs not do: one read, one answer, one close for each event, on one thread. With
// --pidfd events carry a process descriptor, as liliumd's do: what the kernel takes for that is no listener's to save.
// With --hash it reads each file and takes its SHA-256 before it answers, and remembers nothing.

#include <errno.h>
#include <fcntl.h>
#include <linux/fanotify.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void fail(const char *what, const char *where) {
  fprintf(stderr, "null-responder: %s %s: %s\n", what, where, strerror(errno));
  exit(1);
}

static void hash(int file) {
  static EVP_MD_CTX *context;
  static unsigned char buffer[1 << 18], digest[EVP_MAX_MD_SIZE];
  if (context == NULL) context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), NULL);
  off_t offset = 0;
  ssize_t count;
  while ((count = pread(file, buffer, sizeof buffer, offset)) > 0) {
    EVP_DigestUpdate(context, buffer, (size_t)count);
    offset += count;
  }
  EVP_DigestFinal_ex(context, digest, NULL);
}

// Room for one event: like liliumd it reads one event a call, since each one read is an open descriptor.
static void answer(int group, bool with_pidfd, bool with_hash) {
  struct {
    struct fanotify_event_metadata event;
    struct fanotify_event_info_pidfd process;
  } buffer;
  ssize_t length = read(group, &buffer, sizeof buffer);
  if (length < 0) {
    if (errno == EINTR) return;
    fail("read", "fanotify group");
  }
  struct fanotify_event_metadata *event = &buffer.event;
  if (event->vers != FANOTIFY_METADATA_VERSION) {
    errno = EPROTO;
    fail("read", "an event of another version");
  }
  if (event->fd < 0) return;
  if (event->mask & (FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM)) {
    if (with_hash) hash(event->fd);
    struct fanotify_response response = {.fd = event->fd, .response = FAN_ALLOW};
    if (write(group, &response, sizeof response) != sizeof response) fail("answer", "an event");
  }
  close(event->fd);
  if (with_pidfd && buffer.process.pidfd >= 0) close(buffer.process.pidfd);
}

int main(int count, char **arguments) {
  bool with_pidfd = count > 1 && strcmp(arguments[1], "--pidfd") == 0;
  bool with_hash = count > 1 && strcmp(arguments[1], "--hash") == 0;
  int first = with_pidfd || with_hash ? 2 : 1;
  if (count <= first) {
    fprintf(stderr, "usage: null-responder [--pidfd | --hash] MOUNTPOINT...\n");
    return 2;
  }
  // A core handler's exec would wait for this very process.
  prctl(PR_SET_DUMPABLE, 0);
  struct rlimit descriptors = {65536, 65536};
  setrlimit(RLIMIT_NOFILE, &descriptors);

  int group = fanotify_init(
    FAN_CLASS_CONTENT | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS | FAN_CLOEXEC |
      (with_pidfd ? FAN_REPORT_PIDFD : 0),
    O_RDONLY | O_LARGEFILE | O_CLOEXEC);
  if (group < 0) fail("fanotify_init", "(as root, with CAP_SYS_ADMIN)");
  for (int i = first; i < count; i++) {
    if (fanotify_mark(
          group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM, AT_FDCWD, arguments[i]) < 0)
      fail("mark", arguments[i]);
  }
  puts("ready");
  fflush(stdout);
  for (;;) answer(group, with_pidfd, with_hash);
}
