// Owns the decision in the kernel: the capability that opens the door, then the steps of the compiled rules.
// It must not know a hook. It says what PolicyDecision's `decide` says; a test asks both.
#ifndef LILIUM_DECISION_H
#define LILIUM_DECISION_H

#include "maps.bpf.h"

struct lil_policy_slot {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  /* By size: a map with types equals only one with the same types (bpf_map_meta_equal() of Linux 6.1). */
  __uint(key_size, sizeof(lil_u32));
  __uint(value_size, sizeof(struct lil_policy));
} no_policy SEC(".maps");

/* The policy in force is replaced whole, in one step. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, lil_u32);
  __array(values, struct lil_policy_slot);
} policies SEC(".maps");

static __always_inline struct lil_policy *lil_policy(void) {
  lil_u32 first = 0;
  void *inner = bpf_map_lookup_elem(&policies, &first);
  return inner ? bpf_map_lookup_elem(inner, &first) : 0;
}

#define LIL_FIELD_MASK 31
_Static_assert(LIL_FIELDS == LIL_FIELD_MASK, "a field's number must fit the mask, with one value to spare");

/* The facts with a spare value behind them, so that a masked number is always inside. */
struct lil_sheet {
  struct lil_facts facts;
  lil_u64 spare;
};

static __always_inline lil_u64 lil_value(const struct lil_sheet *sheet, lil_u32 field) {
  field &= LIL_FIELD_MASK;
  return sheet->facts.value[field];
}

static __always_inline int lil_is_known(const struct lil_sheet *sheet, lil_u32 field) {
  return sheet->facts.known >> (field & LIL_FIELD_MASK) & 1;
}

static __always_inline int lil_holds(lil_u32 test, lil_u64 a, lil_u64 b) {
  switch (test) {
  case LIL_EQUAL: return a == b;
  case LIL_LESS: return (lil_s64)a < (lil_s64)b;
  case LIL_LESS_OR_EQUAL: return (lil_s64)a <= (lil_s64)b;
  case LIL_ALL_BITS: return (a & b) == b;
  default: return (a & b) != 0;
  }
}

/* One walk through the steps. */
struct lil_walk {
  struct lil_policy *policy;
  const struct lil_sheet *sheet;
  struct lil_outcome outcome;
  lil_u32 place;
};

/* Called by bpf_loop(): 1 ends the walk. */
static long lil_take_step(lil_u32 count, struct lil_walk *walk) {
  const struct lil_step *step = &walk->policy->steps[walk->place & (LIL_STEPS - 1)];
  if (step->test == LIL_VERDICT) {
    walk->outcome.verdict = step->unknown;
    walk->outcome.reason = step->reason;
    walk->outcome.rule = step->value;
    return 1;
  }
  int answer = step->unknown;
  int is_known = lil_is_known(walk->sheet, step->field);
  lil_u64 b = step->value;
  if (step->other != LIL_NO_FIELD) {
    is_known = is_known && lil_is_known(walk->sheet, step->other);
    b = lil_value(walk->sheet, step->other);
  }
  if (is_known) answer = lil_holds(step->test, lil_value(walk->sheet, step->field), b);
  walk->place = answer ? step->on_true : step->on_false;
  return 0;
}

static __always_inline int lil_opens(const struct lil_door *door, const struct lil_facts *facts) {
  return door->capability && facts->value[LIL_USERNS_INITIAL] &&
         (facts->value[LIL_EFFECTIVE] & door->capability) == door->capability;
}

/* What the policy says of a mechanism whose facts lie in the sheet. */
static __always_inline void lil_decide(
    struct lil_policy *policy, lil_u32 mechanism, const struct lil_sheet *sheet, struct lil_outcome *outcome) {
  if (mechanism >= LIL_MECHANISMS) return;
  const struct lil_door *door = &policy->doors[mechanism];
  outcome->mode = door->mode;
  if (lil_opens(door, &sheet->facts)) {
    outcome->verdict = LIL_ALLOW;
    outcome->reason = LIL_BY_CAPABILITY;
    return;
  }
  /* What a step that leads nowhere would leave: nothing passes by mistake. */
  struct lil_walk walk = {.policy = policy, .sheet = sheet, .place = door->entry};
  walk.outcome.mode = door->mode;
  walk.outcome.verdict = LIL_DENY;
  walk.outcome.reason = LIL_BY_DEFAULT;
  /* Steps lead forward only, so that no walk is longer than all of them. A loop in C would be unrolled by the verifier,
     beyond what it bears. Linux 5.17. */
  bpf_loop(LIL_STEPS, lil_take_step, &walk, 0);
  *outcome = walk.outcome;
}

#endif
