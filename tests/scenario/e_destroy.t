#!/bin/sh
# Destroying a list: nothing of it can be read any more, everyone of the others can, and a kill changes nothing of that.
# No verb asks for it yet: builds for tests do what a file in the keeper's folder says.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone --roles agent --until 2030-12-31
run purpose add c01/survey --fields name --roles agent --until 2030-12-31
people() { # tag, numbers…
	tag=$1
	shift
	echo number,name,phone
	for n in "$@"; do echo "$n,Person $n $tag,03-1234-000$n"; done
}
give() { # purpose, as-of, mode, file
	as mori --json entrust --client c01 --purpose "$1" --as-of "$2" --mode "$3" "$4"
	gives 0 "$4: $3, as of $2"
}
see() { as ito --json disclose --client c01 --purpose "${purpose:-checkup}" --reason enquiry "$@"; }
is_seen() { # number, name and version
	see --by number="$1"
	is "$(json '[.fields.name, .version] | join(" ")')" "$2" "person $1"
	see --by phone="03-1234-000$1"
	is "$(json .fields.name)" "${2% *}" "person $1, by telephone"
}
is_gone() { # number
	see --by number="$1"
	gives 1 "person $1 is not found"
	see --by phone="03-1234-000$1"
	gives 1 "person $1, by telephone"
}
destroy() { # consignment, step to die at; what is said in $said
	rm -f "$AZUKARI_HOUSE"/keeper/test-destroy*
	echo "$1 ${2:-}" >"$AZUKARI_HOUSE/keeper/hook"
	chmod a+r "$AZUKARI_HOUSE/keeper/hook"
	mv "$AZUKARI_HOUSE/keeper/hook" "$AZUKARI_HOUSE/keeper/test-destroy"
	for _ in $(seq 200); do
		[ -e "$AZUKARI_HOUSE/keeper/test-destroy-said" ] && break
		sleep 0.1
	done
	said=$(cat "$AZUKARI_HOUSE/keeper/test-destroy-said" 2>&1)
	rm -f "$AZUKARI_HOUSE"/keeper/test-destroy*
	for _ in $(seq 100); do run status && [ "$code" -eq 0 ] && break; sleep 0.1; done
}
no_files() { # consignment
	! ls "$AZUKARI_HOUSE/keeper/catalogue" "$AZUKARI_HOUSE/keeper/trace" | grep -q -- "$(printf -- "-%016x" "$1")"
	ok "no file of consignment $1 is left"
}

people old 1 2 3 4 >one.csv
people new 1 2 3 5 | sed 's/Person 3 new/Person 3 old/' >two.csv
give checkup 2026-04-01 add one.csv
give checkup 2026-05-01 add two.csv
give survey 2026-04-01 add one.csv
as ito correct --client c01 --purpose checkup --by number=4 --set 'name=Person 4 right' --reason enquiry
gives 0 'a correction of somebody in the older list alone'
as ito correct --client c01 --purpose checkup --by number=2 --set 'phone=03-9999-0002' --reason enquiry
gives 0 'and of somebody in both'
stop
cp -a "$AZUKARI_HOUSE" whole
again() {
	[ -z "$server" ] || stop
	rm -rf "$AZUKARI_HOUSE" "$XDG_STATE_HOME"
	cp -a whole "$AZUKARI_HOUSE"
	mkdir -p "$XDG_STATE_HOME"
	serve
}

# --- refusals
again
before=$(find "$AZUKARI_HOUSE/keeper/catalogue" "$AZUKARI_HOUSE/keeper/trace" -name "*-*" | sort | cksum)
destroy 99
is "$said" 'destroy: there is no consignment 99' 'a consignment that is not there'
destroy 0
is "$said" 'destroy: there is no consignment 0' 'and 0'
"${AZUKARI_REPLAY:?}" hold 30 >held 2>&1 &
holding=$!
sleep 1
destroy 1
is "$said" 'destroy: a backup is being taken' 'one of a house that holds still for a backup'
kill $holding
wait $holding
is "$(find "$AZUKARI_HOUSE/keeper/catalogue" "$AZUKARI_HOUSE/keeper/trace" -name "*-*" | sort | cksum)" "$before" 'destroy nothing'

