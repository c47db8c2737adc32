#!/bin/sh
# The same lookup in PostgreSQL, as it is usually built: rows encrypted by pgcrypto, found by an HMAC of the telephone
# number, each read written to the log by pgaudit. Prints "result NAME VALUE" lines, or "skipped REASON".
#
#	read     the lookup; pgaudit's log is written but not flushed, so that an entry can be lost
#	durable  the lookup and, in one transaction, a row of an audit table, flushed by its commit: what Azukari does
#
# Sixty-four clients, on a Unix socket, one lookup outstanding each, people at random. The server belongs to this script,
# lies below BENCH_DIR, and is stopped by its process id.
set -eu

bin=/usr/lib/postgresql/15/bin
people=${BENCH_PEOPLE:-1000000}
seconds=${BENCH_SECONDS:-5}
runs=5

skip() {
	echo "skipped $*"
	exit 0
}

for tool in initdb postgres psql pgbench; do
	[ -x "$bin/$tool" ] || skip "PostgreSQL 15 is not installed ($tool)"
done
for extension in pgcrypto pgaudit; do
	[ -f "/usr/share/postgresql/15/extension/$extension.control" ] || skip "$extension is not installed"
done

# PostgreSQL refuses to run as root.
as() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
	id postgres >/dev/null 2>&1 || skip 'there is no user postgres'
	as() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
fi

folder=$(mktemp -d "${BENCH_DIR:-/var/tmp}/azukari-postgres-XXXXXX")
stop() {
	if [ -f "$folder/data/postmaster.pid" ]; then
		# Of the server in our own folder; INT is its fast shutdown.
		kill -INT "$(head -n 1 "$folder/data/postmaster.pid")" 2>/dev/null || true
		wait
	fi
	rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' INT TERM
[ "$(id -u)" -ne 0 ] || chown postgres "$folder"
chmod 0711 "$folder"
cd "$folder"

as "$bin/initdb" -D "$folder/data" -U bench -A trust -E UTF8 --no-locale >"$folder/initdb.log" 2>&1 || {
	cat "$folder/initdb.log" >&2
	exit 1
}
as tee -a "$folder/data/postgresql.conf" >/dev/null <<END
listen_addresses = ''
unix_socket_directories = '$folder'
max_connections = 80
shared_buffers = 1GB
synchronous_commit = on
fsync = on
max_wal_size = 4GB
shared_preload_libraries = 'pgaudit'
pgaudit.log = 'read'
pgaudit.log_relation = on
pgaudit.log_parameter = on
logging_collector = on
log_directory = 'log'
log_statement = 'none'
jit = off
END
as "$bin/postgres" -D "$folder/data" >"$folder/postgres.log" 2>&1 &
server=$!

query() { "$bin/psql" -h "$folder" -U bench -d postgres -qAt -v ON_ERROR_STOP=1 -c "$1"; }

tries=0
until query 'select 1' >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ "$tries" -ge 300 ] || ! kill -0 "$server" 2>/dev/null; then
		cat "$folder/postgres.log" >&2
		exit 1
	fi
	sleep 0.1
done

# One person's fields are one encrypted text. The keys stand in the statements, as they do where pgcrypto is used.
echo "postgres: $people people are encrypted" >&2
query "create extension pgcrypto"
query "create extension pgaudit"
query "create table people (id bigint, phone bytea, iv bytea, fields bytea)"
query "insert into people select i,
  substr(hmac('03-' || lpad(i::text, 8, '0'), 'lookup-key-of-32-bytes-01234567', 'sha256'), 1, 16), iv,
  encrypt_iv(convert_to('name ' || i || ',kana,1960-01-01,F,100-0001,an address of a usual length 1-2-3,'
    || '03-' || lpad(i::text, 8, '0') || ',090-0000-0000,someone' || i || '@example.jp', 'UTF8'),
    'a-key-of-32-bytes-01234567890123', iv, 'aes-cbc')
  from (select i, gen_random_bytes(16) as iv from generate_series(1, $people) i) numbered"
query "create index on people (phone)"
query "create table audit (at timestamptz default now(), staff int, person bigint, reason text)"
query "vacuum analyze people"
query "checkpoint"

lookup="select id, convert_from(decrypt_iv(fields, 'a-key-of-32-bytes-01234567890123', iv, 'aes-cbc'), 'UTF8')
 from people where phone = substr(hmac('03-' || lpad(:person::text, 8, '0'), 'lookup-key-of-32-bytes-01234567', 'sha256'), 1, 16);"
lookup=$(echo "$lookup" | tr -d '\n')
printf '\\set person random(1, %s)\n%s\n' "$people" "$lookup" >read.sql
printf '\\set person random(1, %s)\nbegin;\ninsert into audit (staff, person, reason) values (:client_id, :person, '"'enquiry'"');\n%s\ncommit;\n' \
	"$people" "$lookup" >durable.sql

# $1 read or durable: the median of the runs, after a warm-up.
measure() {
	: >"$1.rates"
	: >"$1.latencies"
	for run in 0 $(seq "$runs"); do
		"$bin/pgbench" -h "$folder" -U bench -n -M prepared -c 64 -j 2 -T "$seconds" -f "$1.sql" postgres \
			>"$1.out" 2>"$1.err" || {
			cat "$1.err" >&2
			exit 1
		}
		rate=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$1.out")
		latency=$(sed -n 's/^latency average = \([0-9.]*\).*/\1/p' "$1.out")
		[ "$run" -gt 0 ] || continue
		echo "postgres, $1, 64 clients, run $run: $rate/s, mean $latency ms" >&2
		echo "$rate" >>"$1.rates"
		echo "$latency" >>"$1.latencies"
	done
	echo "result postgres-$1 $(sort -n "$1.rates" | sed -n 3p)"
	echo "result postgres-$1-mean-ms $(sort -n "$1.latencies" | sed -n 3p)"
}

measure read
measure durable
logged=$(cat data/log/* | grep -c 'AUDIT: SESSION,.*READ,SELECT' || true)
[ "$logged" -gt 0 ] || {
	echo 'postgres: pgaudit wrote nothing' >&2
	exit 1
}
echo "result postgres-audit-lines $logged"
