// Owns the doors that no hook guards but the question for a capability (security_capable): delete_module, the parts of
// the new mount API that have no hook, and namespaces other than user namespaces. The call's number tells them apart.
// It must not judge the capability itself: the kernel does.
#include "mount.bpf.h"
#include "namespaces.bpf.h"

#define CAP_SYS_MODULE 16
#define CAP_SYS_ADMIN 21
/* include/linux/security.h: only a look, nothing is done with the answer. */
#define CAP_OPT_NOAUDIT 2

#define NR_OPEN_TREE 428
#define NR_FSCONFIG 431
#define NR_FSMOUNT 432
#define NR_MOUNT_SETATTR 442
#define NR_OPEN_TREE_ATTR 467
#define OPEN_TREE_CLONE 1
#define FSCONFIG_CMD_RECONFIGURE 7

static __always_inline int lil_is_mount(const struct lil_call *call) {
  switch (call->number) {
  case NR_OPEN_TREE:
  case NR_OPEN_TREE_ATTR: return call->arguments[2] & OPEN_TREE_CLONE;
  case NR_FSCONFIG: return (lil_u32)call->arguments[1] == FSCONFIG_CMD_RECONFIGURE;
  /* security_sb_kern_mount is asked when fsconfig(2) makes the file system, not when it gets a mount. */
  case NR_FSMOUNT:
  case NR_MOUNT_SETATTR: return 1;
  default: return 0;
  }
}

static __always_inline int lil_unload(const struct lil_call *call) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .mechanism = LIL_MODULE, .hook = LIL_CAPABLE};
  struct lil_sheet sheet = {};
  struct lil_facts *facts = &sheet.facts;
  lil_describe_subject(facts, task);
  lil_set(facts, LIL_FLAGS, (lil_u32)call->arguments[1]);
  lil_set(facts, LIL_REQUEST, 0);
  return lil_answer(&asked, &sheet, call);
}

SEC("lsm/capable")
int BPF_PROG(
    capable, const struct cred *cred, struct user_namespace *ns, int cap, unsigned int opts) {
  if ((cap != CAP_SYS_ADMIN && cap != CAP_SYS_MODULE) || opts & CAP_OPT_NOAUDIT) return 0;
  struct lil_call call = {};
  lil_read_call(bpf_get_current_task_btf(), &call);
  if (cap == CAP_SYS_MODULE) {
    if (call.number != NR_DELETE_MODULE(&call) || lil_passes(LIL_MODULE)) return 0;
    return lil_unload(&call);
  }
  if (lil_is_mount(&call)) {
    if (lil_passes(LIL_MOUNT)) return 0;
    return lil_mount(LIL_CAPABLE, &call, (lil_u32)call.arguments[2], 0);
  }
  lil_s64 kinds = lil_new_namespaces(&call);
  /* Where a user namespace is made among them, userns_create has asked. */
  int has_asked = kinds > 0 && kinds & CLONE_NEWUSER && call.number != NR_SETNS(&call);
  if (!kinds || has_asked || lil_passes(LIL_CLONE)) return 0;
  return lil_separate(LIL_CAPABLE, &call, kinds, kinds >= 0);
}
