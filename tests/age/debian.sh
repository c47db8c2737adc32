#!/bin/sh
# Debian's age opens what we seal, and we open what it seals. TAP.
set -u
tool=$(realpath "$1")
command -v age >/dev/null && command -v age-keygen >/dev/null || {
	echo '1..0 # skipped: scripts/deps.sh installs age'
	exit 0
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
count=0
failed=0
ok() {
	result=$?
	count=$((count + 1))
	[ "$result" -eq 0 ] && echo "ok $count - $1" && return
	failed=1
	echo "not ok $count - $1"
}
age-keygen -o key 2>/dev/null
age-keygen -o other 2>/dev/null
identity=$(grep -v '^#' key)
recipient=$(age-keygen -y key)
[ "$("$tool" recipient "$identity")" = "$recipient" ]
ok 'the same recipient of an identity'
for size in 0 1 65535 65536 65537 131072 300000; do
	head -c "$size" /dev/urandom >plain
	age -r "$recipient" -r "$(age-keygen -y other)" -o sealed plain
	"$tool" open "$identity" 5000 <sealed | cmp -s - plain
	ok "we open $size bytes that age sealed"
	"$tool" seal "$(age-keygen -y other)" "$recipient" 777 <plain >ours
	age -d -i key ours | cmp -s - plain
	ok "age opens $size bytes that we sealed"
	age -d -i other ours | cmp -s - plain
	ok 'so does the other recipient'
done
age -a -r "$recipient" -o armoured plain
"$tool" open "$identity" 5000 <armoured >out 2>err
[ $? -eq 14 ] && [ ! -s out ] && grep -q armour err
ok 'an armoured file is refused, and it is said why'
head -c 200 sealed >cut
"$tool" open "$identity" 5000 <cut >out 2>err
[ $? -ne 0 ] && [ ! -s out ]
ok 'a cut one gives nothing'
"$tool" seal age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq 5 <plain >out 2>err
[ $? -ne 0 ]
ok 'a recipient that is none'
echo "1..$count"
exit $failed
