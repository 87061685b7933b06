// Owns the door `mprotect`: data becomes code (security_mmap_file, security_file_mprotect).
// It must not judge a file that is mapped for execution alone: `exec` does.
#include "door.bpf.h"
#include "hooks.bpf.h"

#define PROT_WRITE 2
#define PROT_EXEC 4

static __always_inline int lil_protect(lil_u64 protection, lil_u64 flags, enum lil_hook hook) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .mechanism = LIL_MPROTECT, .hook = hook};
  struct lil_sheet sheet = {};
  struct lil_facts *facts = &sheet.facts;
  struct lil_call call = {};
  lil_read_call(task, &call);
  lil_describe_subject(facts, task);
  lil_set(facts, LIL_PROTECTION, protection);
  lil_set(facts, LIL_FLAGS, flags);
  lil_set(facts, LIL_REQUEST, 0);
  return lil_answer(&asked, &sheet, &call);
}

/* `prot` is what the kernel will grant: READ_IMPLIES_EXEC of personality(2) adds PROT_EXEC to what was asked. */
SEC("lsm/mmap_file")
int BPF_PROG(
    mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags) {
  if (!(prot & PROT_EXEC) || (file && !(prot & PROT_WRITE)) || lil_passes(LIL_MPROTECT)) return 0;
  return lil_protect(prot, flags, LIL_MMAP_FILE);
}

SEC("lsm/file_mprotect")
int BPF_PROG(
    file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot) {
  if (!(prot & PROT_EXEC) || lil_passes(LIL_MPROTECT)) return 0;
  return lil_protect(prot, 0, LIL_FILE_MPROTECT);
}
