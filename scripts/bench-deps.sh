#!/bin/sh
# Installs what `make bench` compares with, from Debian 12: PostgreSQL 15 with pgcrypto and pgaudit; and DuckDB from npm. Safe to run
# again; does nothing if all is there. Needs root or sudo. What is missing afterwards is skipped by the measurement.
set -eu
cd "$(dirname "$0")/.."

packages='postgresql-15 postgresql-client-15 postgresql-contrib sqlite3 postgresql-15-pgaudit
ripgrep libvectorscan-dev'

missing=
for package in $packages; do
	status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
# DuckDB, beside which reading is measured, is not in Debian 12.
if command -v npm >/dev/null && [ ! -d build-npm/node_modules/@duckdb/node-api ]; then
	mkdir -p build-npm
	[ -f build-npm/package.json ] || printf '{"private":true}\n' >build-npm/package.json
	npm install --prefix build-npm --save-exact --ignore-scripts --no-audit --no-fund --loglevel=error \
		@duckdb/node-api >&2 || echo 'bench-deps.sh: npm does not give @duckdb/node-api' >&2
fi
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "bench-deps.sh: run as root, or install sudo; missing:$missing" >&2
		exit 1
	}
	sudo=sudo
fi
echo "bench-deps.sh: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# A cluster made and started by the package would take processor time from the measurement.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
	$sudo mkdir -p /etc/postgresql-common
	echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
$sudo apt-get update -q >&2
# shellcheck disable=SC2086
$sudo apt-get install -y -q --no-install-recommends $missing >&2
