# Turns Lilium's journal entries back into records: the way from `journalctl -o json -a` to the other mappings.
# It must not map anything to a foreign schema, nor pass on entries that are no records of Lilium's.
#
#   journalctl -u liliumd -o json -a | jq -acf lilium-from-journal.jq
#
# The journal keeps flat text; here are the names that are not plain text in a record (lilium-record(5)).

def integers:
  ["schema", "answer_us", "count", "rules", "seconds", "uptime_s", "took_over_from", "answer_p50_us", "answer_p99_us", "generation",
   "paths", "contents", "pid", "uid", "subject.pid", "subject.ppid", "subject.start", "subject.uid", "subject.euid",
   "subject.gid", "subject.auid", "subject.session", "object.inode", "object.size", "object.owner", "object.group",
   "object.links", "target.pid", "target.uid", "operation.size", "operation.result", "operation.audit_serial"];
def flags:
  ["problem", "subject.userns_initial", "subject.mntns_initial", "object.path_verified", "object.trusted"];
def lists:
  ["warnings", "diagnostics", "subject.capabilities", "operation.flags", "operation.protection",
   "operation.namespaces"];
def tables: ["decisions", "losses"];

def base64:
  ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" / "") as $digits
  | . as $bytes
  | [range(0; length; 3) as $at | $bytes[$at:$at + 3]
     | length as $known
     | ((.[0] * 65536) + ((.[1] // 0) * 256) + (.[2] // 0)) as $word
     | range(0; 4) as $place
     | if $place > $known then "=" else $digits[($word / pow(64; 3 - $place) | floor) % 64] end]
  | add // "";

# journalctl shows what it cannot print as a list of bytes. Their text is read as a record's writer does: each byte that
# is part of no well-formed scalar shows as U+FFFD, and the exact bytes stand under KEY_b64.
def is_bytes: type == "array" and length > 0 and all(.[]; type == "number");

# The number of bytes that must follow this one, and the least and the greatest value of the first of them.
def lead:
  if . < 128 then [0, 0, 0] elif . < 194 then null elif . < 224 then [1, 128, 191] elif . == 224 then [2, 160, 191]
  elif . == 237 then [2, 128, 159] elif . < 240 then [2, 128, 191] elif . == 240 then [3, 144, 191]
  elif . < 244 then [3, 128, 191] elif . == 244 then [3, 128, 143] else null end;

def scalar($bytes; $at):
  $bytes[$at] as $first | ($first | lead) as $lead
  | if $lead == null then null elif $lead[0] == 0 then {scalar: $first, length: 1}
    else
      $bytes[$at + 1:$at + 1 + $lead[0]] as $rest
      | if ($rest | length) == $lead[0] and $rest[0] >= $lead[1] and $rest[0] <= $lead[2]
          and all($rest[]; . >= 128 and . < 192)
        then {length: ($lead[0] + 1), scalar: (reduce $rest[] as $byte
          ($first % pow(2; 6 - $lead[0]); . * 64 + $byte % 64))}
        else null end
    end;

def decoded:
  . as $bytes
  | {at: 0, out: [], exact: true}
  | until(.at >= ($bytes | length);
      scalar($bytes; .at) as $one
      | if $one then .out += [$one.scalar] | .at += $one.length
        else .out += [65533] | .at += 1 | .exact = false end)
  | {text: (.out | implode), exact: .exact};

# `name=value name=value` of one line of a table.
def row: [splits(" ") | capture("^(?<key>[^=]*)=(?<value>.*)$")] | from_entries
  | if has("count") then .count |= tonumber else . end;

def value($name):
  if $name | IN(integers[]) then tonumber
  elif $name | IN(flags[]) then . == "true"
  elif $name | IN(lists[]) then if type == "array" then . elif . == "" then [] else [.] end
  elif $name | IN(tables[]) then if type == "array" then map(row) else [row] end
  else . end;

def path_of: ascii_downcase
  | capture("^((?<group>subject|object|target|operation|modes)_)?(?<name>.*)$")
  | if .group then [.group, .name] else [.name] end;

select(has("LILIUM_KIND"))
| . as $entry
| [to_entries[] | select(.key | startswith("LILIUM_")) | select(.value != null)
   | (.key[7:] | path_of) as $path
   | if .value | is_bytes then
       (.value | decoded) as $decoded
       | {path: $path, value: $decoded.text},
         (if $decoded.exact then empty
          else {path: ($path[:-1] + [$path[-1] + "_b64"]), value: (.value | base64)} end)
     else {path: $path, value: (.value | value($path | join(".")))} end]
| reduce .[] as $field ({}; setpath($field.path; $field.value))
# What only the journal knows, for the other mappings.
| .journal = ({hostname: $entry._HOSTNAME, message: $entry.MESSAGE} | with_entries(select(.value | type == "string")))
| if .journal == {} then del(.journal) else . end
