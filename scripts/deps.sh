#!/bin/sh
# Installs everything that building and checking Azukari needs, from Debian 12 only.
# Safe to run again; does nothing if all is there. Needs root or sudo.
set -eu

packages="
gcc clang clang-format llvm libclang-rt-14-dev libc6-dev linux-libc-dev
make meson ninja-build pkg-config perl
procps jq mandoc
libssl-dev libseccomp-dev liblmdb-dev libsqlite3-dev libjansson-dev libcmocka-dev
"

missing=
for package in $packages; do
	status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

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
