// Owns the macros, layouts and calls of fanotify(7) that Swift cannot import.
// Every function gives the call's result, or -errno. No logic here.
#ifndef LILIUM_CFANOTIFY_H
#define LILIUM_CFANOTIFY_H

#include <stddef.h>
#include <stdint.h>

/* fanotify_init(2) */
extern const uint32_t lil_fan_class_content, lil_fan_unlimited_queue, lil_fan_unlimited_marks, lil_fan_report_pidfd,
    lil_fan_enable_audit, lil_fan_report_fd_error, lil_fan_class_notif, lil_fan_report_fid, lil_fan_nonblock;
/* fanotify_mark(2): events */
extern const uint64_t lil_fan_open_perm, lil_fan_open_exec_perm, lil_fan_event_on_child, lil_fan_q_overflow,
    lil_fan_modify, lil_fan_close_write, lil_fan_attrib, lil_fan_move_self, lil_fan_delete_self, lil_fan_ondir,
    lil_fan_access_perm;
/* fanotify_mark(2): marks */
extern const uint32_t lil_fan_mark_add, lil_fan_mark_remove, lil_fan_mark_flush, lil_fan_mark_filesystem,
    lil_fan_mark_ignore, lil_fan_mark_evictable;
/* fanotify_response */
extern const uint32_t lil_fan_allow, lil_fan_deny, lil_fan_audit;
/* AT_FDCWD */
extern const int lil_at_cwd;

int lil_fanotify_init(uint32_t flags, uint32_t event_flags);

/* Marks what `path` names from `directory`, or the descriptor itself where `path` is NULL. */
int lil_fanotify_mark(int group, uint32_t flags, uint64_t mask, int directory, const char *path);

/* read(2) on the group; not retried on EINTR, which is how a reader is told to stop. */
int lil_fanotify_read(int group, void *buffer, size_t size);

/* Answers the event that carries this descriptor. */
int lil_fanotify_answer(int group, int descriptor, uint32_t response);

/* The same, with a record in the audit trail that names a rule by number; the group was made with FAN_ENABLE_AUDIT.
   -EINVAL on kernels that take no number. */
int lil_fanotify_answer_audited(int group, int descriptor, uint32_t response, uint32_t rule);

/* Bytes waiting in the group's queue (FIONREAD), or -errno. */
int lil_fanotify_pending(int group);

/* A file that nobody else can reach (memfd_create(2)), to try marks on. */
int lil_private_file(void);

/* Layout of struct fanotify_event_metadata and of its information records, for the parser and its test. */
extern const uint32_t lil_fan_metadata_size, lil_fan_metadata_version, lil_fan_info_type_pidfd, lil_fan_info_type_fid;

#endif
