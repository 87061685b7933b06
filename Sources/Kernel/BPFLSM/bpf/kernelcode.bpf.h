// Owns the doors `module` and `kexec`: code enters the kernel, or another kernel takes over (security_kernel_read_file
// for what comes by a descriptor, security_kernel_load_data for what comes from memory, and the loading on demand).
// It must not judge firmware and policies, which come by the same hooks. delete_module is in capable.bpf.h.
#include "door.bpf.h"
#include "hooks.bpf.h"

#ifdef __TARGET_ARCH_x86
#define NR_FINIT_MODULE(call) ((call)->arch == ARCH_I386 ? 350 : 313)
#define NR_KEXEC_LOAD(call) ((call)->arch == ARCH_I386 ? 283 : 246)
#else
#define NR_FINIT_MODULE(call) 273
#define NR_KEXEC_LOAD(call) 104
#endif

/* The flags of finit_module(2) and kexec_load(2), there without the architecture; no other call here has flags. */
static __always_inline lil_u64 lil_load_flags(const struct lil_call *call) {
  if (call->number == NR_FINIT_MODULE(call)) return (lil_u32)call->arguments[2];
  if (call->number == NR_KEXEC_LOAD(call)) return call->arguments[3] & 0xffff;
  return 0;
}

static __always_inline int lil_load(
    lil_u8 mechanism, enum lil_hook hook, struct file *file, const char *name) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .name = name, .mechanism = mechanism, .hook = hook};
  struct lil_sheet sheet = {};
  struct lil_facts *facts = &sheet.facts;
  struct lil_call call = {};
  lil_read_call(task, &call);
  lil_describe_subject(facts, task);
  lil_set(facts, LIL_REQUEST, 0);
  lil_set(facts, LIL_FLAGS, lil_load_flags(&call));
  if (file) lil_describe_file(facts, file);
  return lil_answer(&asked, &sheet, &call);
}

SEC("lsm/kernel_read_file")
int BPF_PROG(kernel_read_file, struct file *file, enum kernel_read_file_id id, int contents) {
  if (id == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE)) {
    if (lil_passes(LIL_MODULE)) return 0;
    return lil_load(LIL_MODULE, LIL_KERNEL_READ_FILE, file, 0);
  }
  if (id == bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE)) {
    if (lil_passes(LIL_KEXEC)) return 0;
    return lil_load(LIL_KEXEC, LIL_KERNEL_READ_FILE, file, 0);
  }
  return 0;
}

SEC("lsm/kernel_load_data")
int BPF_PROG(kernel_load_data, enum kernel_load_data_id id, int contents) {
  if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE)) {
    if (lil_passes(LIL_MODULE)) return 0;
    return lil_load(LIL_MODULE, LIL_KERNEL_LOAD_DATA, 0, 0);
  }
  if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_IMAGE)) {
    if (lil_passes(LIL_KEXEC)) return 0;
    return lil_load(LIL_KEXEC, LIL_KERNEL_LOAD_DATA, 0, 0);
  }
  return 0;
}

/* The kernel is about to run modprobe(8) for what the caller asked. */
SEC("lsm/kernel_module_request")
int BPF_PROG(kernel_module_request, char *kmod_name) {
  if (lil_passes(LIL_MODULE)) return 0;
  return lil_load(LIL_MODULE, LIL_KERNEL_MODULE_REQUEST, 0, kmod_name);
}
