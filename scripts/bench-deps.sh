#!/bin/sh
# What the benchmarks measure against, from Debian 12: PostgreSQL with pgcrypto and pgaudit. Needs root or sudo.
set -eu
missing=
for package in postgresql-15 postgresql-15-pgaudit; do
	status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q >&2
# shellcheck disable=SC2086
$sudo apt-get install -y -q --no-install-recommends $missing >&2
