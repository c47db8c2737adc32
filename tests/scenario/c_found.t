#!/bin/sh
# Numbers that few purposes may keep, and codes that none may.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/plain --fields number,name,note --roles agent --until 2030-12-31
gives 0 'a purpose that allows nothing of the kind'
run purpose add c01/pay --fields name,x:card --class x:card=card,x:branch=financial --allow card \
	--roles agent --until 2030-12-31
gives 0 'one that allows card numbers'
run purpose add c01/tax --fields name,x:kojin --class x:kojin=my-number --allow my-number --roles agent \
	--until 2030-12-31
gives 0 'one that allows My Numbers'
run --json purpose list c01
is "$(json '.purposes[1] | [.fields[] | [.field,.mask,.class] | join(" ")] | join(",")')" \
	'name full identity,x:card last4 card,x:branch hidden financial' 'classes, and the masks that follow from them'
is "$(json '[.purposes[].allows | join("+")] | join(",")')" ',card,my-number' 'and what each allows'
give() { # purpose, file, options
	purpose=$1
	shift
	as mori --json entrust --client c01 --purpose "$purpose" --as-of 2026-04-01 "$@"
}
{
	echo number,name,note
	for i in $(seq 60); do echo "$i,Person $i,hello"; done
	echo '61,Ann Lee,card 4111 1111 1111 1111 she said'
	echo '62,Bob ４１１１１１１１１１１１１１１１,x'
	echo '63,Cho Kim,my number is 1234-5678-9018'
} >list.csv
give plain list.csv
gives 0 'a list with a few of them'
is "$(json '[.accepted,.refused] | join(" ")')" '60 3' 'their rows are refused'
is "$(json '[.refusals[] | "\(.row):\(.reason | .[0:16])"] | join(",")')" \
	'61:a card number, w,62:a card number, w,63:an individual nu' 'by number and reason'
! grep -q '4111\|1234' out err
ok 'and nothing of what they say'
give pay list.csv
is "$(json '[.refusals[].row] | join(",")')" 63 'a purpose that allows cards refuses the My Number'
give tax list.csv
is "$(json '[.refusals[].row] | join(",")')" '61,62' 'and the other way round'
printf 'number,name,x:card\n1,Ann Lee,4111111111111111\n' >one.csv
give pay one.csv
gives 0 'a card number where it is allowed'
as ito --json disclose --client c01 --purpose pay --by number=1 --reason payment
is "$(json '.fields["x:card"]')" '************1111' 'is shown by its last four digits'
give plain one.csv
gives 1 'where it is not, the list has nothing left'

printf 'number,name,x:card,x:cvv\n1,Ann Lee,4111111111111111,123\n' >cvv.csv
give pay cvv.csv
gives 1 'a column that is a verification code by its name'
json .error.text | grep -q 'column 4'
ok "and it is said which: $(json .error.text)"
printf 'number,name,card,Security Code\n1,Ann Lee,4111111111111111,123\n' >cvv2.csv
give pay cvv2.csv --columns 'number=number,name=name,x:card=card,x:check=Security Code'
gives 1 'also behind a map'
give pay cvv2.csv --columns 'number=number,name=name,x:card=card'
gives 0 'a map that leaves it out takes the rest'
{
	echo number,name,x:card,x:thing
	for i in $(seq 10); do echo "$i,Person $i,4111111111111111,0$((i * 7 + 11))"; done
} >bycontent.csv
give pay bycontent.csv
gives 1 'a column that is one by its content'
json .error.text | grep -q 'column 4'
ok 'and it is said which'
sed 's/,0\([0-9]*\)$/,branch \1/' bycontent.csv >harmless.csv
give pay harmless.csv
gives 0 'words beside card numbers are none'
{ echo number,name; for i in $(seq 100000000001 7 100000000400); do echo "$i,Somebody"; done; } >twelve.csv
give plain twelve.csv
gives 0 'people with numbers of twelve digits are taken, though some pass the check by chance'
{ echo number,name; echo '123456789018,Ann Lee'; } >mine.csv
give plain mine.csv
gives 1 'people with My Numbers for numbers are not'
run purpose add c01/bad --fields name --roles agent --until 2030-12-31 --allow sensitive
gives 2 'what cannot be allowed'
run purpose add c01/bad --fields name --roles agent --until 2030-12-31 --class name=card
gives 2 'a class for a built-in field'
run purpose add c01/bad --fields name --roles agent --until 2030-12-31 --class x:a=secret
gives 2 'a class that is none'
run ledger verify
gives 0 'and the ledger holds'
plan
