#!/bin/sh
# Whose passphrases open a sealed house. Started by root it runs as another user, as f_sealed.t does.
if [ "$(id -u)" -eq 0 ]; then
	setpriv --reuid=64399 --regid=64399 --clear-groups test -r "$0" -a -x "$AZUKARI" || {
		echo '1..0 # skipped: another user than root cannot read this folder'
		exit 0
	}
	exec setpriv --reuid=64399 --regid=64399 --clear-groups env HOME=/nonexistent sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sealed.sh"
sealed_found
sealed_staff abe officer
sealed_staff ito agent
printf 'second long passphrase\n' >kondo.pass
printf 'third very long phrase\n' >abe.pass
printf 'another words altogether\n' >ito.pass
printf 'short\n' >short.pass
head -c 300 /dev/zero | tr '\0' 'a' >long.pass
give() { # who, with whose passphrase
	code=0
	AZUKARI_DEVICE=$work/desk.key AZUKARI_KEY=$work/$1.key timeout -k 2 60 "$az" --json key give --passphrase @7 >out 2>err </dev/null 7<"$2.pass" || code=$?
}
run --json key slots
is "$(json '(.needed | tostring) + " " + (.officers | map(.officer) | join(","))')" '1 aoki' 'at first the first officer alone'

# Asking.
for who in ito; do
	as $who key slots
	gives 3 "$who sees no slots"
	as $who key slots --officers aoki,kondo --needed 2
	gives 3 'and asks for none (I7)'
done
run key slots --officers aoki,kondo --needed 3
gives 1 'three of two'
run key slots --officers aoki,kondo --needed 0
gives 2 'none of two'
run key slots --officers aoki,kondo
gives 2 'of two'
run key slots --needed 1
gives 2 'of nobody'
run key slots --officers aoki,ito --needed 2
gives 1 'an agent'
run key slots --officers aoki,nobody --needed 2
gives 1 'nobody'
run key slots --officers aoki,aoki --needed 2
gives 1 'one twice'
give aoki aoki
gives 1 'nothing was asked: nothing is given'
run --json key slots --officers aoki,kondo,abe --needed 2
gives 0 'two of three are asked'
is "$(json .what)" "let the passphrases of any 2 of aoki, kondo, abe open the house, and nobody else's" 'in words'
request=$(json .request)
give aoki aoki
gives 1 'before it is approved nothing is given'
run approve "$request"
gives 3 'who asked does not approve it (I7)'
at_desk kondo approve "$request"
gives 0 'another officer does'

# Giving: each for themselves.
run --json key slots
is "$(json '(.needed | tostring) + " " + (.wanted.officers | map(.officer + ":" + (.given | tostring)) | join(" "))')" '1 aoki:false kondo:false abe:false' 'the older ones are in force still'
give ito ito
gives 3 'an agent gives nothing'
give aoki short
gives 1 'a short passphrase'
give aoki long
gives 1 'one that is too long'
run key give --passphrase 'in an argument'
gives 2 'one in an argument (I4)'
run ask key give
gives 2 'nor is it asked'
give aoki aoki
is "$code $(json '(.given | tostring) + " " + (.in_force | tostring)')" '0 1 false' 'the first gives'
give kondo kondo
is "$code $(json '(.given | tostring) + " " + (.in_force | tostring)')" '0 2 false' 'the second'
kill -9 "$(child_of_server azukari-keeper)"
for _ in $(seq 100); do
	run --json key slots
	[ "$code" -eq 0 ] && break
	sleep 0.1
done
is "$(json '.wanted.officers | map(.given | tostring) | join(" ")')" 'false false false' 'a keeper that died has forgotten both, and knows what is wanted (I8)'
cp "$AZUKARI_HOUSE/secret/slots" slots.before
cp "$AZUKARI_HOUSE/secret/host" host.before
cp "$AZUKARI_HOUSE/keeper/ring" ring.before
give kondo kondo
give abe abe
cmp -s "$AZUKARI_HOUSE/secret/slots" slots.before
ok 'nothing is written before all have given'
give aoki aoki
is "$code $(json '(.given | tostring) + " " + (.in_force | tostring)')" '0 3 true' 'the last one puts them in force'
run --json key slots
is "$(json '(.needed | tostring) + " " + (.officers | map(.officer) | join(",")) + " " + (has("wanted") | tostring)')" '2 aoki,kondo,abe false' 'which the list says'
! grep -rqE 'horse battery|second long|third very' "$AZUKARI_HOUSE" "$XDG_STATE_HOME" serve.log
ok 'no passphrase lies anywhere (I4)'
run --json ledger query --max 60
is "$(json '[.entries[] | select(.type == "slots")] | length')" 7 'wanted, five times given, in force: entries'
give aoki aoki
gives 1 'and nothing more is given'

