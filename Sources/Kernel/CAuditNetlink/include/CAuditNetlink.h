// Owns what the audit sockets need and the Glibc module does not carry to Swift: netlink addresses, socket options,
// the socket filter, and libaudit's reply structure, which is too big to be imported.
// Every function gives the call's result, or -errno. No logic here.
#ifndef LILIUM_CAUDITNETLINK_H
#define LILIUM_CAUDITNETLINK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of struct nlmsghdr, which stands before every message. */
#define LIL_NETLINK_HEADER 16

/* A message of the kernel on a control socket, as audit_get_reply of libaudit gives it. */
struct lil_audit_reply {
    uint16_t type;      /* nlmsg_type */
    uint32_t sequence;  /* nlmsg_seq: the request's own */
    int32_t error;      /* of an NLMSG_ERROR: 0 or -errno */
    uint32_t length;    /* bytes behind the header */
};

/* The next reply, what follows its header in `data`; -EAGAIN where there is none, -EMSGSIZE where it does not fit,
   -EINVAL where the sender is not the kernel. */
int lil_audit_reply(int socket, struct lil_audit_reply *out, void *data, size_t capacity);
/* Sends one message without asking for an acknowledgement. */
long lil_audit_send(int socket, uint16_t type, const void *bytes, size_t count);
/* A non-blocking socket that has joined no group yet. */
int lil_audit_stream_socket(void);
/* Joins the multicast group of audit records (AUDIT_NLGRP_READLOG). */
int lil_audit_join(int socket);
/* Receive buffer in bytes; past the system's limit where CAP_NET_ADMIN allows. Gives the effective size. */
int lil_audit_receive_buffer(int socket, int bytes);
/* Lets only messages of these types in (SO_ATTACH_FILTER). */
int lil_audit_filter(int socket, const uint16_t *types, unsigned count);
/* The whole message's length, which may be more than `capacity`, and its sender's port (0: the kernel). */
long lil_audit_receive(int socket, void *buffer, size_t capacity, uint32_t *sender);
/* Messages dropped at this socket since it was made (SO_MEMINFO). */
int lil_audit_drops(int socket, uint32_t *out);

#endif
