# Maps Lilium's records (schema 1, one JSON object a line) to the Elastic Common Schema, 8.17.
# It must not drop anything: what ECS has no field for stands unchanged under `lilium`. lilium-record(5) has the table.
#
#   jq -acf lilium-to-ecs.jq --arg host NAME /var/log/lilium.json
#
# The rule of the house: only what was prevented is `denied`. What audit mode would have denied was allowed.

def pruned: walk(if type == "object" then with_entries(select(.value != null and .value != {})) else . end);
def base_name: if . then split("/") | map(select(. != "")) | last // "/" else null end;
def text: if . == null then null else tostring end;
def failed: (.operation.result // 0) < 0;

# What came of a decision, in one word.
def outcome_word:
  if .verdict == "allow" then "allowed"
  elif .mode != "enforce" then "would-deny"
  elif .effect == "prevented" then "denied"
  elif .effect == "contained" then "contained"
  elif failed then "attempted"
  else "not-contained" end;

def priority:
  if .kind == "decision" or .kind == "suppressed" then
    if .reason == "failure" then 4 elif .verdict == "allow" then 6 elif .mode == "enforce" then 4 else 5 end
  elif .kind == "loss" or .kind == "policy-refused" then 3
  elif .kind == "coverage-changed" then if .state == "failed" then 4 else 6 end
  elif .kind == "sensing-changed" then if .problem then 4 else 6 end
  elif .kind == "trust-loaded" then if .problem then 3 else 6 end
  elif .kind == "tampering-denied" then 4
  elif .kind == "mode-changed" then 5
  elif .kind == "policy-loaded" then if .warnings == [] then 6 else 5 end
  else 6 end;
def level: {"3": "error", "4": "warning", "5": "notice", "6": "info"}[priority | tostring];

# ECS's category of what was asked for, and the type of event where it came to pass.
def deed:
  if .mechanism == "exec" then
    if .operation.kind == "execute" then ["process", "start"]
    elif .object.kind == "elf-library" then ["library", "start"]
    else ["file", "access"] end
  elif .mechanism == "open" then ["file", "access"]
  elif .mechanism == "ptrace" then ["process", "access"]
  elif .mechanism == "mprotect" or .mechanism == "clone" then ["process", "change"]
  elif .mechanism == "module" then ["driver", if .operation.syscall == "delete_module" then "end" else "start" end]
  elif .mechanism == "kexec" then ["host", "change"]
  elif .mechanism == "mount" then ["configuration", "change"]
  else ["api", "access"] end;

def categories:
  if .kind == "decision" then [deed[0], if .verdict == "deny" then "intrusion_detection" else empty end]
  elif .kind == "suppressed" then ["intrusion_detection"]
  elif .kind == "tampering-denied" then ["process", "intrusion_detection"]
  elif .kind | IN("mode-changed", "policy-loaded", "policy-refused", "trust-loaded") then ["configuration"]
  elif .kind | IN("started", "stopped") then ["process"]
  else ["host"] end;

def types:
  if .kind == "decision" then
    outcome_word as $word
    | if $word == "denied" then ["denied"]
      elif $word == "attempted" then ["info"]
      elif $word == "contained" then ["info", deed[1]]
      elif failed then ["allowed"]
      else ["allowed", deed[1]] end
  elif .kind == "tampering-denied" then ["denied"]
  elif .kind == "started" then ["start"]
  elif .kind == "stopped" then ["end"]
  elif .kind | IN("loss", "policy-refused") then ["error"]
  elif .problem or .state == "failed" then ["error"]
  elif .kind | IN("mode-changed", "policy-loaded", "trust-loaded") then ["change"]
  elif .kind | IN("coverage-changed", "sensing-changed") then ["change"]
  else ["info"] end;

# Whether the operation came to pass, as far as Lilium knows: a file that it lets pass may be refused by others.
def outcome:
  if .kind == "decision" then
    if .effect == "prevented" or failed then "failure"
    elif .operation.result then "success"
    else "unknown" end
  elif .kind | IN("policy-refused", "tampering-denied") then "failure"
  else null end;

def reason_words:
  if .reason then [.reason, .rule // .failure // (if .reason == "capability" then .capability else null end)]
    | map(select(.)) | join(" ")
  else .why // .detail // null end;

def sentence:
  if .journal.message then .journal.message
  elif .kind == "decision" then
    "\(.mechanism) \(outcome_word): \(.object.path // .operation.syscall // .operation.kind) by "
    + "\(.subject.exe // .subject.comm // "process") [\(.subject.pid)]: \(reason_words)"
  else .kind end;

def process:
  {pid: .pid, executable: .exe, name: (.comm // (.exe | base_name)), parent: {pid: .ppid},
   user: {id: (.euid | text)}, real_user: {id: (.uid | text)}, real_group: {id: (.gid | text)},
   thread: {capabilities: {effective: .capabilities}}};

def file:
  {path: .path, name: (.path | base_name), device: .dev, inode: (.inode | text), size: .size, mode: .mode,
   uid: (.owner | text), gid: (.group | text), hash: {sha256: .sha256}};

# What stands elsewhere now. A verdict's own words stay: they say more than ECS's.
def rest:
  delpaths([["id"], ["time"], ["rule"], ["diagnostics"], ["version"], ["journal"], ["subject", "pid"],
    ["subject", "ppid"], ["subject", "uid"], ["subject", "euid"], ["subject", "gid"], ["subject", "exe"],
    ["subject", "comm"], ["subject", "capabilities"], ["object", "path"], ["object", "dev"], ["object", "inode"],
    ["object", "size"], ["object", "mode"], ["object", "owner"], ["object", "group"], ["object", "sha256"]])
  | if .kind == "mode-changed" then del(.uid) elif .kind == "started" then del(.pid) else . end;

{
  "@timestamp": .time,
  ecs: {version: "8.17.0"},
  message: sentence,
  event: {
    kind: (if .kind == "tampering-denied" or (.kind == "decision" and .verdict == "deny" and .mode == "enforce")
      then "alert" else "event" end),
    category: categories, type: types, outcome: outcome,
    action: (if .kind == "decision" then "\(.mechanism)-\(outcome_word)" else .kind end),
    id: .id, sequence: (.id | split("-") | last | tonumber), module: "lilium", dataset: "lilium.record",
    provider: "liliumd", reason: reason_words
  },
  log: {level: level, syslog: {severity: {code: priority}}},
  host: {name: (.journal.hostname // $ARGS.named.host)},
  agent: {type: "liliumd", version: .version},
  rule: (if .rule then {name: .rule, ruleset: (.rule | sub(":[0-9]+$"; ""))} else null end),
  error: {message: (if .diagnostics then .diagnostics | join("\n") else null end)},
  process: (if .subject then .subject | process elif .kind == "started" then {pid: .pid} else null end),
  user: {id: (if .subject then .subject.uid else .uid end | text), effective: {id: (.subject.euid | text)}},
  file: (if .object then .object | file else null end),
  lilium: rest
} | pruned
