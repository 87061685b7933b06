// Owns the door `ioctl`: a device is driven past its file interface (security_file_ioctl, and _compat since Linux 6.8).
// It must not know commands: the compiled rules name them.
#include "door.bpf.h"
#include "hooks.bpf.h"

static __always_inline int lil_drive(struct file *file, unsigned int command, enum lil_hook hook) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .mechanism = LIL_IOCTL, .hook = hook};
  struct lil_sheet sheet = {};
  struct lil_facts *facts = &sheet.facts;
  struct lil_call call = {};
  lil_read_call(task, &call);
  lil_describe_subject(facts, task);
  lil_describe_file(facts, file);
  lil_set(facts, LIL_REQUEST, command);
  lil_set(facts, LIL_FLAGS, 0);
  return lil_answer(&asked, &sheet, &call);
}

SEC("lsm/file_ioctl")
int BPF_PROG(file_ioctl, struct file *file, unsigned int cmd, unsigned long arg) {
  if (lil_passes(LIL_IOCTL)) return 0;
  return lil_drive(file, cmd, LIL_FILE_IOCTL);
}

SEC("lsm/file_ioctl_compat")
int BPF_PROG(file_ioctl_compat, struct file *file, unsigned int cmd, unsigned long arg) {
  if (lil_passes(LIL_IOCTL)) return 0;
  return lil_drive(file, cmd, LIL_FILE_IOCTL_COMPAT);
}
