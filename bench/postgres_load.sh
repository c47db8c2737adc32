#!/bin/sh
# The same list into PostgreSQL, as it is usually protected there: COPY into a table, then each row encrypted by pgcrypto
# (`encrypt_iv`, aes-cbc) under a random vector, one `hmac` for each of the six things that people are found by, and an index
# on each; until all is flushed. Prints "result NAME VALUE" lines, or "skipped REASON".
#
#	BENCH_COPY   rows (200000): each costs PostgreSQL the same, and a million would take minutes
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${BENCH_BUILD:-build-bench}" && pwd)
bin=/usr/lib/postgresql/15/bin
rows=${BENCH_COPY:-200000}

skip() {
	echo "skipped $*"
	exit 0
}

for tool in initdb postgres psql; do
	[ -x "$bin/$tool" ] || skip "PostgreSQL 15 is not installed ($tool)"
done
[ -f /usr/share/postgresql/15/extension/pgcrypto.control ] || skip 'pgcrypto is not installed'

# PostgreSQL refuses to run as root.
as() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
	id postgres >/dev/null 2>&1 || skip 'there is no user postgres'
	as() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
fi

folder=$(mktemp -d "${BENCH_DIR:-/var/tmp}/azukari-copy-XXXXXX")
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
"$build/bench/bench-list" "$rows" >"$folder/list.csv"
cd "$folder"

as "$bin/initdb" -D "$folder/data" -U bench -A trust -E UTF8 --no-locale >"$folder/initdb.log" 2>&1 || {
	cat "$folder/initdb.log" >&2
	exit 1
}
as tee -a "$folder/data/postgresql.conf" >/dev/null <<END
listen_addresses = ''
unix_socket_directories = '$folder'
shared_buffers = 1GB
maintenance_work_mem = 512MB
max_wal_size = 8GB
jit = off
END
as "$bin/postgres" -D "$folder/data" >"$folder/postgres.log" 2>&1 &
server=$!
query() { "$bin/psql" -h "$folder" -U bench -d postgres -qAt -v ON_ERROR_STOP=1 "$@"; }
tries=0
until query -c 'select 1' >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ "$tries" -ge 300 ] || ! kill -0 "$server" 2>/dev/null; then
		cat "$folder/postgres.log" >&2
		exit 1
	fi
	sleep 0.1
done

cat >"$folder/load.sql" <<END
create extension pgcrypto;
create unlogged table list (number text, name text, kana text, birth text, sex text, postcode text, address text, phone text,
  mobile text, email text);
\\copy list from '$folder/list.csv' with (format csv, header)
create table people (iv bytea, fields bytea, number bytea, phone bytea, mobile bytea, email bytea, name_birth bytea,
  name_place bytea);
insert into people select iv,
  encrypt_iv(convert_to(concat_ws(',', number, name, kana, birth, sex, postcode, address, phone, mobile, email), 'UTF8'),
    'a-key-of-32-bytes-01234567890123', iv, 'aes-cbc'),
  hmac(number, 'lookup-key-of-32-bytes-01234567', 'sha256'), hmac(phone, 'lookup-key-of-32-bytes-01234567', 'sha256'),
  hmac(mobile, 'lookup-key-of-32-bytes-01234567', 'sha256'), hmac(email, 'lookup-key-of-32-bytes-01234567', 'sha256'),
  hmac(name || '|' || birth, 'lookup-key-of-32-bytes-01234567', 'sha256'),
  hmac(name || '|' || address, 'lookup-key-of-32-bytes-01234567', 'sha256')
  from (select *, gen_random_bytes(16) as iv from list) with_iv;
create index on people (number);
create index on people (phone);
create index on people (mobile);
create index on people (email);
create index on people (name_birth);
create index on people (name_place);
checkpoint;
END
cat "$folder/list.csv" >/dev/null
began=$(date +%s.%N)
query -f "$folder/load.sql"
took=$(echo "$(date +%s.%N) $began" | awk '{ printf "%.2f", $1 - $2 }')
echo "PostgreSQL, COPY, encrypt_iv, six hmac, six indexes: $rows rows in $took s" >&2
echo "result entrust-postgres-s $took"
echo "result entrust-postgres-rows $rows"
