// Owns passing a journal entry that is too big for a datagram: a sealed memory file and its descriptor.
// Gives 0 or -errno. No logic of the protocol here.
#ifndef LILIUM_CJOURNAL_H
#define LILIUM_CJOURNAL_H

#include <stddef.h>

/* Puts the bytes into a sealed memfd_create(2) file and sends its descriptor (unix(7), SCM_RIGHTS) without blocking. */
int lil_journal_send_sealed(int socket, const void *bytes, size_t count);

#endif