# --- the older of two
older() { # how
	is_seen 1 'Person 1 new 2'
	is_seen 3 'Person 3 old 1'
	is_seen 5 'Person 5 new 1'
	is_gone 4
	see --by phone=03-9999-0002
	is "$(json '.fields.name')" 'Person 2 new' "$1: a correction that the newer list has, too, is kept"
	see --by phone=03-1234-0002
	gives 1 "$1: and hides what was corrected"
	purpose=survey
	see --by number=4
	is "$(json .fields.name)" 'Person 4 old' "$1: another purpose has its own copy"
	purpose=checkup
	no_files 1
}
destroy 1
is "$said" done 'the older of two overlapping lists is destroyed'
older 'older'
as mori receipt 1
gives 1 'there is no receipt of it any more'
run --json status
is "$(json .consignments)" 2 'two are left'
run --json ledger query --client c01 --max 300
is "$(json '[.entries[].type | select(startswith("destroy"))] | sort | join(" ")')" 'destroyed destroying' 'two entries tell of it'
destroy 1
is "$said" 'destroy: there is no consignment 1' 'it is not destroyed twice'
stop
# The key is nowhere: an older ring would have it, and does not even open with what is on the host now.
cp "$AZUKARI_HOUSE/keeper/ring" ring.now
cp whole/keeper/ring "$AZUKARI_HOUSE/keeper/ring"
run status
gives 4 'the ring from before, which has its key, is refused'
grep -q 'does not open under these keys' err
ok 'since it opens no more'
! cmp -s whole/secret/host "$AZUKARI_HOUSE/secret/host"
ok 'the host secret is another one'
cp whole/keeper/ring "$AZUKARI_HOUSE/keeper/ring.next"
run status
gives 4 'nor does it pass for one that was cut off on its way'
cp ring.now "$AZUKARI_HOUSE/keeper/ring"
run status
gives 0 'with its own ring the house opens'
[ ! -e "$AZUKARI_HOUSE/keeper/ring.next" ]
ok 'and drops the other'
cp whole/secret/host "$AZUKARI_HOUSE/secret/host"
while [ -n "$(pgrep -f "$AZUKARI_HOUSE serve")" ]; do sleep 0.1; done
run status
gives 4 'with the host secret from before it does not'
again
destroy 1
stop
serve
older 'after a restart'
people newer 4 1 >three.csv
give checkup 2026-06-01 add three.csv
is "$(json '[.new_records,.new_versions,.unchanged] | join(" ")')" '0 2 0' 'the next list knows who is in the others'
is_seen 4 'Person 4 newer 4'
run ledger verify
gives 0 'the ledger holds'

# --- the newer of two
again
destroy 2
is "$said" done 'the newer of two overlapping lists is destroyed'
newer() {
	is_seen 1 'Person 1 old 1'
	is_seen 3 'Person 3 old 1'
	see --by number=4
	is "$(json '[.fields.name,.version] | join(" ")')" 'Person 4 right 3' "$1: a correction under the older list"
	see --by phone=03-9999-0002
	is "$(json .fields.name)" 'Person 2 old' "$1: and under both"
	is_gone 5
	no_files 2
}
newer 'newer'
stop
serve
newer 'after a restart'

# --- killed on the way
again
destroy 1 begin
is "$said" '1 begin' 'killed before the entry'
is_seen 4 'Person 4 right 3'
for step in entry sealed kept key vault catalogue; do
	again
	destroy 1 $step
	is "$said" "1 $step" "killed at $step"
	older "killed at $step"
	run --json ledger query --client c01 --max 300
	is "$(json '[.entries[].type | select(startswith("destroy"))] | sort | join(" ")')" 'destroyed destroying' \
		"killed at $step: the next start did the rest"
	run ledger verify
	gives 0 "killed at $step: the ledger holds"
	stop
	cp whole/keeper/ring "$AZUKARI_HOUSE/keeper/ring"
	run status
	gives 4 "killed at $step: the ring from before is refused"
	grep -q 'does not open under these keys' err
	ok "killed at $step: it opens no more"
done
# The parent, which keeps the secret.
for step in begin host; do
	again
	echo "$step" | tr -d '\n' >"$AZUKARI_HOUSE/secret/test-die"
	destroy 1 &
	wait "$server"
	kill $!
	wait $!
	server=
	rm -f "$AZUKARI_HOUSE/secret/test-die" "$AZUKARI_HOUSE"/keeper/test-destroy*
	serve
	older "the house killed at $step"
	run --json ledger query --client c01 --max 300
	is "$(json '[.entries[].type | select(startswith("destroy"))] | sort | join(" ")')" 'destroyed destroying' \
		"the house killed at $step: the next start did the rest"
	stop
	cp whole/keeper/ring "$AZUKARI_HOUSE/keeper/ring"
	run status
	gives 4 "the house killed at $step: the ring from before is refused"
done

# --- what took people away
again
people full 1 2 >four.csv
printf 'number\n2\n' >five.csv
give checkup 2026-07-01 full four.csv
give checkup 2026-07-02 withdraw five.csv
is_gone 3
is_gone 2
destroy 5
case $said in *'took people away'*) true ;; *) false ;; esac
ok "a withdrawal goes after what it withdraws from ($said)"
destroy 4
case $said in *'took people away'*) true ;; *) false ;; esac
ok 'and a full list after what it replaced'
is_gone 2
destroy 2
destroy 1
is "$said" done 'the older ones go first'
is_seen 1 'Person 1 full 4'
is_gone 2
destroy 4
is "$said" done 'then the full list'
destroy 5
is "$said" done 'then the withdrawal'
for n in 1 2 3 4 5; do is_gone $n; done

# --- meanwhile
again
see --by number=1
(
	for _ in $(seq 30); do
		AZUKARI_KEY=$work/ito.key "$az" --json disclose --client c01 --purpose checkup --reason enquiry --by phone=03-1234-0003 \
			2>/dev/null | jq -r '.fields.name // .error.status' >>seen
	done
) &
destroy 1
wait $!
is "$(sort -u seen)" 'Person 3 old' 'who asks meanwhile is never told that something was tampered with'
run ledger verify
gives 0 'and the ledger holds'
plan
