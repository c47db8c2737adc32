#!/bin/sh
# Measures what bench/README.md says, each beside the limit or the peer of the same run.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
rows=${BENCH_ROWS:-1000000}
entries=${BENCH_ENTRIES:-10000000}
seconds=${BENCH_SECONDS:-5}
runs=${BENCH_RUNS:-5}
dir=${BENCH_DIR:-/var/tmp}
work=$(mktemp -d "$dir/azukari-bench-XXXXXX")
server=
postgres=

finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	[ -z "$postgres" ] || kill -INT "$postgres" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

[ -f build-bench/build.ninja ] || meson setup build-bench >/dev/null
ninja -C build-bench --quiet
az=$root/build-bench/src/cli/azukari
load=$root/build-bench/bench/bench-disclose
ledger=$root/build-bench/bench/bench-ledger
export XDG_STATE_HOME="$work/state" AZUKARI_HOUSE="$work/house" AZUKARI_KEY="$work/aoki.key"
mkdir -p "$XDG_STATE_HOME" "$work/keys"
cd "$work"

say() { printf '%s\n' "$*" >&2; }
field() { sed -n "s/.*$1 \([0-9.]*\).*/\1/p"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# value, floor, target, what: higher is better
higher() {
	awk -v v="$1" -v f="$2" -v t="$3" -v w="$4" 'BEGIN {
		printf "%-46s %12s %10s %10s  %s\n", w, v, f, t, (v >= t ? "target" : (v >= f ? "floor" : "BELOW")) }'
}
lower() {
	awk -v v="$1" -v f="$2" -v t="$3" -v w="$4" 'BEGIN {
		printf "%-46s %12s %10s %10s  %s\n", w, v, f, t, (v <= t ? "target" : (v <= f ? "floor" : "ABOVE")) }'
}
peak() { awk '/VmHWM/ { print int($2 / 1024) " MiB" }' "/proc/$1/status"; }
serve() {
	"$az" serve 2>>serve.log &
	server=$!
	for _ in $(seq 200); do
		[ -n "$(pgrep -P "$server" -x azukari-keeper)" ] && "$az" status >/dev/null 2>&1 && return
		sleep 0.05
	done
	say 'bench: the house does not start'
	exit 1
}
unserve() {
	kill "$server"
	wait "$server"
	server=
}
# The vault's pages leave memory: nothing has them mapped while the house is at rest.
evict() {
	unserve
	sync
	for file in house/vault/*; do dd of="$file" oflag=nocache conv=notrunc,fdatasync count=0 status=none; done
	serve
}

say "a house with $rows people"
"$az" init --house "$AZUKARI_HOUSE" --officer aoki --key-out "$AZUKARI_KEY" --unsealed >/dev/null
serve
"$az" client add c01 --name Bench >/dev/null 2>&1
"$az" purpose add c01/p --fields name,phone:last4,address --roles agent --until 2099-01-01 >/dev/null 2>&1
"$az" staff add mori --role supervisor --key-out mori.key >/dev/null 2>&1
for i in $(seq 64); do "$az" staff add "a$i" --role agent --key-out "keys/$i.key" >/dev/null 2>&1; done
awk -v n="$rows" 'BEGIN {
	print "number,name,birth,phone,address"
	for (i = 1; i <= n; i++) printf "%d,Person %d,1980-01-01,03%08d,Town %d-%d\n", i, i, i, i % 1000, i % 77
}' >list.csv
started=$(date +%s.%N)
AZUKARI_KEY=mori.key "$az" entrust --client c01 --purpose p --as-of 2026-01-01 list.csv >/dev/null 2>&1
entrusted=$(echo "$started $(date +%s.%N) $rows" | awk '{ printf "%d", $3 / ($2 - $1) }')
awk -F, 'NR > 1 { print $4 }' list.csv >phones

say 'disclosures, 64 sessions, vault in cache'
"$load" house keys phones c01 p load 64 2 >/dev/null
for _ in $(seq "$runs"); do "$load" house keys phones c01 p load 64 "$seconds" | tee -a warm.txt >&2; done
keeper_peak=$(peak "$(pgrep -P "$server" -x azukari-keeper)")
vault_peak=$(peak "$(pgrep -P "$server" -x azukari-vault)")
say 'disclosures, 64 sessions, vault evicted first'
for _ in $(seq "$runs"); do
	evict
	"$load" house keys phones c01 p load 64 "$seconds" | tee -a cold.txt >&2
done
say 'lone disclosures'
for _ in $(seq "$runs"); do "$load" house keys phones c01 p lone 1000 | tee -a lone.txt >&2; done
unserve

say 'ledger: appends with 64 waiters'
for i in $(seq "$runs"); do "$ledger" append "append-$i" 64 "$seconds" | tee -a append.txt >&2; rm -rf "append-$i"; done
say "ledger: verifying $entries entries"
"$ledger" verify verify "$entries" | tee -a verify.txt >&2
rm -rf verify

# --- PostgreSQL: the same lookup ----------------------------------------------------------------
pg=/usr/lib/postgresql/15/bin
peer() {
	"$root/scripts/bench-deps.sh" || return 1
	user=$(id -un)
	run=
	if [ "$(id -u)" -eq 0 ]; then
		user=postgres
		run='setpriv --reuid=postgres --regid=postgres --clear-groups'
	fi
	mkdir pg socket
	chmod 755 "$work"
	[ "$user" != postgres ] || chown postgres pg socket
	$run "$pg/initdb" -D "$work/pg" -A trust -U "$user" >/dev/null
	cat >>pg/postgresql.conf <<-END
		listen_addresses = ''
		unix_socket_directories = '$work/socket'
		synchronous_commit = on
		shared_preload_libraries = 'pgaudit'
		pgaudit.log = 'read,write'
		logging_collector = on
		log_directory = '$work/pg/log'
		shared_buffers = 1GB
		max_connections = 100
	END
	$run "$pg/postgres" -D "$work/pg" 2>pg.log &
	postgres=$!
	for _ in $(seq 100); do "$pg/pg_isready" -q -h "$work/socket" && break; sleep 0.1; done
	psql="psql -q -h $work/socket -U $user postgres"
	$psql >/dev/null <<-END
		create extension pgcrypto;
		create extension pgaudit;
		set pgaudit.log = 'none';
		create table people(token bytea primary key, body bytea not null);
		insert into people select hmac('03' || lpad(i::text, 8, '0'), 'key of tokens', 'sha256'),
			encrypt(convert_to('Person ' || i || ',1980-01-01,03' || lpad(i::text, 8, '0') || ',Town', 'UTF8'),
				'0123456789abcdef0123456789abcdef', 'aes')
			from generate_series(1, $rows) i;
		create table seen(at timestamptz default now(), who text, token bytea);
		checkpoint;
	END
	cat >lookup.sql <<-END
		\\set id random(1, $rows)
		select convert_from(decrypt(body, '0123456789abcdef0123456789abcdef', 'aes'), 'UTF8') from people
			where token = hmac('03' || lpad(:id::text, 8, '0'), 'key of tokens', 'sha256');
	END
	cat >durable.sql <<-END
		\\set id random(1, $rows)
		begin;
		insert into seen(who, token) values ('a' || :client_id, hmac('03' || lpad(:id::text, 8, '0'), 'key of tokens', 'sha256'));
		commit;
		select convert_from(decrypt(body, '0123456789abcdef0123456789abcdef', 'aes'), 'UTF8') from people
			where token = hmac('03' || lpad(:id::text, 8, '0'), 'key of tokens', 'sha256');
	END
	for script in lookup durable; do
		for _ in $(seq "$runs"); do
			"$pg/pgbench" -h "$work/socket" -U "$user" -n -M prepared -c 64 -j 2 -T "$seconds" \
				-f "$script.sql" postgres 2>/dev/null | sed -n 's/^tps = \([0-9]*\).*/\1/p' | tee -a "pg-$script.txt" >&2
		done
	done
}
say 'PostgreSQL 15 with pgcrypto and pgaudit, 64 clients'
peer || say 'PostgreSQL: skipped, it could not be installed'

