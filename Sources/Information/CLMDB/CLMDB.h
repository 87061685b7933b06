/* Owns what the trust database needs of C: LMDB, and memory as a file (memfd_create(2)), which glibc shows to none
   but _GNU_SOURCE. Nothing else belongs here. */
#ifndef LILIUM_CLMDB_H
#define LILIUM_CLMDB_H
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <lmdb.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/// An empty file in memory that can be sealed and never executed, or -errno. Kernels before 6.3 do not know
/// MFD_NOEXEC_SEAL.
static inline int lil_memory_file(const char *name) {
  long result = syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  if (result < 0 && errno == EINVAL) result = syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return result < 0 ? -errno : (int)result;
}

/// No write, growth or shrinkage from now on (fcntl(2): F_ADD_SEALS of seal, shrink, grow and write); 0 or -errno.
static inline int lil_seal_file(int descriptor) { return fcntl(descriptor, 1033, 15) < 0 ? -errno : 0; }

#endif
