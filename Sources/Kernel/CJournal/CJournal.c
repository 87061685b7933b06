#include "CJournal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* A host may forbid memory files that could be executed (vm.memfd_noexec=2, EACCES); old kernels know no such flag. */
static int lil_memory_file(void) {
    int memory = memfd_create("lilium-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0 && errno == EACCES)
        memory = memfd_create("lilium-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    return memory < 0 ? -errno : memory;
}

static int lil_fill_and_seal(int memory, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t done = write(memory, bytes, count);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return -errno;
        bytes += done;
        count -= (size_t)done;
    }
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    return fcntl(memory, F_ADD_SEALS, seals) < 0 ? -errno : 0;
}

static int lil_send_descriptor(int socket, int descriptor) {
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int lil_journal_send_sealed(int socket, const void *bytes, size_t count) {
    int memory = lil_memory_file();
    if (memory < 0) return memory;
    int error = lil_fill_and_seal(memory, bytes, count);
    if (!error) error = lil_send_descriptor(socket, memory);
    close(memory);
    return error;
}
