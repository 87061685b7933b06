// Owns asking the decision from user space, without a call that is at stake: for tests and `doctor` (BPF_PROG_RUN).
// It must not answer for anybody else.
#include "decision.bpf.h"

SEC("syscall")
int question(struct lil_question *asked) {
  struct lil_sheet sheet = {};
  sheet.facts.known = asked->facts.known;
  for (int i = 0; i < LIL_FIELDS; i++) sheet.facts.value[i] = asked->facts.value[i];
  struct lil_policy *policy = lil_policy();
  if (!policy) return -1;
  struct lil_outcome outcome = {};
  lil_decide(policy, asked->mechanism, &sheet, &outcome);
  asked->outcome = outcome;
  return 0;
}
