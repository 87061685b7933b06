// Owns the one object that holds all of Lilium's programs in the kernel.
// It must not hold code of its own.
#include "capable.bpf.h"
#include "guard.bpf.h"
#include "ioctl.bpf.h"
#include "kernelcode.bpf.h"
#include "mprotect.bpf.h"
#include "probe.bpf.h"
#include "ptrace.bpf.h"
#include "question.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
