#!/bin/sh
# Lists without numbers: people are joined by what is stated, and where that is doubtful it is said, and nobody is merged.
. "$(dirname "$0")/lib.sh"
lie=${AZUKARI_LIE:?}
found
serve
run client add c01 --name 'City of Example'
run client add c02 --name 'Another'
for p in c01/checkup c01/survey c02/checkup; do
	run purpose add $p --fields name,birth,phone,address --roles agent --until 2030-12-31
done
give() { # options… file
	as mori --json entrust --client c01 --purpose checkup "$@"
}
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }
counts() { json '[.accepted,.refused,.new_records,.new_versions,.unchanged,.doubtful] | join(" ")'; }
reason() { json ".refusals[] | select(.row == $1) | .reason"; }

cat >base.csv <<'X'
number,name,birth,phone
1,Ann Lee,1980-01-01,03-1234-0001
2,Bob Ray,1981-02-02,03-1234-0002
3,Cat Ray,1982-03-03,03-1234-0002
4,Dan Poe,1983-04-04,03-1234-0004
5,Eve Poe,1984-05-05,03-1234-0005
6,Eve Poe,1984-05-05,03-1234-0006
X
give --as-of 2026-04-01 base.csv
gives 0 'people with numbers'
as mori --json entrust --client c02 --purpose checkup --as-of 2026-04-01 base.csv
gives 0 'the same people of another client'

# --- refusals
sed 's/^[0-9a-z]*,//' base.csv >plain.csv
give --as-of 2026-05-01 plain.csv
gives 1 'a list without numbers'
case $(json .error.text) in *--join*) true ;; *) false ;; esac
ok "and the error says what to do ($(json .error.text))"
give --as-of 2026-05-01 --join phone base.csv
gives 1 'a list with numbers is not joined by something else'
for kinds in '' number name kana+birth phone, phone,,email 'phone email' all; do
	give --as-of 2026-05-01 --join "$kinds" plain.csv
	gives 2 "--join '$kinds'"
done
printf 'note\nx\ny\n' >note.csv
give --as-of 2026-05-01 --join phone --columns 'note=note' note.csv
gives 1 'a list that has nothing of it'
for who in ito sato kato; do
	as $who entrust --client c01 --purpose checkup --as-of 2026-05-01 --join phone plain.csv
	gives 3 "$who: join"
done
see --by number=1
is "$(json .version)" 1 'nobody has changed'

# --- joined by two kinds
{
	echo name,birth,phone,address
	echo 'ANN  LEE,1980/1/1,+81 3 1234 0001,Tokyo'
	echo 'Bob Ray,1981-02-02,03-1234-0002,Osaka'
	for i in $(seq 60); do echo "New $(printf '\\%03o\\%03o' $((97 + i % 26)) $((97 + i / 26)) | xargs -0 printf),1990-01-01,03-5555-10$(printf %02d "$i"),"; done
} >two.csv
give --as-of 2026-05-01 --join name+birth,phone two.csv
is "$code $(counts)" '0 62 0 60 2 0 0' 'two are joined, sixty are new'
see --by number=1
is "$(json '[.record,.version,.fields.address] | join(" ")')" '1 2 Tokyo' 'the first has what came without a number'
see --by number=2
is "$(json '[.record,.version,.fields.address] | join(" ")')" '2 2 Osaka' 'and the second'
see --by phone=03-5555-1007
is "$(json .fields.birth)" 1990-01-01 'somebody new is found by telephone'
give --as-of 2026-05-02 --join name+birth,phone two.csv
is "$(counts)" '62 0 0 0 62 0' 'the same again is unchanged'
as ito --json disclose --client c02 --purpose checkup --reason enquiry --by number=1
is "$(json '.version')" 1 'nobody of another client was touched'

# --- doubtful
{
	sed -n 1p two.csv
	sed -n '4,$p' two.csv
	echo 'Dan Poe,1983-04-04,03-9999-0004,moved'
	echo 'Zoe Lee,2001-01-01,03-1234-0001,household'
	echo 'Cat Ray,1982-03-03,,no telephone'
} >three.csv
give --as-of 2026-05-03 --join name+birth,phone three.csv
is "$code $(counts)" '0 61 2 1 0 60 1' 'two are refused, one is new and doubtful'
is "$(reason 61)" 'it may be somebody known: not all that people are joined by agrees' 'who moved is not merged'
is "$(reason 63)" 'something that people are joined by is missing' 'who lacks one of them is not guessed'
is "$(json '.doubts | length')" 1 'the doubtful row is told'
is "$(json '.doubts[0].row')" 62 'by its number'
! grep -q 'Zoe\|moved' out
ok 'and nothing of what it says'
see --by number=4
is "$(json '[.version,.fields.phone] | join(" ")')" '1 03-1234-0004' 'the one who may have moved is as before'
see --by number=1
is "$(json .fields.name)" 'ANN  LEE' 'the household is two people'
{
	sed -n 1p two.csv
	sed -n '4,$p' two.csv
	echo 'Eve Poe,1984-05-05,03-0000-0005,twins'
	echo 'New Person,1999-09-09,03-7777-0001,once'
	echo 'New Person,1999-09-09,03-7777-0001,twice'
} >four.csv
give --as-of 2026-05-04 --join name+birth four.csv
is "$code $(counts)" '0 61 2 1 0 60 0' 'several who agree, and a row twice'
is "$(reason 61)" 'several people of the client are that' 'of several nobody is taken'
is "$(reason 63)" 'an earlier row of the list is the same person' 'nor is one person two'
as mori --json entrust --client c01 --purpose checkup --as-of 2026-05-05 --join name+birth --strict four.csv
gives 1 'strictly, doubts reject the list'
printf 'name,birth\nEve Poe,1984-05-05\nAnn Lee,1980-01-01\n' >half.csv
give --as-of 2026-05-05 --join name+birth half.csv
gives 1 'and too many of them do as well'

