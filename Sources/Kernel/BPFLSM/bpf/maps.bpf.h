// Owns what the programs share with liliumd while they run: the policy, its events, what was counted.
// It must not hold the verdict of any mechanism: decision.bpf.h finds it.
#ifndef LILIUM_MAPS_H
#define LILIUM_MAPS_H

#include "kernel.h"

/* Set before the programs are loaded, constant from then on: what they rule out costs nothing. */
const volatile lil_u32 lilium_pid = 0;
/* Inode number of the initial mount namespace. */
const volatile lil_u32 initial_mount_namespace = 0;
/* Text in kernel memory may be read: lockdown(7) does not forbid it. */
const volatile lil_u32 reads_text = 0;
/* Control groups that the doors are limited to; 0: the whole host. */
const volatile lil_u32 scope_count = 0;

#define LIL_SCOPES 16

struct {
  __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
  __uint(max_entries, LIL_SCOPES);
  __uint(key_size, sizeof(lil_u32));
  __uint(value_size, sizeof(lil_u32));
} scope SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} events SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, lil_u32);
  __type(value, struct lil_tally);
} tally SEC(".maps");

static __always_inline struct lil_tally *lil_tally(void) {
  lil_u32 first = 0;
  return bpf_map_lookup_elem(&tally, &first);
}

static __always_inline void lil_count(enum lil_counter counter) {
  struct lil_tally *counts = lil_tally();
  if (counts) counts->counters[counter]++;
}

#endif
