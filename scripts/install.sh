#!/usr/bin/env bash
# Installs what was built, or removes it: install.sh install|uninstall PROGRAMS DESTDIR PREFIX.
# It must neither overwrite the administrator's configuration nor start or enable anything.
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

# Made files come from here: `make_file NAME` writes one to standard output.
make_file() {
  case $1 in
  liliumd.service) unit ;;
  *.gz) gzip -9n <"man/${1%.gz}" ;;
  bash | zsh | fish) "$programs/liliumctl" --generate-completion-script "$1" ;;
  esac
}

# Every installed file: mode, source (made:NAME for a made one), destination below DESTDIR.
list() {
  local page rules
  echo "0755 $programs/liliumd $prefix/sbin/liliumd"
  echo "0755 $programs/liliumctl $prefix/bin/liliumctl"
  echo "0644 made:liliumd.service $prefix/lib/systemd/system/liliumd.service"
  echo "0644 etc/systemd/lilium.sysusers $prefix/lib/sysusers.d/lilium.conf"
  echo "0644 etc/catalog/lilium.catalog $prefix/lib/systemd/catalog/lilium.catalog"
  for rules in etc/rules.d/*.rules; do
    echo "0644 $rules $prefix/lib/lilium/rules.d/${rules##*/}"
  done
  for page in man/*.[578]; do
    echo "0644 made:${page##*/}.gz $prefix/share/man/man${page##*.}/${page##*/}.gz"
  done
  echo "0644 made:bash $prefix/share/bash-completion/completions/liliumctl"
  echo "0644 made:zsh $prefix/share/zsh/vendor-completions/_liliumctl"
  echo "0644 made:fish $prefix/share/fish/vendor_completions.d/liliumctl.fish"
}

install_files() {
  local mode source target
  while read -r mode source target; do
    if [[ $source = made:* ]]; then
      make_file "${source#made:}" >"$work/made"
      source=$work/made
    fi
    install -D -m "$mode" "$source" "$root$target"
  done < <(list)
  install -d -m 0755 "$root/etc/lilium" "$root/etc/lilium/rules.d"
  if [ -e "$root/etc/lilium/lilium.toml" ]; then
    echo "install: kept $root/etc/lilium/lilium.toml as it is"
  else
    install -m 0644 etc/lilium.toml "$root/etc/lilium/lilium.toml"
  fi
  [ -n "$root" ] || cat <<'NEXT'
install: done; nothing is started. Next:
  systemd-sysusers lilium.conf && journalctl --update-catalog && systemctl daemon-reload
  set a mode in /etc/lilium/lilium.toml, run liliumctl check, then: systemctl enable --now liliumd
NEXT
}

uninstall_files() {
  local mode source target
  # shellcheck disable=SC2034 # all three columns are read, one is used
  while read -r mode source target; do
    rm -f "$root$target"
  done < <(list)
  rmdir "$root$prefix/lib/lilium/rules.d" "$root$prefix/lib/lilium" 2>/dev/null || true
  if cmp -s etc/lilium.toml "$root/etc/lilium/lilium.toml"; then
    rm "$root/etc/lilium/lilium.toml"
  elif [ -e "$root/etc/lilium/lilium.toml" ]; then
    echo "uninstall: kept $root/etc/lilium/lilium.toml, which was changed"
  fi
  rmdir "$root/etc/lilium/rules.d" "$root/etc/lilium" 2>/dev/null || true
}

case $action in
install) install_files ;;
uninstall) uninstall_files ;;
*)
  echo "install.sh: '$action' is neither install nor uninstall" >&2
  exit 1
  ;;
esac
