# Maps Lilium's records (schema 1, one JSON object a line) to OCSF 1.5.0, the Open Cybersecurity Schema Framework.
# It must not drop anything: what OCSF has no attribute for stands unchanged under `unmapped`. The table is in
# lilium-record(5).
#
#   jq -acf lilium-to-ocsf.jq --arg host NAME /var/log/lilium.json
#
# The rule of the house: only what was prevented is Denied. What audit mode would have denied is Observed.

def pruned: walk(if type == "object" then with_entries(select(.value != null and .value != {})) else . end);
def base_name: if . then split("/") | map(select(. != "")) | last // "/" else null end;
def text: if . == null then null else tostring end;
def failed: (.operation.result // 0) < 0;
def milliseconds:
  (sub("\\.[0-9]+Z$"; "Z") | fromdateiso8601) * 1000 + (capture("\\.(?<digits>[0-9]{3})").digits | tonumber);

def outcome_word:
  if .verdict == "allow" then "allowed"
  elif .mode != "enforce" then "would-deny"
  elif .effect == "prevented" then "denied"
  elif .effect == "contained" then "contained"
  elif failed then "attempted"
  else "not-contained" end;

def severity:
  if .kind == "decision" or .kind == "suppressed" then
    if .reason == "failure" then 3 elif .verdict == "allow" then 1 elif .mode == "enforce" then 3 else 2 end
  elif .kind == "loss" or .kind == "policy-refused" then 4
  elif .kind == "coverage-changed" then if .state == "failed" then 3 else 1 end
  elif .kind == "sensing-changed" then if .problem then 3 else 1 end
  elif .kind == "trust-loaded" then if .problem then 4 else 1 end
  elif .kind == "tampering-denied" then 3
  elif .kind == "mode-changed" then 2
  elif .kind == "policy-loaded" then if .warnings == [] then 1 else 2 end
  else 1 end;

def file:
  {name: ((.path | base_name) // (.inode | text) // "unknown"), path: .path, type_id: 1, type: "Regular File",
   uid: (.inode | text), volume: .dev, size: .size,
   owner: {uid: (.owner | text)},
   hashes: (if .sha256 then [{algorithm_id: 3, algorithm: "SHA-256", value: .sha256}] else null end)};

def process:
  {pid: .pid, name: (.comm // (.exe | base_name)), parent_process: {pid: .ppid}, user: {uid: (.uid | text)},
   euid: .euid, auid: .auid, group: {uid: (.gid | text)}, session: {uid: (.session | text)},
   file: (if .exe then {name: (.exe | base_name), path: .exe, type_id: 1, type: "Regular File"} else null end)};

# One class of events: number, names, and what is particular to it.
def class($uid; $name; $activity; $activity_name; $own):
  {class_uid: $uid, class_name: $name, category_uid: ($uid / 1000 | floor),
   category_name: (if $uid > 6000 then "Application Activity" else "System Activity" end),
   activity_id: $activity, activity_name: $activity_name, type_uid: ($uid * 100 + $activity),
   type_name: "\($name): \($activity_name)"} + $own;

def system_call:
  (.operation.syscall // .mechanism) as $call
  | class(1003; "Kernel Activity"; 4; "Invoke"; {kernel: {name: $call, type_id: 2, type: "System Call",
      system_call: $call, path: .object.path}});

def file_system($activity; $name): class(1001; "File System Activity"; $activity; $name; {file: (.object | file)});

def lifecycle($activity; $name):
  class(6002; "Application Lifecycle"; $activity; $name;
    {app: {name: "Lilium", vendor_name: "Lilium", version: .version}});

def injects: .operation.syscall == "process_vm_writev" or ((.operation.request // "") | test("^PTRACE_(POKE|SET)"));

def by_mechanism:
  .operation.syscall as $call
  | if .mechanism == "exec" then
      if .operation.kind == "execute" then
        class(1007; "Process Activity"; 1; "Launch";
          {process: {pid: .subject.pid, file: (.object // {} | file)}})
      elif .object.kind == "elf-library" then
        class(1005; "Module Activity"; 1; "Load";
          {module: {file: (.object | file), load_type_id: 1, load_type: "Standard"}})
      else file_system(14; "Open") end
    elif .mechanism == "open" then file_system(14; "Open")
    elif .mechanism == "ptrace" then
      (.target // (if .operation.request == "PTRACE_TRACEME" then .subject else null end)) as $target
      | if ($target.pid // null) == null then system_call
        elif injects then
          class(1007; "Process Activity"; 4; "Inject"; {process: ($target | process), injection_type_id: 99,
            injection_type: (.operation.request // $call)})
        else class(1007; "Process Activity"; 3; "Open"; {process: ($target | process)}) end
    elif .mechanism == "mprotect" then
      {process: (.subject | process)} as $own
      | if $call == "mmap" or $call == "mmap2" then class(1004; "Memory Activity"; 1; "Allocate Page"; $own)
        else class(1004; "Memory Activity"; 2; "Modify Page"; $own) end
    elif .mechanism == "module" then
      ((.object.path | base_name) // .operation.module // "unknown") as $name
      | {driver: {file: ((.object // {} | file) + {name: $name})}} as $own
      | if $call == "delete_module" then class(1002; "Kernel Extension Activity"; 2; "Unload"; $own)
        else class(1002; "Kernel Extension Activity"; 1; "Load"; $own) end
    elif .mechanism == "mount" and .object.path then
      {file: ((.object | file) + {type_id: 2, type: "Folder"})} as $own
      | if $call | IN("mount", "fsmount", "move_mount") then class(1001; "File System Activity"; 12; "Mount"; $own)
        elif $call == "umount" or $call == "umount2" then class(1001; "File System Activity"; 13; "Unmount"; $own)
        else class(1001; "File System Activity"; 99; $call // "mount"; $own)
          | .type_name = "File System Activity: Other" end
    else system_call end;

def other: lifecycle(99; .kind) | .type_name = "Application Lifecycle: Other";
def by_kind:
  if .kind == "decision" then by_mechanism
  elif .kind == "started" then lifecycle(3; "Start")
  elif .kind == "stopped" then lifecycle(4; "Stop")
  elif .kind == "mode-changed" and .to == "off" then lifecycle(7; "Disable")
  elif .kind == "mode-changed" and .from == "off" then lifecycle(6; "Enable")
  else other end;

# The security control profile: what Lilium did about it.
def control:
  def did($action; $action_name; $disposition; $name):
    {action_id: $action, action: $action_name, disposition_id: $disposition, disposition: $name};
  if .kind == "tampering-denied" then did(2; "Denied"; 2; "Blocked") + {is_alert: true}
  elif .kind != "decision" then {policy: (if .policy then {name: "lilium", uid: .policy} else null end)}
  else
    outcome_word as $word
    | (if $word == "allowed" then did(1; "Allowed"; 1; "Allowed")
       elif $word == "denied" then did(2; "Denied"; 2; "Blocked")
       elif $word == "contained" then did(4; "Modified"; 99; "Contained")
       elif $word == "not-contained" then did(3; "Observed"; 19; "Alert")
       else did(3; "Observed"; 17; "Logged") end)
    + {is_alert: ($word | IN("denied", "contained", "not-contained", "attempted")),
       policy: (if .rule or .reason == "default" then
         {name: (.rule // "default"), is_applied: ($word | IN("denied", "contained", "allowed"))} else null end)}
  end;

# Whether the operation came to pass, as far as Lilium knows: a file that it lets pass may be refused by others.
def status:
  def is($id; $name): {status_id: $id, status: $name};
  if .kind == "decision" then
    (if .effect == "prevented" or failed then is(2; "Failure")
     elif .operation.result then is(1; "Success")
     else is(0; "Unknown") end) + {status_code: (.operation.result | text)}
  elif .kind | IN("policy-refused", "tampering-denied") then is(2; "Failure")
  else {} end;

def reason_words:
  if .reason then [.reason, .rule // .failure // (if .reason == "capability" then .capability else null end)]
    | map(select(.)) | join(" ")
  else .why // .detail // (if .diagnostics then .diagnostics | join("\n") else null end) end;

def sentence:
  if .journal.message then .journal.message
  elif .kind == "decision" then
    "\(.mechanism) \(outcome_word): \(.object.path // .operation.syscall // .operation.kind) by "
    + "\(.subject.exe // .subject.comm // "process") [\(.subject.pid)]: \(reason_words)"
  else .kind end;

def of_file: ["path", "dev", "inode", "size", "owner", "sha256"] | map(["object", .]);
def of_process($group): ["pid", "ppid", "uid", "euid", "gid", "auid", "session", "exe", "comm"] | map([$group, .]);

# What stands elsewhere now. A verdict's own words stay: they say more than OCSF's.
def rest($event):
  delpaths([["id"], ["time"], ["rule"], ["count"], ["diagnostics"], ["journal"], ["policy"], ["version"],
      ["why"], ["detail"], ["operation", "result"]]
    + of_process("subject")
    + (if $event.kernel then [["object", "path"], ["operation", "syscall"]] else [] end)
    + (if $event.file or $event.driver or $event.module or $event.activity_name == "Launch" then of_file else [] end)
    + (if $event.class_uid == 1007 and $event.activity_id != 1 then of_process("target") else [] end)
    + (if $event.injection_type and .operation.request then [["operation", "request"]] else [] end)
    + (if .kind == "mode-changed" then [["uid"]] elif .kind == "started" then [["pid"]] else [] end));

by_kind as $event
| $event + control + status + {
    time: (.time | milliseconds), time_dt: .time, severity_id: severity,
    severity: (["Unknown", "Informational", "Low", "Medium", "High"][severity]),
    message: sentence, status_detail: reason_words, count: .count,
    metadata: {
      version: "1.5.0", product: {name: "Lilium", vendor_name: "Lilium", version: .version},
      profiles: ["security_control", "host", "datetime", "linux/linux_users"], uid: .id,
      sequence: (.id | split("-") | last | tonumber), event_code: .kind, log_name: "lilium", original_time: .time
    },
    device: {hostname: (.journal.hostname // $ARGS.named.host),
      name: (if .journal.hostname // $ARGS.named.host then null else "unknown" end), type_id: 0, type: "Unknown",
      os: {name: "Linux", type_id: 200, type: "Linux"}},
    actor: (if .subject then {process: (.subject | process), user: {uid: (.subject.uid | text)}}
      elif .uid then {user: {uid: (.uid | text)}}
      elif .kind == "started" then {process: {pid: .pid}} else null end),
    unmapped: rest($event)
  }
| pruned
