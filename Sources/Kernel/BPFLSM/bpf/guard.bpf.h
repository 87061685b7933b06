// Owns the protection of liliumd itself: its processes, its folders, its maps. Kin pass, and the init process does.
// It must not depend on the policy: what is attached denies. Who it is about lies in the map lilium_ward.
#include "door.bpf.h"
#include "hooks.bpf.h"

#define FMODE_WRITE 2
#define SIGHUP 1
#define SIGCONT 18
/* mount(2): an existing mount changes, nothing is hidden by another one. */
#define MS_CHANGE (0x20 | 0x20000 | 0x40000 | 0x80000 | 0x100000)
/* Levels of folders below a kept one. */
#define LIL_DEPTH 8

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, lil_u32);
  __type(value, struct lil_ward);
} lilium_ward SEC(".maps");

/* Numbers of the maps that nobody else writes. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, lil_u32);
  __type(value, lil_u32);
} lilium_maps SEC(".maps");

static __always_inline struct lil_ward *lil_ward(void) {
  lil_u32 first = 0;
  return bpf_map_lookup_elem(&lilium_ward, &first);
}

static __always_inline int lil_is_ward(const struct lil_ward *ward, lil_u32 process) {
  for (int i = 0; i < LIL_WARDS; i++)
    if (ward->wards[i] && ward->wards[i] == process) return 1;
  return 0;
}

/* The daemon and its guard, a daemon that takes over, and the init process. */
static __always_inline int lil_is_kin(const struct lil_ward *ward) {
  lil_u32 process = bpf_get_current_task_btf()->tgid;
  if (process == 1 || lil_is_ward(ward, process)) return 1;
  for (int i = 0; i < LIL_KIN; i++)
    if (ward->kin[i] && ward->kin[i] == process) return 1;
  return 0;
}

/* Kin, and who was admitted to change the trust database. */
static __always_inline int lil_may_write(const struct lil_ward *ward) {
  if (lil_is_kin(ward)) return 1;
  lil_u32 process = bpf_get_current_task_btf()->tgid;
  for (int i = 0; i < LIL_WRITERS; i++)
    if (ward->writers[i] && ward->writers[i] == process) return 1;
  return 0;
}

/* Tells of the attempt, and gives what the hook returns. `target` and `name` may be NULL. */
static __noinline int lil_refuse(struct task_struct *target, const char *name, lil_u32 hook, lil_u64 request) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct lil_request asked = {.task = task, .name = name, .mechanism = LIL_MECHANISMS, .hook = hook};
  struct lil_outcome outcome = {.verdict = LIL_DENY, .mode = LIL_ENFORCE, .reason = LIL_BY_DEFAULT};
  struct lil_facts facts = {};
  struct lil_call call = {};
  lil_read_call(task, &call);
  lil_describe_subject(&facts, task);
  lil_set(&facts, LIL_REQUEST, request);
  if (target) lil_set(&facts, LIL_TARGET_PID, target->tgid);
  lil_tell(&asked, &facts, &outcome, &call, 0);
  return -EPERM;
}

static __always_inline int lil_guard_process(struct task_struct *target, enum lil_guard hook, lil_u64 request) {
  const struct lil_ward *ward = lil_ward();
  if (!ward || !lil_is_ward(ward, target->tgid) || lil_is_kin(ward)) return 0;
  return lil_refuse(target, 0, hook, request);
}

static __always_inline int lil_is_kept(const struct lil_ward *ward, struct dentry *dentry) {
  for (int level = 0; level < LIL_DEPTH; level++) {
    struct inode *inode = dentry->d_inode;
    /* None of a name that is about to be created. */
    lil_u64 number = inode ? inode->i_ino : 0;
    lil_u32 device = inode ? inode->i_sb->s_dev : 0;
    for (int i = 0; i < LIL_KEPT; i++)
      if (number && ward->kept[i].inode == number && ward->kept[i].device == device) return 1;
    struct dentry *parent = dentry->d_parent;
    if (parent == dentry) return 0;
    dentry = parent;
  }
  return 0;
}

static __always_inline int lil_guard_file(struct dentry *dentry, enum lil_guard hook) {
  const struct lil_ward *ward = lil_ward();
  if (!ward || !lil_is_kept(ward, dentry) || lil_may_write(ward)) return 0;
  return lil_refuse(0, (const char *)dentry->d_name.name, hook, 0);
}

/* SIGHUP and SIGCONT neither end nor stop liliumd: they are how it is told to load its policy anew and to go on. A signal
   of the kernel's own, as that of the terminal or of a full control group, comes by no hook. */
