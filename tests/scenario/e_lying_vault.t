#!/bin/sh
# A vault that lies (I6), and a server that listens (I4).
. "$(dirname "$0")/lib.sh"
lie=${AZUKARI_LIE:?}
found
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone --roles agent --until 2030-12-31
{
	echo number,name,phone,email
	for i in $(seq 100); do printf '%d,planted name %03d,03-1234-%04d,planted%d@example.jp\n' "$i" "$i" "$i" "$i"; done
} >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list'
sed 's/planted name 001/planted newer name/' list.csv >newer.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-05-01 newer.csv
is "$(json '[.new_versions,.unchanged] | join(" ")')" '1 99' 'and a newer one, in which one person has changed'
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }
rest() {
	for _ in $(seq 100); do
		pgrep -f "$AZUKARI_HOUSE serve --transient" >/dev/null || return
		sleep 0.1
	done
}
see --by phone=0312340001
is "$(json .fields.name)" 'planted newer name' 'the newer version is shown'
rest
cp -a "$AZUKARI_HOUSE" whole
again() { # how it lies
	rest
	rm -rf "$AZUKARI_HOUSE" "$XDG_STATE_HOME"
	cp -a whole "$AZUKARI_HOUSE"
	mkdir -p "$XDG_STATE_HOME"
	"$lie" "$AZUKARI_HOUSE/vault" "$@"
}
withheld() {
	gives 4 "$1: withheld"
	! grep -q 'planted' out
	ok 'and no field'
}
again swap 2 1 2
see --by number=1
withheld 'the row of another person'
see --by phone=0312340001
withheld 'the same, by telephone'
again copy 1 1 2
see --by number=1
withheld 'an older row in the place of the newer'
again copy 1 5 2
see --by number=5
withheld 'the same content from another list'
again flip 2 7
see --by number=7
withheld 'a changed row'
again remove 2 7
see --by number=7
withheld 'a missing row'
see --by number=8
gives 0 'while others are shown'
again hide
see --by phone=0312340009
withheld 'hidden tokens'
see --by phone=0398765432
withheld 'also for somebody who is not there'
again redirect
see --by phone=0312340009
withheld 'tokens that lead to another person'
again forget
see --by email=planted9@example.jp
withheld 'no tokens at all'
run --json ledger query --client c01 --max 5
is "$(json '.entries[0].type')" withheld 'each is an entry'
run ledger verify
gives 0 'and the ledger holds'

again swap 2 50 51
if [ -n "${AZUKARI_RECORD:-}" ]; then
	# What a server in the channel's place would see of a disclosure and of its list of purposes.
	code=0
	AZ_RECORD=$work/seen LD_PRELOAD=$AZUKARI_RECORD AZUKARI_KEY=$work/ito.key timeout 60 "$az" --json \
		disclose --client c01 --purpose checkup --by email=planted9@example.jp --reason enquiry >out 2>err || code=$?
	is "$(json .fields.name)" 'planted name 009' 'a disclosure is recorded on its way'
	[ "$(wc -c <seen)" -gt 500 ]
	ok "($(wc -c <seen) bytes)"
	! LC_ALL=C grep -aqE 'planted|03-1234|checkup|c01|ito' seen
	ok 'and nothing of it can be read (I4)'
fi
plan
