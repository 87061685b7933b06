// Owns the kernel's structures, as far as the programs read them; libbpf finds each field's place in the running kernel.
// It must not hold a field that no program reads. Names are the kernel's (include/linux, fs/mount.h).
#ifndef LILIUM_KERNEL_H
#define LILIUM_KERNEL_H

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lilium_layout.h"

#define RELOCATED __attribute__((preserve_access_index))

typedef struct { unsigned int val; } kuid_t;
typedef struct { unsigned int val; } kgid_t;

struct ns_common { unsigned int inum; } RELOCATED;
struct user_namespace { int level; } RELOCATED;
struct mnt_namespace { struct ns_common ns; } RELOCATED;
struct nsproxy { struct mnt_namespace *mnt_ns; } RELOCATED;

/* Two words before Linux 6.3, one since. */
struct kernel_cap_struct { unsigned int cap[2]; } RELOCATED;
struct cred {
  kuid_t uid, euid;
  kgid_t gid, egid;
  struct user_namespace *user_ns;
} RELOCATED;
struct cred___words { struct kernel_cap_struct cap_effective, cap_permitted; } RELOCATED;
typedef struct { lil_u64 val; } kernel_cap_t___one;
struct cred___one { kernel_cap_t___one cap_effective, cap_permitted; } RELOCATED;

struct file_system_type { const char *name; } RELOCATED;
struct super_block { unsigned int s_dev; struct file_system_type *s_type; } RELOCATED;
struct inode {
  unsigned short i_mode;
  kuid_t i_uid;
  struct super_block *i_sb;
  unsigned long i_ino;
} RELOCATED;
struct qstr { const unsigned char *name; } RELOCATED;
struct dentry {
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
  struct super_block *d_sb;
} RELOCATED;
struct vfsmount { struct super_block *mnt_sb; } RELOCATED;
struct path { struct dentry *dentry; } RELOCATED;
struct file {
  unsigned int f_mode;
  struct inode *f_inode;
  struct path f_path;
} RELOCATED;
struct bpf_map { unsigned int id; } RELOCATED;
struct mm_struct { struct file *exe_file; } RELOCATED;

/* x86 only: whether the call is a 32-bit one. */
struct thread_info { unsigned int status; } RELOCATED;
struct task_struct {
  struct thread_info thread_info;
  int pid, tgid;
  struct task_struct *real_parent, *group_leader;
  lil_u64 start_boottime;
  const struct cred *cred, *real_cred;
  struct mm_struct *mm;
  struct nsproxy *nsproxy;
  kuid_t loginuid;
  unsigned int sessionid;
  char comm[16];
} RELOCATED;

/* Never read. */
struct kernel_siginfo;

struct vm_area_struct { unsigned long vm_flags; struct file *vm_file; } RELOCATED;

#ifdef __TARGET_ARCH_x86
struct pt_regs { unsigned long di, si, dx, r10, r8, r9, bx, cx, bp, orig_ax; } RELOCATED;
#else
struct user_pt_regs { unsigned long regs[31]; } RELOCATED;
struct pt_regs { unsigned long regs[31]; int syscallno; } RELOCATED;
#endif

/* include/linux/ptrace.h: more than a look. */
#define PTRACE_MODE_ATTACH 2

enum kernel_read_file_id { READING_FIRMWARE, READING_MODULE, READING_KEXEC_IMAGE };
enum kernel_load_data_id { LOADING_FIRMWARE, LOADING_MODULE, LOADING_KEXEC_IMAGE };

#endif
