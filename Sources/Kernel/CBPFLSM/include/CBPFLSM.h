// Owns the way to libbpf: its callbacks, its variadic log and its macros, which Swift cannot import, and the layout that
// the kernel's programs share. It must not decide anything. Every function gives 0 or more, or -errno.
#ifndef LILIUM_CBPFLSM_H
#define LILIUM_CBPFLSM_H

#include <stddef.h>

#include "lilium_layout.h"

/* Programs that are open or loaded; one thread at a time may use it, and another one consume. */
struct lil_programs;

/* What is constant for the programs once they are loaded. */
struct lil_constants {
  uint32_t pid;
  uint32_t initial_mount_namespace;
  uint32_t scope_count;
  uint32_t reads_text;
};

/* Opens the object of `size` bytes, which is copied. NULL where there is no memory or it is none; errno says which. */
struct lil_programs *lil_programs_open(const void *object, size_t size);
/* Detaches and unloads what is not pinned. */
void lil_programs_close(struct lil_programs *programs);
/* Names of the programs, in the object's order; NULL behind the last. */
const char *lil_programs_name(struct lil_programs *programs, size_t index);
/* The kernel's hook that a program attaches to, without the prefix; NULL for a program of no hook. */
const char *lil_programs_hook(struct lil_programs *programs, size_t index);
/* Whether to load a program at all. Before loading only. */
int lil_programs_choose(struct lil_programs *programs, const char *name, int is_wanted);
/* Loads what is wanted. What the kernel's verifier says of a refusal is in lil_log(). */
int lil_programs_load(struct lil_programs *programs, const struct lil_constants *constants);
/* Attaches one program; it is asked from now on. Nothing where it is attached already. */
int lil_programs_attach(struct lil_programs *programs, const char *name);
int lil_programs_detach(struct lil_programs *programs, const char *name);
int lil_programs_is_attached(struct lil_programs *programs, const char *name);

/* Puts a policy in force, whole: a request sees the one before or this one. */
int lil_programs_replace(struct lil_programs *programs, const struct lil_policy *policy);
/* Limits the doors to the control group behind a descriptor of its folder, as number `index` of `scope_count`. */
int lil_programs_limit(struct lil_programs *programs, uint32_t index, int group);
/* Whom self-protection is about; this and the next two where a program `guard_*` is loaded. */
int lil_programs_protect(struct lil_programs *programs, const struct lil_ward *ward);
/* Nobody but its kin gets hold of the map with this number, to write it. */
int lil_programs_keep_map(struct lil_programs *programs, uint32_t id);
/* The map is gone; -ENOENT where it was not kept. */
int lil_programs_drop_map(struct lil_programs *programs, uint32_t id);
/* The kernel's numbers of the maps that these programs share with user space, up to `room`; policies are not among them:
   they are frozen. How many there are. */
int lil_programs_maps(struct lil_programs *programs, uint32_t *ids, size_t room);
/* Sums over all processors. */
int lil_programs_tally(struct lil_programs *programs, struct lil_tally *sum);
/* Gives up to `most` waiting events to `each`; how many there were. The event is valid during the call only. */
int lil_programs_consume(
  struct lil_programs *programs, int most, void (*each)(const struct lil_event *event, void *context), void *context);
/* Asks the policy in force, by the program `question` (BPF_PROG_RUN of bpf(2)). */
int lil_programs_ask(struct lil_programs *programs, struct lil_question *question);

/* Whether the running kernel has a BPF hook of this name (its BTF has bpf_lsm_NAME): 1 or 0. */
int lil_kernel_has_hook(const char *name);
/* Forks a child that asks for what the program `probe` denies. 1: denied, 0: granted. */
int lil_probe_child(void);
/* What libbpf and the verifier said last on this thread, zero-terminated, the end of it where it was long. */
const char *lil_log(void);

#endif
