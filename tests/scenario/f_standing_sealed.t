#!/bin/sh
# Standing approvals where two people decide (I7): who may sign one, and what becomes of it. Started by root it runs as another user, as
# f_sealed.t does.
if [ "$(id -u)" -eq 0 ]; then
	setpriv --reuid=64399 --regid=64399 --clear-groups test -r "$0" -a -x "$AZUKARI" || {
		echo '1..0 # skipped: another user than root cannot read this folder'
		exit 0
	}
	exec setpriv --reuid=64399 --regid=64399 --clear-groups env HOME=/nonexistent sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sealed.sh"
command -v age >/dev/null || skip_rest 'scripts/deps.sh installs age'
sealed_found
sealed_staff mori supervisor
sealed_staff ito agent
sealed_staff abe officer
approved() { # command …
	run --json "$@"
	at_desk kondo approve "$(json .request)"
	gives 0 "$1 $2"
}
age-keygen -o client.id 2>/dev/null
client=$(grep -o 'age1[0-9a-z]*' client.id)
approved client add c01 --name 'City of Example'
approved purpose add c01/p --fields number,name,phone --roles agent --until 2030-12-31
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n2,Bob Ray,090-1111-2222\n' >list.csv
as mori entrust --client c01 --purpose p --as-of 2026-04-01 list.csv
gives 0 'a list is there'
until=$(date -u -d '+2 days' +%F)
allow() { # who: the number of the request in $request
	as "$1" --json statement allow c01 --recipient "$client" --columns time,staff,record --rows 5 --every 2s --until "$until"
	is "$code $(json .approved)" '0 false' "$1 asks for a standing approval, and does not have it (I7)"
	request=$(json .request)
}
see() { # number
	echo "$1" >number
	AZUKARI_KEY=$work/ito.key timeout -k 2 60 "$az" disclose --client c01 --purpose p --by number=@7 --reason enquiry >out 2>err </dev/null 7<number
	ok "person $1 is seen"
}
statement() { # who, number, options
	who=$1
	shift
	rm -f made.age
	as "$who" --json statement make "$@" --out made.age
}
refused() { # what
	gives 3 "$1"
	[ ! -e made.age ] && [ ! -e made.age.part ]
	ok "$1: and nothing is written"
}
state() { # number
	run --json approvals --standing
	json ".standing[] | select(.standing == $1) | .state"
}

# --- who signs it
allow mori
statement mori 1
gives 1 'before it is approved there is none'
as mori approve "$request"
gives 3 'who asked does not approve it'
at_desk mori approve "$request"
gives 3 'nor at another device'
at_desk ito approve "$request"
gives 3 'nor does an agent'
run approve "$request"
gives 3 'nor an officer at the device that it was asked at'
statement mori 1
gives 1 'so there is none still'
allow aoki
at_desk abe approve "$request"
gives 3 'an officer whose key comes from who asks does not approve it'
at_desk kondo approve "$request"
gives 0 'another one does'
see 1
see 2
statement mori 1
refused 'it is for who asked, and for nobody else'
statement kondo 1
refused 'not for who approved'
statement aoki 1
is "$code $(json '[.rows, .uses] | map(tostring) | join(" ")')" '0 2 1' 'it is used'
age -d -i client.id made.age >made.csv
is "$(cut -d, -f2- made.csv | tr '\n' ';')" 'staff,record;ito,1;ito,2;' 'by the recipient alone'
! grep -qE 'Ann|Bob|1234|1111' made.csv out
ok 'with nothing of anybody (I3)'
statement aoki 1 --from 0
refused 'and not again before its time'

# --- a signature is over one of them
allow mori
first=$request
allow mori
AZUKARI_KEY=$work/kondo.key AZUKARI_DEVICE=$work/desk.key "$AZUKARI_REPLAY" "$first" "$request" >out 2>err
[ $? -eq 3 ]
ok 'the signature over one approves no other, with the same limits'
at_desk kondo approve "$first"
gives 0 'each is approved by itself'
statement mori 3
gives 1 'and the other is not'
statement mori 2 --from 0
gives 0 'while the one is used'

# --- over a start
stop
lock_up
"$az" unlock --officer aoki --passphrase @7 >out 2>err 7<aoki.pass
for _ in $(seq 200); do
	run status
	[ "$code" -eq 0 ] && break
	sleep 0.05
done
run --json approvals --standing
is "$(json '[.standing[] | .uses] | map(tostring) | join(" ")')" '1 1' 'each use is there after a start'
sleep 2.1
statement aoki 1 --from 0
gives 0 'and the next is had, in its time'
see 1

# --- the people whom it leans on
run staff key --out newer.key --name kondo
key=$(cat out)
as mori --json staff rekey kondo --public "$key"
request=$(json .request)
statement mori 2 --from 0
gives 0 'while a change of key is only asked, it stands'
at_desk aoki approve "$request"
gives 0 'who approved it gets another key'
sleep 2.1
statement mori 2 --from 0
refused 'the older one may have been anybody''s: it is void'
is "$(state 2)" void 'which shows'
mv newer.key kondo.key
allow mori
at_desk abe approve "$request"
gives 0 'another officer approves one'
statement mori 3 --from 0
gives 0 'which is used'
as mori --json staff end abe
request=$(json .request)
at_desk aoki approve "$request"
gives 0 'who approved it leaves'
sleep 2.1
statement mori 3 --from 0
refused 'it is void'
is "$(state 3)" void 'which shows'
allow mori
at_desk kondo approve "$request"
gives 3 'who has their key from who asks approves nothing of theirs'
at_desk aoki approve "$request"
gives 0 'another officer does'
statement mori 4 --from 0
gives 0 'one more is used'
run --json staff end mori
at_desk kondo approve "$(json .request)"
gives 0 'who asked for it leaves'
sleep 2.1
statement mori 4 --from 0
refused 'with them it is void'
is "$(state 4)" void 'which shows'
run ledger verify
gives 0 'the ledger holds'
plan
