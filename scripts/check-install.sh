#!/usr/bin/env bash
# Installs into a temporary folder, checks what is there, and uninstalls: what was changed must be all that stays.
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
  usr/lib/systemd/catalog/lilium.catalog usr/lib/sysusers.d/lilium.conf usr/lib/tmpfiles.d/lilium.conf \
  usr/share/man/man7/lilium.7.gz \
  usr/share/man/man8/liliumd.8.gz usr/share/man/man8/liliumctl.8.gz usr/share/man/man5/lilium.toml.5.gz \
  usr/share/man/man5/lilium.rules.5.gz usr/share/bash-completion/completions/liliumctl \
  usr/share/zsh/vendor-completions/_liliumctl usr/share/fish/vendor_completions.d/liliumctl.fish \
  etc/dpkg/dpkg.cfg.d/lilium etc/apt/apt.conf.d/20lilium etc/lilium/trust.d/site.trust \
  etc/lilium/trust.d/lilium.trust; do
  [ -s "$root/$file" ] || fail "$file was not installed, or is empty"
done
[ -d "$root/etc/lilium/rules.d" ] || fail "etc/lilium/rules.d was not made"
for rules in etc/rules.d/*.rules; do
  cmp -s "$rules" "$root/usr/lib/lilium/${rules#etc/}" || fail "$rules was not installed"
done
for hook in etc/dpkg/dpkg.cfg.d/lilium etc/apt/apt.conf.d/20lilium; do
  cmp -s "$hook" "$root/$hook" || fail "$hook was not installed as it is"
done
sed -n 's/^\(pre\|post\)-invoke=//p' "$root/etc/dpkg/dpkg.cfg.d/lilium" | sh -n ||
  fail "dpkg's hook is no shell command"
if command -v apt-config >/dev/null; then
  apt-config -c "$root/etc/apt/apt.conf.d/20lilium" dump DPkg::Pre-Install-Pkgs | grep -q 'trust transaction prepare' ||
    fail "apt does not take its hook"
fi
wide=$(find "$root" -mindepth 1 ! -type l -perm /022)
[ -z "$wide" ] || fail "these can be written by others than root: $wide"
"$root/usr/bin/liliumctl" check --config "$root/etc/lilium/lilium.toml" --rules "$root/usr/lib/lilium/rules.d" ||
  fail "liliumctl check is not content with the shipped configuration and rules"
"$root/usr/bin/liliumctl" trust sync --source file --quiet --state "$root/state" \
  --trust-folder "$root/etc/lilium/trust.d" ||
  fail "liliumctl trust sync is not content with the shipped trust files"
for program in usr/sbin/liliumd usr/bin/liliumctl; do
  "$root/usr/bin/liliumctl" trust list --state "$root/state" "/$program" |
    grep -q "$(sha256sum <"$root/$program" | cut -c1-64)" || fail "nobody vouches for /$program as it was installed"
done
rm -rf "${root:?}/state"
bash -n "$root/usr/share/bash-completion/completions/liliumctl" || fail "the bash completion is not valid"
if command -v journalctl >/dev/null; then
  journalctl --update-catalog --root="$root" || fail "journald does not take the catalog"
  rm -rf "${root:?}/var"
fi

changeable="etc/lilium/lilium.toml etc/lilium/trust.d/site.trust etc/dpkg/dpkg.cfg.d/lilium etc/apt/apt.conf.d/20lilium"
for file in $changeable; do echo '# changed' >>"$root/$file"; done
echo '# added' >"$root/etc/lilium/trust.d/local.trust"
make --no-print-directory install DESTDIR="$root" PREFIX=/usr >/dev/null
for file in $changeable; do
  tail -n 1 "$root/$file" | grep -qx '# changed' || fail "install overwrote $file, which was changed"
done
make --no-print-directory uninstall DESTDIR="$root" PREFIX=/usr >/dev/null
left=$(cd "$root" && find . -type f | sort | tr '\n' ' ')
wanted="./etc/apt/apt.conf.d/20lilium ./etc/dpkg/dpkg.cfg.d/lilium ./etc/lilium/lilium.toml \
./etc/lilium/trust.d/local.trust ./etc/lilium/trust.d/site.trust "
[ "$left" = "$wanted" ] || fail "after uninstall these files are left: $left"

for file in $changeable; do sed -i '$d' "$root/$file"; done
rm "$root/etc/lilium/trust.d/local.trust"
make --no-print-directory uninstall DESTDIR="$root" PREFIX=/usr >/dev/null
left=$(cd "$root" && find . -type f)
[ -z "$left" ] || fail "after uninstall these unchanged files are left: $left"
[ ! -e "$root/etc/lilium" ] || fail "after uninstall an empty etc/lilium is left"

make --no-print-directory install DESTDIR="$root" PREFIX=/usr/local >/dev/null
for file in etc/dpkg/dpkg.cfg.d/lilium etc/apt/apt.conf.d/20lilium etc/lilium/trust.d/lilium.trust; do
  grep -q '/usr/local/bin/liliumctl' "$root/$file" || fail "$file does not follow the prefix"
  ! grep -q '/usr/bin/liliumctl' "$root/$file" || fail "$file still names /usr/bin/liliumctl"
done
make --no-print-directory uninstall DESTDIR="$root" PREFIX=/usr/local >/dev/null
left=$(cd "$root" && find . -type f)
[ -z "$left" ] || fail "after uninstall from /usr/local these files are left: $left"
echo "check-install: good"
