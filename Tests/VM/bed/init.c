// The initrd's only program: loads the modules that the root file system needs, mounts it, becomes its init.
// It must not fail silently: what goes wrong stands on the console, and the machine waits there.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static void stop(const char *what) {
  fprintf(stderr, "initrd: %s: %s\n", what, strerror(errno));
  for (;;) pause();
}

static void load(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST)) {
    fprintf(stderr, "initrd: %s: %s\n", path, strerror(errno));
  }
  if (file >= 0) close(file);
}

static void load_all(const char *list) {
  char line[256];
  FILE *file = fopen(list, "re");
  if (!file) stop(list);
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = 0;
    load(line);
  }
  fclose(file);
}

// The disk appears a moment after its driver.
static void mount_root(const char *device) {
  for (int attempt = 0; attempt < 2000; attempt++) {
    if (mount(device, "/root", "ext4", MS_NOATIME, NULL) == 0) return;
    usleep(5000);
  }
  stop(device);
}

static void switch_root(void) {
  if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) || chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL)
      || chroot(".") || chdir("/")) {
    stop("switch root");
  }
}

int main(int count, char **arguments) {
  (void)count;
  if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) != 0 && errno != EBUSY) stop("/dev");
  load_all("/modules");
  mount_root("/dev/vda");
  switch_root();
  int console = open("/dev/console", O_RDWR);
  for (int descriptor = 0; console >= 0 && descriptor < 3; descriptor++) dup2(console, descriptor);
  if (console > 2) close(console);
  arguments[0] = "/sbin/init";
  execv(arguments[0], arguments);
  stop(arguments[0]);
}
