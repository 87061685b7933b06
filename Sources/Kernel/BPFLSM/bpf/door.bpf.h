// Owns the way that every hook takes: is the door open to this caller, else what does the policy say, and who is told.
// It must not know what any hook is about.
#ifndef LILIUM_DOOR_H
#define LILIUM_DOOR_H

#include "decision.bpf.h"
#include "subject.bpf.h"

#define EPERM 1

/* One request on its way. */
struct lil_request {
  struct task_struct *task;
  struct task_struct *target;
  /* Text in kernel memory: a module's or a file system type's name; NULL where there is none. */
  const char *name;
  lil_u8 mechanism;
  lil_u8 hook;
};

static __always_inline int lil_is_in_scope(void) {
  if (!scope_count) return 1;
  for (lil_u32 i = 0; i < LIL_SCOPES; i++) {
    if (i >= scope_count) break;
    if (bpf_current_task_under_cgroup(&scope, i) == 1) return 1;
  }
  return 0;
}

/* Whether the mechanism asks nothing of this caller: it is off, out of scope, or its capability opens the door. */
static __always_inline int lil_passes(lil_u32 mechanism) {
  struct lil_policy *policy = lil_policy();
  if (!policy) {
    lil_count(LIL_NO_POLICY);
    return 1;
  }
  const struct lil_door *door = &policy->doors[mechanism];
  if (door->mode == LIL_OFF || !lil_is_in_scope()) return 1;
  if (door->logs_allows || !door->capability) return 0;
  const struct cred *cred = bpf_get_current_task_btf()->cred;
  if (cred->user_ns->level != 0 || (lil_effective(cred) & door->capability) != door->capability) return 0;
  struct lil_tally *counts = lil_tally();
  if (counts) counts->decisions[mechanism][LIL_ALLOW][LIL_BY_CAPABILITY]++;
  return 1;
}

static __always_inline void lil_tell(
    const struct lil_request *request, const struct lil_facts *facts, const struct lil_outcome *outcome,
    const struct lil_call *call, lil_u64 generation) {
  struct lil_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) {
    lil_count(LIL_LOST_EVENTS);
    return;
  }
  struct task_struct *task = request->task;
  event->time = bpf_ktime_get_boot_ns();
  event->start = task->group_leader->start_boottime;
  event->generation = generation;
  __builtin_memcpy(event->arguments, call->arguments, sizeof(event->arguments));
  event->call = call->number;
  event->arch = call->arch;
  event->tid = task->pid;
  event->userns_level = task->cred->user_ns->level;
  __builtin_memcpy(&event->facts, facts, sizeof(*facts));
  event->outcome = *outcome;
  event->mechanism = request->mechanism;
  event->hook = request->hook;
  __builtin_memset(event->spare, 0, sizeof(event->spare));
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  __builtin_memset(event->target_comm, 0, sizeof(event->target_comm));
  event->target_start = 0;
  __builtin_memset(event->name, 0, sizeof(event->name));
  if (request->target) {
    event->target_start = request->target->group_leader->start_boottime;
    __builtin_memcpy(event->target_comm, request->target->comm, sizeof(event->target_comm));
  }
  if (reads_text && request->name) bpf_probe_read_kernel_str(event->name, sizeof(event->name), request->name);
  /* liliumd looks by a timer: to wake it for each event would cost more than all the rest. */
  bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

/* Decides, tells, and gives what the hook returns. Only where every program before it gave 0 is a program asked (the
   trampolines of arch/ skip the rest), so that 0 takes back nobody's denial. */
static __always_inline int lil_answer(
    const struct lil_request *request, struct lil_sheet *sheet, const struct lil_call *call) {
  struct lil_facts *facts = &sheet->facts;
  lil_set(facts, LIL_CALL, call->number);
  lil_set(facts, LIL_ARCH, call->arch);
  struct lil_policy *policy = lil_policy();
  if (!policy || request->mechanism >= LIL_MECHANISMS) return 0;
  struct lil_outcome outcome = {};
  lil_decide(policy, request->mechanism, sheet, &outcome);
  struct lil_tally *counts = lil_tally();
  if (counts) counts->decisions[request->mechanism][outcome.verdict & 1][outcome.reason & 3]++;
  if (outcome.verdict == LIL_DENY || policy->doors[request->mechanism].logs_allows)
    lil_tell(request, facts, &outcome, call, policy->generation);
  if (outcome.verdict != LIL_DENY || outcome.mode != LIL_ENFORCE) return 0;
  /* A constant in a branch of its own: the compiler would negate a truth value, which the verifier of Linux 6.12 does not
     follow. */
  int denied = -EPERM;
  asm volatile("" : "+r"(denied));
  return denied;
}

#endif
