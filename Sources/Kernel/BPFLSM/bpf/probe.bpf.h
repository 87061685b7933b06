// Owns the proof that a denial is a denial on this kernel: a child of liliumd that asks for one priority is refused.
// It must not refuse anybody else anything.
#include "maps.bpf.h"

/* What lil_probe_child() of CBPFLSM asks for. */
#define LIL_PROBE_NICE 13

SEC("lsm/task_setnice")
int BPF_PROG(probe, struct task_struct *p, int nice) {
  if (nice != LIL_PROBE_NICE) return 0;
  return bpf_get_current_task_btf()->real_parent->tgid == (int)lilium_pid ? -1 : 0;
}
