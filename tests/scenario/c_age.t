#!/bin/sh
# Lists that are sealed to the house's recipient.
. "$(dirname "$0")/lib.sh"
command -v age >/dev/null || skip_rest 'scripts/deps.sh installs age'
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields number,name,phone --roles agent --until 2030-12-31
run client recipient
gives 0 'the recipient'
recipient=$(cat out)
run --json client recipient
is "$(json .recipient)" "$recipient" 'also as JSON'
as kato client recipient
gives 3 'not for a maintainer'
{ echo number,name,phone; for i in $(seq 5000); do printf '%d,planted person %d,03-1234-%04d\n' "$i" "$i" "$i"; done; } >list.csv
age -r "$recipient" -o list.age list.csv
give() { as mori --json entrust --client c01 --purpose checkup --as-of 2026-04-01 "$@"; }
give list.age
gives 0 'a sealed list is taken'
is "$(json .accepted)" 5000 'with its rows'
is "$(json .sha256)" "$(sha256sum list.age | cut -d' ' -f1)" 'and the hash of the file as it came'
as ito --json disclose --client c01 --purpose checkup --by number=4999 --reason enquiry
is "$(json .fields.name)" 'planted person 4999' 'and can be asked'
give list.csv
is "$(json .unchanged)" 5000 'the plain one is the same list'
mkfifo pipe
{ head -c 10 list.age; sleep 0.3; tail -c +11 list.age; } >pipe &
give pipe
is "$(json .unchanged)" 5000 'also in small pieces through a pipe'

refused() { # status, text, what
	gives "$1" "$3"
	json .error.text | grep -q "$2"
	ok "and it is said why: $(json .error.text)"
	! grep -q planted out err
	ok 'and nothing of it'
	run --json status
	is "$(json .consignments)" 3 'nor is anything left of it'
}
for size in 5 100 300 70000 $(($(stat -c %s list.age) - 1)); do
	head -c "$size" list.age >cut.age
	give cut.age
	[ "$code" -ne 0 ]
	ok "cut at $size: refused (exit $code)"
	! grep -q planted out err
	ok 'and nothing of it'
done
run --json status
is "$(json .consignments)" 3 'nor is anything left of them'
cp list.age changed.age
flip changed.age 100000
give changed.age
refused 4 'chunk 1' 'changed in its second chunk'
cp list.age changed.age
flip changed.age 190
give changed.age
[ "$code" -ne 0 ]
ok "changed in its header (exit $code)"
{ cat list.age; echo; } >longer.age
give longer.age
refused 4 chunk 'with a byte too many'
age-keygen -o other.txt 2>/dev/null
age -r "$(age-keygen -y other.txt)" -o other.age list.csv
give other.age
refused 1 'not sealed to this' 'sealed to somebody else'
age -a -r "$recipient" -o armoured.age list.csv
give armoured.age
refused 1 armour 'armoured'
head -c 21 list.age >start.age
give start.age
[ "$code" -ne 0 ]
ok "nothing but the start of a first line (exit $code)"
stop
run client recipient
is "$(cat out)" "$recipient" 'the recipient stays the same'
age -r "$recipient" -o again.age list.csv
give again.age
is "$(json .unchanged)" 5000 'and works after a restart'
run ledger verify
gives 0 'and the ledger holds'
plan
