#!/usr/bin/env bash
# Makes the Debian package of what `make build` built, below .build/deb: deb.sh PROGRAMS. Then lintian looks at it.
# It must compile nothing, and write nowhere else in the tree.
set -euo pipefail
umask 022

programs=$(realpath "$1")
out=.build/deb
tree=$out/lilium
version=$(sed -n 's/^ *public static let lilium = "\(.*\)"$/\1/p' Sources/Administration/ControlProtocol/Version.swift)
[ -n "$version" ] || { echo "deb: Version.swift does not say which version this is" >&2; exit 1; }
# The package is the same, byte for byte, whoever makes it of the same commit and the same programs.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LILIUM_PROGRAMS=$programs LC_ALL=C TZ=UTC

rm -rf "$out"
mkdir -p "$tree/scripts"
cp -r etc man "$tree"
cp -r packaging/debian "$tree/debian"
cp scripts/install.sh "$tree/scripts"
sed "s/@VERSION@/$version/; s/@DATE@/$(date -u -R -d "@$SOURCE_DATE_EPOCH")/" "$tree/debian/changelog.in" \
  >"$tree/debian/changelog"
rm "$tree/debian/changelog.in"

log=$out/build.log
(cd "$tree" && dpkg-buildpackage --build=binary --no-sign) >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
package=$out/lilium_${version}_$(dpkg --print-architecture).deb
lintian --fail-on error --allow-root "$package"
echo "deb: $package"
