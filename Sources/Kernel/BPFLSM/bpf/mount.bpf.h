// Owns the door `mount`: the file tree itself changes (security_sb_mount, _umount, _pivotroot, _move_mount).
// It must not ask twice of one call. What has no hook of its own is in capable.bpf.h.
#include "door.bpf.h"
#include "hooks.bpf.h"

/* mount(2): no new file system is named. */
#define MS_OLD (0x20 | 0x1000 | 0x2000 | 0x20000 | 0x40000 | 0x80000 | 0x100000)
#define MS_REMOUNT 0x20

static __always_inline void lil_set_type(struct lil_facts *facts, const char *name) {
  lil_u64 words[2] = {};
  if (!reads_text || !name) return;
  /* A longer name is cut to 15 bytes: no rule may ask for so many. */
  if (bpf_probe_read_kernel_str(words, sizeof(words), name) < 0) return;
  lil_set(facts, LIL_FSTYPE_LOW, words[0]);
  lil_set(facts, LIL_FSTYPE_HIGH, words[1]);
}

static __always_inline int lil_mount(
    enum lil_hook hook, const struct lil_call *call, lil_u64 flags, const char *type) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .name = type, .mechanism = LIL_MOUNT, .hook = hook};
  struct lil_sheet sheet = {};
  struct lil_facts *facts = &sheet.facts;
  lil_describe_subject(facts, task);
  lil_set_type(facts, type);
  lil_set(facts, LIL_FLAGS, flags);
  lil_set(facts, LIL_REQUEST, 0);
  return lil_answer(&asked, &sheet, call);
}

SEC("lsm/sb_mount")
int BPF_PROG(
    sb_mount, const char *dev_name, const struct path *path, const char *type, unsigned long flags, void *data) {
  if (lil_passes(LIL_MOUNT)) return 0;
  struct lil_call call = {};
  lil_read_call(bpf_get_current_task_btf(), &call);
  const char *name = type;
  if (flags & MS_OLD) name = flags & MS_REMOUNT ? path->dentry->d_sb->s_type->name : 0;
  return lil_mount(LIL_SB_MOUNT, &call, flags, name);
}

SEC("lsm/sb_umount")
int BPF_PROG(sb_umount, struct vfsmount *mnt, int flags) {
  if (lil_passes(LIL_MOUNT)) return 0;
  struct lil_call call = {};
  lil_read_call(bpf_get_current_task_btf(), &call);
  return lil_mount(LIL_SB_UMOUNT, &call, (lil_u32)flags, mnt->mnt_sb->s_type->name);
}

SEC("lsm/sb_pivotroot")
int BPF_PROG(sb_pivotroot, const struct path *old_path, const struct path *new_path) {
  if (lil_passes(LIL_MOUNT)) return 0;
  struct lil_call call = {};
  lil_read_call(bpf_get_current_task_btf(), &call);
  return lil_mount(LIL_SB_PIVOTROOT, &call, 0, old_path->dentry->d_sb->s_type->name);
}

SEC("lsm/move_mount")
int BPF_PROG(move_mount, const struct path *from_path, const struct path *to_path) {
  if (lil_passes(LIL_MOUNT)) return 0;
  struct lil_call call = {};
  lil_read_call(bpf_get_current_task_btf(), &call);
  return lil_mount(LIL_MOVE_MOUNT, &call, (lil_u32)call.arguments[4], from_path->dentry->d_sb->s_type->name);
}