SEC("lsm/task_kill")
int BPF_PROG(guard_task_kill, struct task_struct *p, struct kernel_siginfo *info, int sig) {
  return !sig || sig == SIGHUP || sig == SIGCONT ? 0 : lil_guard_process(p, LIL_GUARD_TASK_KILL, sig);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(guard_ptrace_access_check, struct task_struct *child, unsigned int mode) {
  return mode & PTRACE_MODE_ATTACH ? lil_guard_process(child, LIL_GUARD_PTRACE_ACCESS_CHECK, mode) : 0;
}

SEC("lsm/task_setrlimit")
int BPF_PROG(guard_task_setrlimit, struct task_struct *p, unsigned int resource) {
  return lil_guard_process(p, LIL_GUARD_TASK_SETRLIMIT, resource);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(guard_task_setscheduler, struct task_struct *p) {
  return lil_guard_process(p, LIL_GUARD_TASK_SETSCHEDULER, 0);
}

SEC("lsm/task_setnice")
int BPF_PROG(guard_task_setnice, struct task_struct *p, int nice) {
  return lil_guard_process(p, LIL_GUARD_TASK_SETNICE, nice);
}

SEC("lsm/task_setioprio")
int BPF_PROG(guard_task_setioprio, struct task_struct *p, int ioprio) {
  return lil_guard_process(p, LIL_GUARD_TASK_SETIOPRIO, ioprio);
}

SEC("lsm/task_movememory")
int BPF_PROG(guard_task_movememory, struct task_struct *p) {
  return lil_guard_process(p, LIL_GUARD_TASK_MOVEMEMORY, 0);
}

SEC("lsm/file_open")
int BPF_PROG(guard_file_open, struct file *file) {
  return file->f_mode & FMODE_WRITE ? lil_guard_file(file->f_path.dentry, LIL_GUARD_FILE_OPEN) : 0;
}

SEC("lsm/path_truncate")
int BPF_PROG(guard_path_truncate, const struct path *path) {
  return lil_guard_file(path->dentry, LIL_GUARD_PATH_TRUNCATE);
}

SEC("lsm/path_chmod")
int BPF_PROG(guard_path_chmod, const struct path *path) {
  return lil_guard_file(path->dentry, LIL_GUARD_PATH_CHMOD);
}

SEC("lsm/path_chown")
int BPF_PROG(guard_path_chown, const struct path *path) {
  return lil_guard_file(path->dentry, LIL_GUARD_PATH_CHOWN);
}

SEC("lsm/inode_create")
int BPF_PROG(guard_inode_create, struct inode *dir, struct dentry *dentry) {
  return lil_guard_file(dentry, LIL_GUARD_INODE_CREATE);
}

/* Another name elsewhere would be a way to the same file. */
SEC("lsm/inode_link")
int BPF_PROG(guard_inode_link, struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry) {
  int answer = lil_guard_file(old_dentry, LIL_GUARD_INODE_LINK);
  return answer ? answer : lil_guard_file(new_dentry, LIL_GUARD_INODE_LINK);
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_inode_unlink, struct inode *dir, struct dentry *dentry) {
  return lil_guard_file(dentry, LIL_GUARD_INODE_UNLINK);
}

SEC("lsm/inode_symlink")
int BPF_PROG(guard_inode_symlink, struct inode *dir, struct dentry *dentry) {
  return lil_guard_file(dentry, LIL_GUARD_INODE_SYMLINK);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(guard_inode_mkdir, struct inode *dir, struct dentry *dentry) {
  return lil_guard_file(dentry, LIL_GUARD_INODE_MKDIR);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(guard_inode_rmdir, struct inode *dir, struct dentry *dentry) {
  return lil_guard_file(dentry, LIL_GUARD_INODE_RMDIR);
}

SEC("lsm/inode_mknod")
int BPF_PROG(guard_inode_mknod, struct inode *dir, struct dentry *dentry) {
  return lil_guard_file(dentry, LIL_GUARD_INODE_MKNOD);
}

SEC("lsm/inode_rename")
int BPF_PROG(
    guard_inode_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
    struct dentry *new_dentry) {
  int answer = lil_guard_file(old_dentry, LIL_GUARD_INODE_RENAME);
  return answer ? answer : lil_guard_file(new_dentry, LIL_GUARD_INODE_RENAME);
}

SEC("lsm/sb_mount")
int BPF_PROG(
    guard_sb_mount, const char *dev_name, const struct path *path, const char *type, unsigned long flags) {
  return flags & MS_CHANGE ? 0 : lil_guard_file(path->dentry, LIL_GUARD_SB_MOUNT);
}

SEC("lsm/move_mount")
int BPF_PROG(guard_move_mount, const struct path *from_path, const struct path *to_path) {
  return lil_guard_file(to_path->dentry, LIL_GUARD_MOVE_MOUNT);
}

SEC("lsm/bpf_map")
int BPF_PROG(guard_bpf_map, struct bpf_map *map, unsigned int fmode) {
  lil_u32 id = map->id;
  if (!(fmode & FMODE_WRITE) || !bpf_map_lookup_elem(&lilium_maps, &id)) return 0;
  const struct lil_ward *ward = lil_ward();
  if (!ward || lil_is_kin(ward)) return 0;
  return lil_refuse(0, 0, LIL_GUARD_BPF_MAP, id);
}
