#!/usr/bin/env bash
# Installs into a temporary folder, checks what is there, and uninstalls: a changed configuration must be all that stays.
# It must not touch the host outside that folder.
set -euo pipefail

fail() {
  echo "check-install: $1" >&2
  exit 1
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make --no-print-directory install DESTDIR="$root" PREFIX=/usr >/dev/null

for file in usr/sbin/liliumd usr/bin/liliumctl usr/lib/systemd/system/liliumd.service etc/lilium/lilium.toml \
  usr/lib/systemd/catalog/lilium.catalog usr/lib/sysusers.d/lilium.conf usr/share/man/man7/lilium.7.gz \
  usr/share/man/man8/liliumd.8.gz usr/share/man/man8/liliumctl.8.gz usr/share/man/man5/lilium.toml.5.gz \
  usr/share/man/man5/lilium.rules.5.gz usr/share/bash-completion/completions/liliumctl \
  usr/share/zsh/vendor-completions/_liliumctl usr/share/fish/vendor_completions.d/liliumctl.fish; do
  [ -s "$root/$file" ] || fail "$file was not installed, or is empty"
done
[ -d "$root/etc/lilium/rules.d" ] || fail "etc/lilium/rules.d was not made"
for rules in etc/rules.d/*.rules; do
  cmp -s "$rules" "$root/usr/lib/lilium/${rules#etc/}" || fail "$rules was not installed"
done
wide=$(find "$root" -mindepth 1 ! -type l -perm /022)
[ -z "$wide" ] || fail "these can be written by others than root: $wide"
"$root/usr/bin/liliumctl" check --config "$root/etc/lilium/lilium.toml" --rules "$root/usr/lib/lilium/rules.d" ||
  fail "liliumctl check is not content with the shipped configuration and rules"
bash -n "$root/usr/share/bash-completion/completions/liliumctl" || fail "the bash completion is not valid"
if command -v journalctl >/dev/null; then
  journalctl --update-catalog --root="$root" || fail "journald does not take the catalog"
  rm -rf "${root:?}/var"
fi

echo '# changed' >>"$root/etc/lilium/lilium.toml"
make --no-print-directory install DESTDIR="$root" PREFIX=/usr >/dev/null
tail -n 1 "$root/etc/lilium/lilium.toml" | grep -qx '# changed' || fail "install overwrote a changed configuration"
make --no-print-directory uninstall DESTDIR="$root" PREFIX=/usr >/dev/null
left=$(cd "$root" && find . -type f)
[ "$left" = ./etc/lilium/lilium.toml ] || fail "after uninstall these files are left: $left"

cp etc/lilium.toml "$root/etc/lilium/lilium.toml"
make --no-print-directory uninstall DESTDIR="$root" PREFIX=/usr >/dev/null
left=$(cd "$root" && find . -type f)
[ -z "$left" ] || fail "an unchanged configuration is left after uninstall"
echo "check-install: good"
