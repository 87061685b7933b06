#!/usr/bin/env bash
# Installs what was built, or removes it: install.sh install|uninstall PROGRAMS DESTDIR PREFIX.
# It must neither overwrite what the administrator changed nor start or enable anything.
set -euo pipefail
umask 022

action=$1 programs=$2 root=$3 prefix=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The unit and its rules follow the prefix.
unit() {
  local command="ExecStart=$prefix/sbin/liliumd"
  [ "$prefix" = /usr ] || command+=" --rules $prefix/lib/lilium/rules.d --rules /etc/lilium/rules.d"
  sed "s|^ExecStart=/usr/sbin/liliumd|$command|" etc/systemd/liliumd.service
}

# No package vouches for these programs, so this does: under enforcement nobody else may run them.
own_trust() {
  local program file
  echo "# Lilium's own programs, as they were installed. Each installation writes this file anew."
  for program in sbin/liliumd bin/liliumctl; do
    file=$programs/${program#*/}
    echo "$prefix/$program $(stat -Lc %s "$file") $(sha256sum <"$file" | cut -c1-64)"
  done
}

# Made files come from here: `make_file NAME` writes one to standard output.
make_file() {
  case $1 in
  liliumd.service) unit ;;
  lilium.trust) own_trust ;;
  hook:*) sed "s|/usr/bin/liliumctl|$prefix/bin/liliumctl|g" "${1#hook:}" ;;
  *.gz) gzip -9n <"man/${1%.gz}" ;;
  # It is read by shells and never run, so it has no interpreter.
  bash | zsh | fish) "$programs/liliumctl" --generate-completion-script "$1" | sed '1{/^#!/d}' ;;
  esac
}

# Every installed file but what may be changed: mode, source (made:NAME for a made one), destination below DESTDIR.
list() {
  local page rules mapping
  echo "0755 $programs/liliumd $prefix/sbin/liliumd"
  echo "0755 $programs/liliumctl $prefix/bin/liliumctl"
  echo "0644 made:liliumd.service $prefix/lib/systemd/system/liliumd.service"
  echo "0644 etc/systemd/lilium.sysusers $prefix/lib/sysusers.d/lilium.conf"
  echo "0644 etc/systemd/lilium.tmpfiles $prefix/lib/tmpfiles.d/lilium.conf"
  echo "0644 etc/catalog/lilium.catalog $prefix/lib/systemd/catalog/lilium.catalog"
  for rules in etc/rules.d/*.rules; do
    echo "0644 $rules $prefix/lib/lilium/rules.d/${rules##*/}"
  done
  for mapping in etc/mappings/*.jq; do
    echo "0644 $mapping $prefix/share/lilium/mappings/${mapping##*/}"
  done
  for page in man/*.[578]; do
    echo "0644 made:${page##*/}.gz $prefix/share/man/man${page##*.}/${page##*/}.gz"
  done
  echo "0644 made:bash $prefix/share/bash-completion/completions/liliumctl"
  echo "0644 made:zsh $prefix/share/zsh/vendor-completions/_liliumctl"
  echo "0644 made:fish $prefix/share/fish/vendor_completions.d/liliumctl.fish"
  echo "0644 made:lilium.trust /etc/lilium/trust.d/lilium.trust"
}

# What the administrator may change: it is made where it is not there, and removed where it was not changed.
settings() {
  echo "0644 etc/lilium.toml /etc/lilium/lilium.toml"
  echo "0644 etc/trust.d/site.trust /etc/lilium/trust.d/site.trust"
  # Without dpkg there is nobody to call the hooks; a DESTDIR may be for another host.
  if [ -n "$root" ] || command -v dpkg >/dev/null; then
    echo "0644 made:hook:etc/dpkg/dpkg.cfg.d/lilium /etc/dpkg/dpkg.cfg.d/lilium"
    echo "0644 made:hook:etc/apt/apt.conf.d/20lilium /etc/apt/apt.conf.d/20lilium"
  fi
}

# Sets `source` to a file with what `source` stands for.
resolve() {
  if [[ $source = made:* ]]; then
    make_file "${source#made:}" >"$work/made"
    source=$work/made
  fi
}

install_files() {
  local mode source target
  # The folders that the administrator fills are there in any case.
  install -d -m 0755 "$root/etc/lilium" "$root/etc/lilium/rules.d" "$root/etc/lilium/trust.d"
  while read -r mode source target; do
    resolve
    install -D -m "$mode" "$source" "$root$target"
  done < <(list)
  while read -r mode source target; do
    resolve
    if [ ! -e "$root$target" ]; then
      install -D -m "$mode" "$source" "$root$target"
    elif ! cmp -s "$source" "$root$target"; then
      echo "install: kept $root$target as it is"
    fi
  done < <(settings)
  [ -n "$root" ] || cat <<'NEXT'
install: done; nothing is started. Next:
  systemd-sysusers lilium.conf && systemd-tmpfiles --create lilium.conf
  journalctl --update-catalog && systemctl daemon-reload
  liliumctl trust sync       # before any mode is set: what should every file contain? dpkg keeps that up to date
  liliumctl trust add PATH   # for what you run and no package brought
  set a mode in /etc/lilium/lilium.toml, run liliumctl check, then: systemctl enable --now liliumd
NEXT
}

# shellcheck disable=SC2034 # all three columns are read, not all are used
uninstall_files() {
  local mode source target
  while read -r mode source target; do
    rm -f "$root$target"
  done < <(list)
  while read -r mode source target; do
    resolve
    if cmp -s "$source" "$root$target"; then
      rm "$root$target"
    elif [ -e "$root$target" ]; then
      echo "uninstall: kept $root$target, which was changed"
    fi
  done < <(settings)
  rmdir "$root$prefix/lib/lilium/rules.d" "$root$prefix/lib/lilium" 2>/dev/null || true
  rmdir "$root$prefix/share/lilium/mappings" "$root$prefix/share/lilium" 2>/dev/null || true
  rmdir "$root/etc/lilium/rules.d" "$root/etc/lilium/trust.d" "$root/etc/lilium" 2>/dev/null || true
  for target in "$root/etc/lilium/trust.d" "$root/etc/lilium/rules.d" "$root/var/lib/lilium"; do
    [ ! -d "$target" ] || echo "uninstall: kept $target; it is yours to remove"
  done
}

case $action in
install) install_files ;;
uninstall) uninstall_files ;;
*)
  echo "install.sh: '$action' is neither install nor uninstall" >&2
  exit 1
  ;;
esac
