#!/bin/sh
# What the BPF LSM's hooks cost a call, inside a machine that has Lilium installed, as root. Time is printed as it passes
# there: in a guest that counts instructions (bed shell --count) a nanosecond is an instruction.
# It must not judge the figures. Arguments: the folder with the program `syscalls`.
set -eu

tools=$1
work=/root/hook-cost
mkdir -p $work/mount
: >$work/file
chmod 755 /root $work
chmod 666 $work/file

# Modes of all system calls and of exec, and the site's rules; `log` is set where allows are to be recorded.
configure() {
  {
    echo '[mode]'
    for name in ptrace mprotect module kexec mount clone ioctl; do echo "$name = \"$1\""; done
    echo "exec = \"$2\""
    printf '[coverage]\nexclude = ["/payload", "/root", "/"]\n'
  } >/etc/lilium/lilium.toml
  printf '%s\n' "$3" >/etc/lilium/rules.d/10-cost.rules
  liliumctl reload >/dev/null
}

# As root, or as a user without a capability.
measure() {
  who=$1
  shift
  for name in "$@"; do
    case $name in mount) file=$work/mount count=200 ;; *) file=$work/file count=20000 ;; esac
    if [ "$who" = root ]; then
      echo "$name $("$tools/syscalls" "$name" $file $count)"
    else
      echo "$name $(setpriv --reuid=1500 --regid=1500 --clear-groups "$tools/syscalls" "$name" $file $count)"
    fi
  done
}

ALL='getppid ioctl mmap mmap-code mprotect-code vm-read kill open-write mount'
BY_USER='ioctl mmap-code mprotect-code vm-read'
ALLOW='allow ioctl
allow mprotect
allow ptrace'
column() {
  echo "-- $1"
  shift
  who=$1
  shift
  # shellcheck disable=SC2048,SC2086
  measure "$who" $*
}

configure off off ''
column 'root, off' root "$ALL"
column 'user, off' user "$BY_USER"
configure audit off "$ALLOW"
column 'root, audit: holds the capability' root "$ALL"
column 'user, audit: a rule allows' user "$BY_USER"
configure enforce off "$ALLOW"
column 'root, enforce: holds the capability' root "$ALL"
column 'user, enforce: a rule allows' user "$BY_USER"
configure audit off 'deny ioctl
deny mprotect
deny ptrace'
column 'user, audit: a rule would deny, recorded' user "$BY_USER"
configure off enforce ''
column 'root, only exec enforces: self-protection' root "$ALL"
configure off off ''
