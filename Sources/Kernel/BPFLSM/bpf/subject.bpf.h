// Owns the facts about the caller: read from its task while it is in the call, so that none can be out of date.
// It must not judge them. Everything is read by direct loads, which the verifier checks.
#ifndef LILIUM_SUBJECT_H
#define LILIUM_SUBJECT_H

#include "maps.bpf.h"

/* include/uapi/linux/audit.h */
#define ARCH_X86_64 0xc000003e
#define ARCH_I386 0x40000003
#define ARCH_AARCH64 0xc00000b7
/* arch/x86/include/asm/thread_info.h: the call came by a 32-bit entry. */
#define TS_COMPAT 2

/* arch/x86/include/uapi/asm/unistd.h: a call of the x32 kind, most of which have the numbers of x86-64's. */
#define X32_CALL 0x40000000

/* A system call as its caller made it. */
struct lil_call {
  lil_u64 arguments[6];
  lil_u32 number;
  lil_u32 arch;
};

static __always_inline void lil_read_call(struct task_struct *task, struct lil_call *call) {
  struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
#ifdef __TARGET_ARCH_x86
  call->number = (lil_u32)regs->orig_ax & ~X32_CALL;
  if (task->thread_info.status & TS_COMPAT) {
    call->arch = ARCH_I386;
    call->arguments[0] = (lil_u32)regs->bx;
    call->arguments[1] = (lil_u32)regs->cx;
    call->arguments[2] = (lil_u32)regs->dx;
    call->arguments[3] = (lil_u32)regs->si;
    call->arguments[4] = (lil_u32)regs->di;
    call->arguments[5] = (lil_u32)regs->bp;
    return;
  }
  call->arch = ARCH_X86_64;
  call->arguments[0] = regs->di;
  call->arguments[1] = regs->si;
  call->arguments[2] = regs->dx;
  call->arguments[3] = regs->r10;
  call->arguments[4] = regs->r8;
  call->arguments[5] = regs->r9;
#else
  call->number = (lil_u32)regs->syscallno;
  call->arch = ARCH_AARCH64;
  for (int i = 0; i < 6; i++) call->arguments[i] = regs->regs[i];
#endif
}

static __always_inline void lil_set(struct lil_facts *facts, enum lil_field field, lil_u64 value) {
  facts->value[field] = value;
  facts->known |= 1ull << field;
}

static __always_inline lil_u64 lil_effective(const struct cred *cred) {
  const struct cred___one *one = (const void *)cred;
  if (bpf_core_field_exists(one->cap_effective.val)) return one->cap_effective.val;
  const struct cred___words *words = (const void *)cred;
  return words->cap_effective.cap[0] | (lil_u64)words->cap_effective.cap[1] << 32;
}

static __always_inline lil_u64 lil_permitted(const struct cred *cred) {
  const struct cred___one *one = (const void *)cred;
  if (bpf_core_field_exists(one->cap_permitted.val)) return one->cap_permitted.val;
  const struct cred___words *words = (const void *)cred;
  return words->cap_permitted.cap[0] | (lil_u64)words->cap_permitted.cap[1] << 32;
}

/* Device and inode of the program that a task runs; a kernel thread has none. */
static __always_inline void lil_set_program(
    struct lil_facts *facts, struct task_struct *task, enum lil_field device, enum lil_field inode) {
  struct mm_struct *memory = task->mm;
  if (!memory) return;
  struct file *file = memory->exe_file;
  if (!file) return;
  lil_set(facts, device, file->f_inode->i_sb->s_dev);
  lil_set(facts, inode, file->f_inode->i_ino);
}

static __always_inline void lil_describe_subject(struct lil_facts *facts, struct task_struct *task) {
  const struct cred *cred = task->cred;
  lil_set(facts, LIL_PID, task->tgid);
  lil_set(facts, LIL_PPID, task->real_parent->tgid);
  lil_set(facts, LIL_UID, cred->uid.val);
  lil_set(facts, LIL_EUID, cred->euid.val);
  lil_set(facts, LIL_GID, cred->gid.val);
  lil_set(facts, LIL_EGID, cred->egid.val);
  if (bpf_core_field_exists(task->loginuid)) {
    lil_set(facts, LIL_AUID, task->loginuid.val);
    lil_set(facts, LIL_SESSION, task->sessionid);
  }
  lil_set(facts, LIL_EFFECTIVE, lil_effective(cred));
  lil_set(facts, LIL_PERMITTED, lil_permitted(cred));
  lil_set(facts, LIL_USERNS_INITIAL, cred->user_ns->level == 0);
  struct nsproxy *proxy = task->nsproxy;
  if (proxy) lil_set(facts, LIL_MNTNS_INITIAL, proxy->mnt_ns->ns.inum == initial_mount_namespace);
  lil_set(facts, LIL_CGROUP, bpf_get_current_cgroup_id());
  lil_set_program(facts, task, LIL_EXE_DEV, LIL_EXE_INO);
}

/* The traced process. */
static __always_inline void lil_describe_target(struct lil_facts *facts, struct task_struct *task) {
  lil_set(facts, LIL_TARGET_PID, task->tgid);
  lil_set(facts, LIL_TARGET_UID, task->real_cred->uid.val);
  lil_set_program(facts, task, LIL_TARGET_DEV, LIL_TARGET_INO);
}

/* The file behind a call. */
static __always_inline void lil_describe_file(struct lil_facts *facts, struct file *file) {
  struct inode *inode = file->f_inode;
  lil_set(facts, LIL_OBJECT_DEV, inode->i_sb->s_dev);
  lil_set(facts, LIL_OBJECT_INO, inode->i_ino);
  lil_set(facts, LIL_OBJECT_OWNER, inode->i_uid.val);
  lil_set(facts, LIL_OBJECT_MODE, inode->i_mode & 07777);
}

#endif