# Unlocking.
! cmp -s "$AZUKARI_HOUSE/secret/slots" slots.before && ! cmp -s "$AZUKARI_HOUSE/secret/host" host.before && ! cmp -s "$AZUKARI_HOUSE/keeper/ring" ring.before
ok 'slots, host secret and key ring are others than before'
[ ! -e "$AZUKARI_HOUSE/secret/slots.next" ] && [ ! -e "$AZUKARI_HOUSE/keeper/ring.next" ]
ok 'and nothing is left of the way there'
stop
unlock() { # who, with whose passphrase
	code=0
	timeout -k 2 60 "$az" --json unlock --officer "$1" --passphrase @7 >out 2>err </dev/null 7<"$2.pass" || code=$?
}
served() {
	for _ in $(seq 200); do
		run status
		[ "$code" -ne 5 ] && return
		sleep 0.05
	done
}
lock_up
grep -q '2 of 3 officers' serve.log
ok 'two of three must unlock it'
unlock aoki aoki
is "$code $(json '(.given | tostring) + "/" + (.needed | tostring) + (.unlocked | tostring)')" '0 1/2false' 'one is not enough'
unlock aoki aoki
gives 1 'nor the same one twice'
unlock kondo abe
gives 3 "nor with another's passphrase"
unlock abe abe
is "$code $(json .unlocked)" '0 true' 'two are'
served
gives 0 'it is served'

# Without who has left.
run --json staff end abe
at_desk kondo approve "$(json .request)"
run --json key slots
is "$(json '.officers | map(.officer + ":" + (.here | tostring)) | join(" ")')" 'aoki:true kondo:true abe:false' 'the list says who has left'
run --json key slots --officers aoki,abe --needed 1
gives 1 'who has left gets none'
run --json key slots --officers kondo,aoki --needed 1
at_desk kondo approve "$(json .request)"
give abe abe
gives 3 'who has left gives nothing'
give kondo kondo
give aoki aoki
is "$(json .in_force)" true 'the others give'
stop
lock_up
unlock abe abe
gives 3 'the passphrase of who has left opens nothing'
unlock kondo kondo
gives 0 'one of the others does'
served
run ledger verify
gives 0 'the ledger holds'
stop

# Older slots, and an older ring, with what is on the host now.
cp "$AZUKARI_HOUSE/secret/slots" slots.now
cp "$AZUKARI_HOUSE/keeper/ring" ring.now
cp slots.before "$AZUKARI_HOUSE/secret/slots"
lock_up
unlock aoki aoki
gives 3 'the slots from before open with nothing that is there now'
give_up_lock() { # the house that waits for passphrases
	kill "$server"
	wait "$server" 2>/dev/null
	server=
}
give_up_lock
cp slots.now "$AZUKARI_HOUSE/secret/slots"
cp ring.before "$AZUKARI_HOUSE/keeper/ring"
lock_up
unlock kondo kondo
wait "$server"
code=$?
server=
is "$code" 4 'nor does the ring from before: the house says that somebody tampered with it'
grep -q 'key ring: it does not open under these keys' serve.log
ok 'and with what'
cp ring.now "$AZUKARI_HOUSE/keeper/ring"

# The house is ended at each of the writes: it starts with the older passphrases or the newer ones.
printf 'fourth words of aoki\n' >aoki4.pass
for step in begin next host slots; do
	rm -rf "$AZUKARI_HOUSE.kept"
	cp -a "$AZUKARI_HOUSE" "$AZUKARI_HOUSE.kept"
	cp -a "$XDG_STATE_HOME" state.kept
	lock_up
	unlock kondo kondo
	served
	run --json key slots --officers aoki --needed 1
	at_desk kondo approve "$(json .request)"
	printf %s "$step" >"$AZUKARI_HOUSE/secret/test-die"
	give aoki aoki4
	[ "$code" -ne 0 ]
	ok "ended at $step"
	wait "$server"
	server=
	rm "$AZUKARI_HOUSE/secret/test-die"
	run key backup keys.$step
	gives 5 'keys are not backed up while two of them lie there'
	lock_up
	unlock aoki aoki4
	case $step in
	begin | next)
		gives 3 "ended at $step: the newer passphrase opens nothing"
		unlock kondo kondo
		gives 0 'and the older one does'
		;;
	*)
		gives 0 "ended at $step: the newer passphrase opens it"
		;;
	esac
	served
	gives 0 'it is served'
	run ledger verify
	gives 0 'and holds'
	[ ! -e "$AZUKARI_HOUSE/secret/slots.next" ] && [ ! -e "$AZUKARI_HOUSE/keeper/ring.next" ]
	ok 'nothing is left of the way'
	# Where it had come to its end, the older ones are nobody's.
	case $step in
	host | slots)
		stop
		cp slots.now "$AZUKARI_HOUSE/secret/slots"
		lock_up
		unlock kondo kondo
		gives 3 'the slots from before open nothing'
		give_up_lock
		;;
	*) stop ;;
	esac
	rm -rf "$AZUKARI_HOUSE" "$XDG_STATE_HOME"
	mv "$AZUKARI_HOUSE.kept" "$AZUKARI_HOUSE"
	mv state.kept "$XDG_STATE_HOME"
done

# An unsealed house has none.
export AZUKARI_HOUSE="$work/open" AZUKARI_KEY="$work/open.key"
run init --house open --officer aoki --key-out open.key --unsealed
run key slots --officers aoki --needed 1
gives 1 'an unsealed house has no passphrases'
run --json key slots
is "$code $(json 'keys | length')" '0 0' 'and no slots'
plan
