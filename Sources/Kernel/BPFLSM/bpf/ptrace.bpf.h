// Owns the door `ptrace`: foreign code or eyes enter a process (security_ptrace_access_check, security_ptrace_traceme).
// It must not judge a mere look at /proc, which asks with PTRACE_MODE_READ.
#include "door.bpf.h"
#include "hooks.bpf.h"

static __always_inline int lil_trace(
    struct task_struct *target, enum lil_hook hook, struct lil_call *call, lil_u64 request) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .target = target, .mechanism = LIL_PTRACE, .hook = hook};
  struct lil_sheet sheet = {};
  struct lil_facts *facts = &sheet.facts;
  lil_describe_subject(facts, task);
  lil_describe_target(facts, target);
  lil_set(facts, LIL_REQUEST, request);
  lil_set(facts, LIL_FLAGS, 0);
  return lil_answer(&asked, &sheet, call);
}

static __always_inline int lil_is_ptrace(const struct lil_call *call) {
#ifdef __TARGET_ARCH_x86
  return call->arch == ARCH_I386 ? call->number == 26 : call->number == 101;
#else
  return call->number == 117;
#endif
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(ptrace_access_check, struct task_struct *child, unsigned int mode) {
  if (!(mode & PTRACE_MODE_ATTACH) || lil_passes(LIL_PTRACE)) return 0;
  struct lil_call call = {};
  lil_read_call(bpf_get_current_task_btf(), &call);
  return lil_trace(child, LIL_PTRACE_ACCESS_CHECK, &call, lil_is_ptrace(&call) ? (lil_u32)call.arguments[0] : 0);
}

/* The caller gives itself to its parent: it is the target, too. */
SEC("lsm/ptrace_traceme")
int BPF_PROG(ptrace_traceme, struct task_struct *parent) {
  if (lil_passes(LIL_PTRACE)) return 0;
  struct lil_call call = {};
  struct task_struct *task = bpf_get_current_task_btf();
  lil_read_call(task, &call);
  return lil_trace(task, LIL_PTRACE_TRACEME, &call, 0);
}
