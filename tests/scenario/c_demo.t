#!/bin/sh
# Lists as real clients send them, of people who do not exist, and the house that keeps them.
. "$(dirname "$0")/lib.sh"
run demo --out lists --people 700 --clients 10 --seed 7
gives 0 'lists are made'
is "$(cut -f6 lists/clients.tsv | sort -u | tr '\n' ' ')" 'cp932 euc fixed plain tsv utf16 xlsx zip ' 'in every form'
run demo --out lists --people 700 --clients 10
gives 1 'not over what is there'
run demo --out again --people 700 --clients 10 --seed 7
cmp -s lists/c02.csv again/c02.csv && cmp -s lists/c07.zip again/c07.zip && cmp -s lists/c05-2.tsv again/c05-2.tsv
ok 'the same from the same seed'
run demo --out other --people 700 --clients 10 --seed 8
! cmp -s lists/c02.csv other/c02.csv
ok 'others from another'
for arguments in '--people 5 --clients 6' '--people x' '--clients 1000' '--people 100000001' '--seed -1' 'a b' '--out x y'; do
	# shellcheck disable=SC2086
	run demo $arguments
	gives 2 "no lists of $arguments"
done
[ ! -e a ] && [ ! -e x ] && [ ! -e azukari-demo ]
ok 'nothing is left of these'

# Each form is read as what it is, without a row refused.
printf 'azukari-demo\n' >pw
map=number=@1-8,name=@9-38,kana=@39-78,birth=@79-90,sex=@91-94,postcode=@95-104,address=@105-194,phone=@195-208,mobile=@209-222,email=@223-272
while IFS="$(printf '\t')" read -r client _ _ _ _ form list second; do
	case $form in
	plain) wanted='comma UTF-8' options= ;;
	cp932) wanted='comma CP932' options= ;;
	euc) wanted='comma EUC-JP' options= ;;
	tsv) wanted='tab UTF-8' options= ;;
	xlsx) wanted='workbook UTF-8' options= ;;
	zip) wanted='comma CP932' options='--password-fd 7' ;;
	fixed) wanted='fixed width CP932' options="--columns $map" ;;
	utf16) wanted='tab UTF-16LE' options= ;;
	esac
	# shellcheck disable=SC2086
	"$az" --json inspect $options "lists/$list" >out 2>err 7<pw
	is "$(json '[.dialect, .encoding, .rows, .refused] | map(tostring) | join(" ")')" "$wanted 70 0" "$client"
	[ -z "$second" ] || "$az" --json inspect "lists/$second" >out 2>err
	[ -z "$second" ] || is "$(json .refused)" 0 'and its second list'
done <lists/clients.tsv
"$az" inspect lists/c07.zip >out 2>err </dev/null
code=$?
[ "$code" -ne 0 ]
ok "a password that is not given is missed (exit $code)"
if command -v 7z >/dev/null; then
	7z t -pazukari-demo lists/c07.zip >out 2>&1
	ok 'another program opens the archive'
	7z t -pwrong lists/c07.zip >out 2>&1
	[ $? -ne 0 ]
	ok 'with its password alone'
fi
# What happens between two lists happens to a few.
"$az" inspect --csv lists/c05.tsv >first 2>/dev/null
"$az" inspect --csv lists/c05-2.tsv >second 2>/dev/null
changed=$(awk -F, 'NR == FNR { old[$1] = $0; next } ($1 in old) && old[$1] != $0' first second | wc -l)
[ "$changed" -gt 3 ] && [ "$changed" -lt 30 ]
ok "some of 70 are not as they were ($changed)"
awk -F, 'NR == FNR { old[$1]; next } !($1 in old)' first second | grep -q .
ok 'and somebody is new'

# The house.
run --json demo --people 300 --clients 10 sample
gives 0 'a house keeps them'
is "$(find sample/receipts -name '*.json' | wc -l)" 12 'with a receipt for each list'
export AZUKARI_HOUSE="$work/sample/house" AZUKARI_KEY="$work/sample/aoki.key"
run --json status
is "$(json '[.clients, .consignments] | map(tostring) | join(" ")')" '10 12' 'all lists of all clients'
number=$(awk -F, 'NR == 2 { print $1 }' sample/lists/c02.csv)
AZUKARI_KEY="$work/sample/ito.key"
run disclose --client c02 --purpose checkup --by "number=$number" --reason enquiry
gives 0 'whose people are seen'
grep -q "$(awk -F, 'NR == 2 { print $2 }' sample/lists/c02.csv)" out
ok 'one by one'
run demo --people 300 --clients 10 sample
gives 1 'a second one does not take its place'
plan
