#include "CFanotify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Debian 12's headers are older than these. */
#ifndef FAN_REPORT_FD_ERROR
#define FAN_REPORT_FD_ERROR 0x00002000
#endif
#ifndef FAN_MARK_EVICTABLE
#define FAN_MARK_EVICTABLE 0x00000200
#endif
#ifndef FAN_MARK_IGNORE
#define FAN_MARK_IGNORE 0x00000400
#endif

const uint32_t lil_fan_class_content = FAN_CLASS_CONTENT, lil_fan_unlimited_queue = FAN_UNLIMITED_QUEUE,
               lil_fan_unlimited_marks = FAN_UNLIMITED_MARKS, lil_fan_report_pidfd = FAN_REPORT_PIDFD,
               lil_fan_enable_audit = FAN_ENABLE_AUDIT, lil_fan_report_fd_error = FAN_REPORT_FD_ERROR,
               lil_fan_class_notif = FAN_CLASS_NOTIF, lil_fan_report_fid = FAN_REPORT_FID,
               lil_fan_nonblock = FAN_NONBLOCK;
const uint64_t lil_fan_open_perm = FAN_OPEN_PERM, lil_fan_open_exec_perm = FAN_OPEN_EXEC_PERM,
               lil_fan_event_on_child = FAN_EVENT_ON_CHILD, lil_fan_q_overflow = FAN_Q_OVERFLOW,
               lil_fan_modify = FAN_MODIFY, lil_fan_close_write = FAN_CLOSE_WRITE, lil_fan_attrib = FAN_ATTRIB,
               lil_fan_move_self = FAN_MOVE_SELF, lil_fan_delete_self = FAN_DELETE_SELF, lil_fan_ondir = FAN_ONDIR,
               lil_fan_access_perm = FAN_ACCESS_PERM;
const uint32_t lil_fan_mark_add = FAN_MARK_ADD, lil_fan_mark_remove = FAN_MARK_REMOVE,
               lil_fan_mark_flush = FAN_MARK_FLUSH, lil_fan_mark_filesystem = FAN_MARK_FILESYSTEM,
               lil_fan_mark_ignore = FAN_MARK_IGNORE, lil_fan_mark_evictable = FAN_MARK_EVICTABLE;
const uint32_t lil_fan_allow = FAN_ALLOW, lil_fan_deny = FAN_DENY, lil_fan_audit = FAN_AUDIT;
const int lil_at_cwd = AT_FDCWD;

const uint32_t lil_fan_metadata_size = sizeof(struct fanotify_event_metadata);
const uint32_t lil_fan_metadata_version = FANOTIFY_METADATA_VERSION;
const uint32_t lil_fan_info_type_pidfd = FAN_EVENT_INFO_TYPE_PIDFD, lil_fan_info_type_fid = FAN_EVENT_INFO_TYPE_FID;

_Static_assert(offsetof(struct fanotify_event_metadata, vers) == 4, "layout that EventBuffer.swift reads");
_Static_assert(offsetof(struct fanotify_event_metadata, metadata_len) == 6, "layout that EventBuffer.swift reads");
_Static_assert(offsetof(struct fanotify_event_metadata, mask) == 8, "layout that EventBuffer.swift reads");
_Static_assert(offsetof(struct fanotify_event_metadata, fd) == 16, "layout that EventBuffer.swift reads");
_Static_assert(offsetof(struct fanotify_event_metadata, pid) == 20, "layout that EventBuffer.swift reads");
_Static_assert(offsetof(struct fanotify_event_info_pidfd, pidfd) == 4, "layout that EventBuffer.swift reads");

_Static_assert(offsetof(struct fanotify_event_info_fid, fsid) == 4, "layout that EventBuffer.swift reads");
_Static_assert(offsetof(struct fanotify_event_info_fid, handle) == 12, "layout that EventBuffer.swift reads");
_Static_assert(offsetof(struct file_handle, f_handle) == 8, "layout that EventBuffer.swift reads");

int lil_fanotify_init(uint32_t flags, uint32_t event_flags) {
    int group = fanotify_init(flags | FAN_CLOEXEC, event_flags | O_RDONLY | O_LARGEFILE | O_CLOEXEC);
    return group < 0 ? -errno : group;
}

int lil_fanotify_mark(int group, uint32_t flags, uint64_t mask, int directory, const char *path) {
    return fanotify_mark(group, flags, mask, directory, path) < 0 ? -errno : 0;
}

int lil_fanotify_read(int group, void *buffer, size_t size) {
    ssize_t got = read(group, buffer, size);
    return got < 0 ? -errno : (int)got;
}

int lil_fanotify_answer(int group, int descriptor, uint32_t response) {
    struct fanotify_response answer = {.fd = descriptor, .response = response};
    ssize_t written = write(group, &answer, sizeof answer);
    return written < 0 ? -errno : 0;
}

/* struct fanotify_response_info_audit_rule behind the answer (linux/fanotify.h, since 6.3), which Debian 12's headers
   do not have. Trust is not told: 2 is "unknown". */
struct audited_answer {
    struct fanotify_response answer;
    uint8_t info_type, padding;
    uint16_t info_length;
    uint32_t rule, subject_trust, object_trust;
};

int lil_fanotify_answer_audited(int group, int descriptor, uint32_t response, uint32_t rule) {
    const uint32_t fan_info = 0x20;
    const uint8_t info_audit_rule = 1;
    struct audited_answer audited = {
        .answer = {.fd = descriptor, .response = response | FAN_AUDIT | fan_info},
        .info_type = info_audit_rule, .info_length = 16, .rule = rule, .subject_trust = 2, .object_trust = 2};
    _Static_assert(sizeof audited == sizeof(struct fanotify_response) + 16, "layout that the kernel reads");
    return write(group, &audited, sizeof audited) < 0 ? -errno : 0;
}

int lil_fanotify_pending(int group) {
    int bytes = 0;
    return ioctl(group, FIONREAD, &bytes) < 0 ? -errno : bytes;
}

int lil_private_file(void) {
    int file = memfd_create("lilium-probe", MFD_CLOEXEC);
    return file < 0 ? -errno : file;
}