# --- a frame of rows that are all refused
{
	echo number,name
	for _ in 1 2 3; do seq -f '%.0f,Person with a name that is rather long' 6000; done
} >thrice.csv
as mori --json entrust --client c02 --purpose checkup --as-of 2026-04-01 thrice.csv
is "$code $(json '[.error.status,.error.refused] | join(" ")')" '1 invalid 12000' 'a list three times over is rejected, and nothing else'

# --- so many that their tokens come in several pieces
many() { # with numbers, from, to
	awk -v n="$1" -v from="$2" -v to="$3" 'BEGIN { print (n ? "number," : "") "name,phone"
		for (i = from; i <= to; i++) printf "%sPerson %d,090-%04d-%04d\n", n ? i "," : "", i, 1000 + i / 1000, i % 1000 }'
}
run purpose add c02/many --fields name,phone --roles agent --until 2030-12-31
many 1 1 30000 >many.csv
as mori --json entrust --client c02 --purpose many --as-of 2026-04-01 many.csv
is "$(json .accepted)" 30000 'thirty thousand people'
many '' 1 30020 | shuf --random-source=many.csv | sed '/^name/d; 1i name,phone' >again.csv
as mori --json entrust --client c02 --purpose many --as-of 2026-05-01 --join phone again.csv
is "$code $(counts)" '0 30020 0 20 30000 0 0' 'all are found again among them, and twenty are new'
as mori --json entrust --client c02 --purpose many --as-of 2026-06-01 --mode full --join phone again.csv
is "$code $(counts) $(json .absent)" '0 30020 0 0 0 30020 0 0' 'and once more, as a full list'
sed 20001q again.csv >fewer.csv
as mori --json entrust --client c02 --purpose many --as-of 2026-07-01 --mode full --join phone fewer.csv
is "$code $(json '[.accepted,.absent] | join(" ")')" '0 20000 10020' 'which leaves out ten thousand and twenty'

# --- only current versions count
printf 'number,name,birth,phone\n4,Dan Poe,1983-04-04,03-1234-4444\n' >moved.csv
give --as-of 2026-05-06 moved.csv
printf 'name,phone\nSomebody Else,03-1234-0004\n' >old.csv
give --as-of 2026-05-07 --join phone old.csv
is "$(counts)" '1 0 1 0 0 0' 'who has the telephone now that somebody had before is somebody else'

# --- withdrawals
printf 'name,birth,phone\nBob Ray,1981-02-02,03-1234-0002\nNobody,1950-05-05,03-0000-9999\n' >out.csv
give --as-of 2026-05-08 --mode withdraw --join name+birth,phone out.csv
is "$code $(json '[.accepted,.withdrawn,.unknown,.refused] | join(" ")')" '0 1 1 1 1' 'a withdrawal without numbers'
is "$(reason 2)" 'nobody of the client is that' 'says whom nobody knows'
see --by number=2
gives 1 'who is withdrawn is not found by number'
see --by number=3
gives 0 'who shares the telephone is'
see --by phone=03-1234-0002
is "$(json '.record')" 3 'and is the only one with it'
printf 'name,birth\nEve Poe,1984-05-05\n' >eve.csv
give --as-of 2026-05-08 --mode withdraw --join name+birth eve.csv
gives 1 'a withdrawal of one of two who agree'
see --by number=5
gives 0 'withdraws neither'
printf 'name,birth,phone\nDan Poe,1983-04-04,03-1234-4444\n' >elsewhere.csv
as mori --json entrust --client c01 --purpose survey --as-of 2026-05-09 --mode withdraw --join name+birth,phone elsewhere.csv
is "$code $(json '[.accepted,.withdrawn,.unknown,.refused] | join(" ")')" '0 1 0 1 0' \
	'who is in lists of another purpose only is withdrawn beforehand'
see --by number=4
gives 0 'and stays in those'

# --- a vault that lies
stop
for how in hide redirect forget; do
	rm -rf lied && cp -a "$AZUKARI_HOUSE" lied
	"$lie" "$AZUKARI_HOUSE/vault" "$how"
	serve
	give --as-of 2026-06-01 --join name+birth,phone two.csv
	gives 4 "tokens that the vault changed ($how): nobody is joined"
	stop
	rm -rf "$AZUKARI_HOUSE" "$XDG_STATE_HOME" && cp -a lied "$AZUKARI_HOUSE" && mkdir -p "$XDG_STATE_HOME"
done
serve
give --as-of 2026-06-01 --join name+birth,phone two.csv
is "$code $(json '[.new_records,.refused] | join(" ")')" '0 0 0' 'with the true ones all are, also after a restart'
as mori --json receipt "$(json .consignment)"
gives 0 'with a receipt'
run ledger verify
gives 0 'and the ledger holds'
plan
