// Owns what the kernel's programs and liliumd say to each other: the compiled policy, the facts, the event.
// Both sides include this file. It must hold fixed-width types only, in an order that leaves no hidden padding.
#ifndef LILIUM_LAYOUT_H
#define LILIUM_LAYOUT_H

#ifdef __bpf__
typedef unsigned char lil_u8;
typedef unsigned short lil_u16;
typedef unsigned int lil_u32;
typedef int lil_s32;
typedef unsigned long long lil_u64;
typedef long long lil_s64;
#else
#include <stdint.h>
typedef uint8_t lil_u8;
typedef uint16_t lil_u16;
typedef uint32_t lil_u32;
typedef int32_t lil_s32;
typedef uint64_t lil_u64;
typedef int64_t lil_s64;
#endif

/* Mechanisms, modes and verdicts have the numbers of AccessModel's enumerations. */
enum lil_mechanism {
  LIL_EXEC, LIL_OPEN, LIL_PTRACE, LIL_MPROTECT, LIL_MODULE, LIL_KEXEC, LIL_MOUNT, LIL_CLONE, LIL_IOCTL,
  LIL_MECHANISMS
};
enum lil_mode { LIL_OFF, LIL_AUDIT, LIL_ENFORCE };
enum lil_verdict { LIL_ALLOW, LIL_DENY };
enum lil_reason { LIL_BY_CAPABILITY, LIL_BY_RULE, LIL_BY_UNDECIDED, LIL_BY_DEFAULT };

/* Facts that a step may read. Numbers stand for themselves, truth values are 0 and 1, texts of up to 15 bytes lie in two
   words, zero-padded, the first byte lowest. Devices are major << 20 | minor, as the kernel keeps them. */
enum lil_field {
  LIL_PID, LIL_PPID, LIL_UID, LIL_EUID, LIL_GID, LIL_EGID, LIL_AUID, LIL_SESSION,
  LIL_EXE_DEV, LIL_EXE_INO, LIL_EFFECTIVE, LIL_PERMITTED, LIL_USERNS_INITIAL, LIL_MNTNS_INITIAL, LIL_CGROUP,
  /* The system call: its number on its architecture, AUDIT_ARCH_* of that. */
  LIL_CALL, LIL_ARCH,
  /* The request of ptrace(2) or ioctl(2); 0 of other calls. */
  LIL_REQUEST,
  /* Bits of flags, PROT_* and CLONE_NEW* as the call was given them; 0 where it has none. */
  LIL_FLAGS, LIL_PROTECTION, LIL_NAMESPACES,
  LIL_TARGET_PID, LIL_TARGET_UID, LIL_TARGET_DEV, LIL_TARGET_INO,
  /* The file behind a call, or the file system's name. */
  LIL_OBJECT_DEV, LIL_OBJECT_INO, LIL_OBJECT_OWNER, LIL_OBJECT_MODE, LIL_FSTYPE_LOW, LIL_FSTYPE_HIGH,
  LIL_FIELDS
};

/* What a step asks of its field `a` and of `b`, a constant or another field. Numbers compare as signed. */
enum lil_test {
  LIL_EQUAL, LIL_LESS, LIL_LESS_OR_EQUAL,
  /* a & b == b; a & b != 0. */
  LIL_ALL_BITS, LIL_ANY_BIT,
  /* No question: the verdict, with the rule's number in `value` (from 1; 0 for the default). */
  LIL_VERDICT
};

#define LIL_NO_FIELD 255
#define LIL_STEPS 1024

/* One step of a compiled rule: a question with two ways on, both to later steps. */
struct lil_step {
  lil_u64 value;
  lil_u16 on_true;
  lil_u16 on_false;
  lil_u8 test;
  lil_u8 field;
  /* LIL_NO_FIELD: compare with `value`. */
  lil_u8 other;
  /* The answer where a field is not known: 0 or 1. Of LIL_VERDICT the verdict. */
  lil_u8 unknown;
  /* Of LIL_VERDICT: enum lil_reason. */
  lil_u8 reason;
  lil_u8 spare[7];
};

/* What holds for one mechanism. */
struct lil_door {
  /* A caller in the initial user namespace that holds all of these passes; 0: nobody does. */
  lil_u64 capability;
  lil_u16 entry;
  lil_u8 mode;
  /* Allows are events as well. */
  lil_u8 logs_allows;
  lil_u8 spare[4];
};

/* The whole policy; replaced as one. */
struct lil_policy {
  lil_u64 generation;
  struct lil_door doors[LIL_MECHANISMS];
  struct lil_step steps[LIL_STEPS];
};

/* The facts of one request; bit n of `known` says that value[n] holds. */
struct lil_facts {
  lil_u64 known;
  lil_u64 value[LIL_FIELDS];
};

struct lil_outcome {
  lil_u32 rule;
  lil_u8 verdict;
  lil_u8 reason;
  lil_u8 mode;
  lil_u8 spare;
};

/* The context of the program `decide`, run by BPF_PROG_RUN: the policy in force is asked. */
struct lil_question {
  struct lil_facts facts;
  struct lil_outcome outcome;
  lil_u32 mechanism;
  lil_u32 spare;
};

#define LIL_NAME 64

/* A decision that is to be recorded. */
struct lil_event {
  /* CLOCK_BOOTTIME, ns. */
  lil_u64 time;
  /* Start of the caller's thread group leader: CLOCK_BOOTTIME, ns (/proc/PID/stat has it in ticks). */
  lil_u64 start;
  lil_u64 generation;
  /* Arguments of the system call. */
  lil_u64 arguments[6];
  lil_u32 call;
  /* AUDIT_ARCH_*. */
  lil_u32 arch;
  lil_u32 tid;
  lil_u32 userns_level;
  lil_u64 target_start;
  struct lil_facts facts;
  struct lil_outcome outcome;
  lil_u8 mechanism;
  /* Which hook asked: the program's number in the table of hooks, of self-protection's in its own. */
  lil_u8 hook;
  lil_u8 spare[6];
  char comm[16];
  char target_comm[16];
  /* Module, or file system type; empty where there is none. */
  char name[LIL_NAME];
};

#define LIL_KEPT 8
#define LIL_WARDS 2
#define LIL_KIN 2
#define LIL_WRITERS 64

/* Whom self-protection is about: thread group ids of the initial pid namespace, 0 for none. Events of it have
   LIL_MECHANISMS for their mechanism, and the signal or limit for LIL_REQUEST. */
struct lil_ward {
  /* Files and folders that nobody else changes, nor what is in them: inode, and device as the kernel keeps it. */
  struct lil_kept {
    lil_u64 inode;
    lil_u32 device;
    lil_u32 spare;
  } kept[LIL_KEPT];
  /* liliumd, and the process that ends it where it stands still. */
  lil_u32 wards[LIL_WARDS];
  /* Daemons that take over, or are taken over from. */
  lil_u32 kin[LIL_KIN];
  /* May change what lies in Lilium's folders. */
  lil_u32 writers[LIL_WRITERS];
};

/* Counters, one of each kind for each processor. */
enum lil_counter {
  /* The ring buffer was full. */
  LIL_LOST_EVENTS,
  /* The policy could not be found: answered as its failure says. */
  LIL_NO_POLICY,
  LIL_COUNTERS
};

/* Decisions since the programs were loaded, by mechanism, verdict and reason. */
struct lil_tally {
  lil_u64 decisions[LIL_MECHANISMS][2][4];
  lil_u64 counters[LIL_COUNTERS];
};

#endif
