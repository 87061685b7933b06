#!/bin/bash
# Takes commands of the test bed from a virtio port: "run NONCE COMMAND" gives the output, then the exit status.
# It must not interpret a command: bash does.
port=/dev/virtio-ports/lilium.vm
[ -e $port ] || for port in /dev/vport*; do :; done
exec 3<>"$port" || exit 1

read -r uptime _ </proc/uptime
printf '\n\001VM-READY %s\n' "$uptime" >&3
while :; do
  # At the end of file nobody is connected: wait for somebody.
  if ! IFS=' ' read -r -u 3 verb nonce command; then
    sleep 0.05
    continue
  fi
  [ "$verb" = run ] || continue
  setsid bash -c "$command" </dev/null >&3 2>&3 3>&-
  printf '\n\001VM-EXIT %s %d\n' "$nonce" $? >&3
done
