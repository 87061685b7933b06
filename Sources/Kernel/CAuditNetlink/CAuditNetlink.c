#include "CAuditNetlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libaudit.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

_Static_assert(sizeof(struct nlmsghdr) == LIL_NETLINK_HEADER, "the netlink header");

static long lil_result(long value) { return value < 0 ? -errno : value; }

int lil_audit_reply(int socket, struct lil_audit_reply *out, void *data, size_t capacity) {
    struct audit_reply reply;
    int got = audit_get_reply(socket, &reply, GET_REPLY_NONBLOCKING, 0);
    if (got <= 0) return got == 0 ? -EIO : got;
    size_t length = (size_t)got < NLMSG_HDRLEN ? 0 : (size_t)got - NLMSG_HDRLEN;
    if (length > capacity) return -EMSGSIZE;
    out->type = reply.nlh->nlmsg_type;
    out->sequence = reply.nlh->nlmsg_seq;
    out->error = reply.type == NLMSG_ERROR && length >= sizeof(int) ? reply.error->error : 0;
    out->length = (uint32_t)length;
    memcpy(data, NLMSG_DATA(reply.nlh), length);
    return 0;
}

long lil_audit_send(int socket, uint16_t type, const void *bytes, size_t count) {
    struct nlmsghdr head = {.nlmsg_len = NLMSG_LENGTH(count), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    uint8_t padding[NLMSG_ALIGNTO] = {0};
    struct iovec parts[] = {
        {.iov_base = &head, .iov_len = sizeof head},
        {.iov_base = (void *)bytes, .iov_len = count},
        {.iov_base = padding, .iov_len = NLMSG_ALIGN(count) - count},
    };
    struct msghdr message = {
        .msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = parts, .msg_iovlen = 3};
    return lil_result(sendmsg(socket, &message, MSG_NOSIGNAL));
}

int lil_audit_stream_socket(void) {
    return (int)lil_result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT));
}

int lil_audit_join(int socket) {
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    int group = AUDIT_NLGRP_READLOG;
    if (bind(socket, (struct sockaddr *)&own, sizeof own) < 0) return -errno;
    return (int)lil_result(setsockopt(socket, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group));
}

int lil_audit_receive_buffer(int socket, int bytes) {
    if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0 &&
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) < 0)
        return -errno;
    socklen_t length = sizeof bytes;
    return getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, &length) < 0 ? -errno : bytes;
}

int lil_audit_filter(int socket, const uint16_t *types, unsigned count) {
    struct sock_filter code[2 * 1024 + 2];
    unsigned length = 0;
    if (count > 1024) return -E2BIG;
    /* A filter loads in network byte order; the type is in the host's. */
    code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type));
    for (unsigned i = 0; i < count; i++) {
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(types[i]), 0, 1);
        code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = (unsigned short)length, .filter = code};
    return (int)lil_result(setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}

long lil_audit_receive(int socket, void *buffer, size_t capacity, uint32_t *sender) {
    struct sockaddr_nl from = {0};
    struct iovec part = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    long got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0) return -errno;
    *sender = message.msg_namelen == sizeof from ? from.nl_pid : UINT32_MAX;
    return got;
}

int lil_audit_drops(int socket, uint32_t *out) {
    uint32_t values[SK_MEMINFO_VARS];
    socklen_t length = sizeof values;
    if (getsockopt(socket, SOL_SOCKET, SO_MEMINFO, values, &length) < 0) return -errno;
    if (length < (SK_MEMINFO_DROPS + 1) * sizeof *values) return -EOPNOTSUPP;
    *out = values[SK_MEMINFO_DROPS];
    return 0;
}
