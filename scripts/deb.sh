#!/bin/sh
# Builds the Debian packages of what is committed or changed here into build-deb, and prints how far systemd finds the
# services shut in.
set -eu
cd "$(dirname "$0")/.."
if ! command -v dh >/dev/null; then
	echo 'deb.sh: debhelper is needed: apt-get install debhelper' >&2
	exit 1
fi
out=$PWD/build-deb
tree=$out/azukari
rm -rf "$tree"
mkdir -p "$tree"
rm -f "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
git ls-files -z | tar -c --null -T - | tar -x -C "$tree"
# The data of the match tables, where it was fetched.
[ ! -d build-npm/node_modules ] || cp -a build-npm "$tree/build-npm"
cp -a "$tree/packaging/debian" "$tree/debian"
for unit in azukari azukari-guard; do
	cp "$tree/packaging/systemd/$unit.service" "$tree/debian/$unit.service"
done
cp "$tree/packaging/systemd/azukari-forward.service" "$tree/debian/azukari-guard.azukari-forward.service"
# The version is the program's.
version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build)-1
sed -i "1s/(.*)/($version)/" "$tree/debian/changelog"
(cd "$tree" && DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=${JOBS:-$(nproc)}" \
	dpkg-buildpackage -b -us -uc >"$out/log" 2>&1) || {
	tail -40 "$out/log" >&2
	exit 1
}
for unit in azukari azukari-guard azukari-forward; do
	! command -v systemd-analyze >/dev/null ||
		systemd-analyze security --no-pager --offline=true "packaging/systemd/$unit.service" | tail -1
done
ls "$out"/*.deb