warm=$(field per_second <warm.txt | median)
printf '\n%-46s %12s %10s %10s\n' measure value floor target
higher "$warm" 15000 35000 'disclosures/s, vault in cache'
higher "$(field per_second <cold.txt | median)" 3000 10000 'disclosures/s, vault evicted first'
lower "$(field ratio <lone.txt | median)" 3 2 'a lone one, p50, in append+fdatasync of 4 KiB'
higher "$(field per_second <append.txt | median)" 40000 80000 'ledger appends/s, 64 waiters'
higher "$(field per_second <verify.txt | median)" 1000000 3000000 'entries verified/s'
printf '\nlimit in the same run: append+fdatasync of 4 KiB, p50 %s us; a lone disclosure, p50 %s us\n' \
	"$(field append_p50_us <lone.txt | median)" "$(field disclose_p50_us <lone.txt | median)"
printf 'under load, p50 %s us, p99 %s us; peak memory: keeper %s, vault %s (its cache counted)\n' \
	"$(field p50_us <warm.txt | median)" "$(field p99_us <warm.txt | median)" "$keeper_peak" "$vault_peak"
printf 'a list of %s people sealed at %s rows/s\n' "$rows" "$entrusted"
if [ -s pg-durable.txt ]; then
	plain=$(median <pg-lookup.txt)
	durable=$(median <pg-durable.txt)
	printf 'PostgreSQL: %s/s with pgaudit (its log is not flushed), %s/s with a durable row first\n' "$plain" "$durable"
	echo "$warm $plain $durable" | awk '{ printf "ratio: %.1f times, and %.1f times\n", $1 / $2, $1 / $3 }'
fi
