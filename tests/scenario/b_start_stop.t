#!/bin/sh
# Founding, starting, stopping, dying.
. "$(dirname "$0")/lib.sh"

run init --house house --officer aoki --key-out aoki.key
gives 2 'one officer founds no house that is not said to be unsealed'
[ ! -e house ] && [ ! -e aoki.key ]
ok 'and nothing is left behind'
run init --house house --officer 'ao ki' --key-out aoki.key --unsealed
gives 2 'an officer without a label is refused'
run init --house house --officer aoki --unsealed
gives 2 'a house without a place for the key is refused'
run init --house missing/folder/house --officer aoki --key-out aoki.key --unsealed
gives 1 'a house in a folder that is not there is refused'
: >taken.key
run init --house house --officer aoki --key-out taken.key --unsealed
gives 1 'a key file that is there already is refused'
[ ! -e house ] && [ -z "$(ls -d house.new-* 2>/dev/null)" ] && [ ! -s taken.key ]
ok 'nothing is left behind, and the file is as it was'

deep="$work/a folder with blanks/$(printf 'x%.0s' $(seq 120))"
mkdir -p "$deep"
run init --house "$deep/house" --officer aoki --key-out deep.key --unsealed
gives 0 'a long path with blanks is founded'
AZUKARI_HOUSE="$deep/house" AZUKARI_KEY=deep.key run --house "$deep/house" --key deep.key status
gives 0 'and answers'

found
run init --house "$AZUKARI_HOUSE" --officer aoki --key-out again.key --unsealed
gives 1 'a house that is there is not founded again'
[ ! -e again.key ]
ok 'and no key is made'
run status
gives 0 'a command starts an unsealed house itself'

for _ in $(seq 60); do
	pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || break
	sleep 0.1
done
! pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null
ok 'which ends when nobody needs it'

serve
gives 0 'it is served'
run serve
gives 5 'it is not served twice'
run --json status
is "$(json .staff)" 5 'all staff are there after restarts'

for name in azukari-keeper azukari-vault; do
	old=$(child_of_server "$name")
	[ -n "$old" ]
	ok "$name runs"
	kill -9 "$old"
	for _ in $(seq 100); do
		new=$(child_of_server "$name")
		[ -n "$new" ] && [ "$new" != "$old" ] && break
		sleep 0.1
	done
	[ -n "$new" ] && [ "$new" != "$old" ]
	ok "$name is another process after kill -9"
	for _ in $(seq 50); do
		run status
		[ "$code" -eq 0 ] && break
		sleep 0.1
	done
	gives 0 "and the house answers"
done
stop
gives 0 'SIGTERM ends it in order'
[ ! -S "$AZUKARI_HOUSE/run/keeper.sock" ]
ok 'and its socket is gone'

mv "$AZUKARI_HOUSE/secret" hidden
run status
[ "$code" -ne 0 ]
ok "without its secrets it does not start (exit $code)"
mv hidden "$AZUKARI_HOUSE/secret"
run --house nowhere status
gives 1 'a house that is not there'
run status extra
gives 2 'an argument too many'
run nonsense
gives 2 'a command that is not there'
for command in init serve status client purpose staff device entrust disclose ledger demo; do
	run "$command" -h
	[ "$code" -eq 0 ] && grep -q "^usage: azukari" out && grep -q '^example:' out
	ok "$command -h has usage and an example"
done
plan
