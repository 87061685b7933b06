// Owns the door `clone`: a process gets powers in a namespace of its own (security_create_user_ns, the hook userns_create).
// It must not judge namespaces of other kinds: those ask for a capability, in capable.bpf.h.
#include "door.bpf.h"
#include "hooks.bpf.h"

#define CLONE_NEWUSER 0x10000000

static __always_inline int lil_separate(
    enum lil_hook hook, const struct lil_call *call, lil_u64 flags, int is_known) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .mechanism = LIL_CLONE, .hook = hook};
  struct lil_sheet sheet = {};
  struct lil_facts *facts = &sheet.facts;
  lil_describe_subject(facts, task);
  if (is_known) {
    lil_set(facts, LIL_FLAGS, flags);
    lil_set(facts, LIL_NAMESPACES, flags);
  }
  lil_set(facts, LIL_REQUEST, 0);
  return lil_answer(&asked, &sheet, call);
}

#ifdef __TARGET_ARCH_x86
#define NR_CLONE(call) ((call)->arch == ARCH_I386 ? 120 : 56)
#define NR_UNSHARE(call) ((call)->arch == ARCH_I386 ? 310 : 272)
#define NR_SETNS(call) ((call)->arch == ARCH_I386 ? 346 : 308)
#define NR_DELETE_MODULE(call) ((call)->arch == ARCH_I386 ? 129 : 176)
#else
#define NR_CLONE(call) 220
#define NR_UNSHARE(call) 97
#define NR_SETNS(call) 268
#define NR_DELETE_MODULE(call) 106
#endif
#define NR_CLONE3 435

#define NEW_BY_CLONE 0x7e020000ull
#define NEW_BY_UNSHARE 0x7e020080ull

/* CLONE_NEW* bits of the call; -1 where it does not say. */
static __always_inline lil_s64 lil_new_namespaces(const struct lil_call *call) {
  if (call->number == NR_CLONE(call)) return call->arguments[0] & NEW_BY_CLONE;
  if (call->number == NR_UNSHARE(call)) return call->arguments[0] & NEW_BY_UNSHARE;
  if (call->number == NR_SETNS(call)) {
    lil_u32 kinds = call->arguments[1];
    return kinds ? (lil_s64)(kinds & NEW_BY_UNSHARE) : -1;
  }
  if (call->number == NR_CLONE3) return -1;
  return 0;
}

SEC("lsm/userns_create")
int BPF_PROG(userns_create, const struct cred *cred) {
  if (lil_passes(LIL_CLONE)) return 0;
  struct lil_call call = {};
  lil_read_call(bpf_get_current_task_btf(), &call);
  lil_s64 flags = lil_new_namespaces(&call);
  if (flags < 0) flags = 0;
  return lil_separate(LIL_USERNS_CREATE, &call, flags | CLONE_NEWUSER, 1);
}
