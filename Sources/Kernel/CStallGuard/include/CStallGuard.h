// Owns the process that ends this one when it stands still, and the page of memory between the two.
// The guard is plain C: it is forked from a process that may have threads, and must neither allocate nor open a file.
#ifndef LILIUM_CSTALLGUARD_H
#define LILIUM_CSTALLGUARD_H

#include <stdint.h>

/* What the guarded process tells its guard. */
struct lil_guard_page;

/* A page that a forked child shares (mmap(2)); NULL where there is no memory. */
struct lil_guard_page *lil_guard_page(void);
/* The guarded process goes on. */
void lil_guard_pulse(struct lil_guard_page *page);
/* Milliseconds without a pulse after which the guard acts; 0: it never does. */
void lil_guard_limit(struct lil_guard_page *page, uint32_t milliseconds);

/* Forks the guard of this process. Its pid, or -errno. */
int lil_guard_start(struct lil_guard_page *page);
/* Whether the child `pid` still runs; takes the status of one that does not (waitpid(2)). 1, 0 or -errno. */
int lil_guard_runs(int pid);

#endif
