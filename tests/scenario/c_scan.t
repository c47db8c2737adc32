#!/bin/sh
# Personal data in files of every kind, what was not read, and limits. Needs no house.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_rest 'python3 makes the files'
mkdir files && cd files || exit 1
"$here/scan_files.py" . || exit 1
cd ..
counts() { # path, member: what was found there, "card my_number phone email"
	jq -r --arg p "$1" --arg m "$2" '[.files[] | select(.path == $p and (.member // "") == $m) | .counts]
		| .[0] | if . == null then "none" else "\(.card) \(.my_number) \(.phone) \(.email)" end' out
}
reason() { jq -r --arg p "$1" '[.unread[] | select(.path == $p) | .reason] | unique | join(",")' out; }

run --json scan --patterns files
gives 1 'something was found'
for name in utf8.csv cp932.csv euc.csv utf16le.csv utf16be.csv a.csv.gz list.xlsx list.docx list.pdf disk.img; do
	case $name in disk.img) continue ;; esac
	is "$(counts files/$name '')" '1 1 2 1' "$name"
done
is "$(counts files/a.zip sub/a.csv)" '1 1 2 1' 'a member of a zip'
is "$(counts files/nested.zip 'a.zip!sub/a.csv')" '1 1 2 1' 'a zip in a zip'
is "$(counts files/a.tar.xz a.csv)" '1 1 2 1' 'a member of a tar.xz'
is "$(counts files/a.db people)" '1 1 2 1' 'a table, its numbers as numbers'
is "$(counts files/runs.docx '')" '0 0 1 0' 'a number cut into runs'
is "$(jq '[.files[] | select(.path == "files/disk.img" and .member != null)] | length' out)" 4 'files in an image are opened'
is "$(jq '[.files[] | select(.path == "files/disk.img") | .counts.card] | add' out)" 5 'and what lies there as it is'
is "$(counts files/clean.txt '')" none 'nothing where nothing is'
is "$(jq -c '.files[0] | [.people, .clients]' out)" '[null,[]]' 'whose they are is not known without a house'
is "$(jq -r '.totals.card == ([.files[].counts.card] | add)' out)" true 'totals are sums'
is "$(reason files/locked.zip)" encrypted 'an encrypted member is told'
is "$(reason files/cut.zip)" damaged 'so is a damaged archive'
is "$(reason files/luks)" encrypted 'and an encrypted disk'
is "$(reason files/a.rar)" unsupported 'and what is not opened'
is "$(counts files/a.rar '')" '0 0 0 1' 'though its bytes are read'
is "$(reason files/fifo)" 'no file' 'a pipe in a folder is not waited for'
is "$(reason files/deep.zip)" 'too deep' 'zips in zips in zips'
[ -z "$(grep -E '4111|03-1234|taro' out)" ]
ok 'no content is printed'

run scan --patterns files/clean.txt
gives 0 'a clean file opens the gate'
run scan --patterns --kinds card files/phones.txt
gives 0 'kinds that are not asked for do not close it'
run scan --patterns --kinds phone files/phones.txt
gives 1 'those that are do'
run scan --patterns nowhere
gives 5 'a missing path does not open it'
run scan --patterns --hits files/utf8.csv
grep -qx 'files/utf8.csv:[0-9]*+12 phone' out
ok 'places'
run scan files
gives 2 'without --patterns it does nothing'
run scan --patterns --kinds phone,cat files
gives 2 'a kind that does not exist'
run scan --patterns --max-unpacked 1Q files
gives 2 'a size that is none'
run scan --patterns
gives 2 'nothing to read'
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 files/clean.txt
	run --json scan --patterns files/clean.txt
	gives 5 'what may not be read'
	is "$(reason files/clean.txt)" denied 'is told'
fi

# Limits. Each of these would go on for ever, or fill the machine.
run --json scan --patterns --max-unpacked 64M files/bomb.zip
gives 5 'a bomb'
is "$(reason files/bomb.zip)" 'too large' 'is told'
code=0
yes | timeout 60 "$az" --json scan --patterns --max-unpacked 64M - >out 2>err || code=$?
gives 5 'a pipe without end'
is "$(reason -)" 'too large' 'is told'
run --json scan --patterns --max-seconds 1 files/fifo
gives 5 'a pipe that nobody writes to'
is "$(reason files/fifo)" 'too long' 'is told'
run --json scan --patterns --max-seconds 1 /dev/zero
gives 5 'a device without end'
is "$(reason /dev/zero)" 'too long' 'is told'
truncate -s 3T sparse 2>/dev/null && printf '03-1234-5678' | dd of=sparse bs=1 seek=2199023255552 conv=notrunc 2>/dev/null && {
	run --json scan --patterns --hits sparse
	gives 1 'a sparse file of terabytes is read'
	is "$(jq -r '.files[0].hits[0].at' out)" 2199023255552 'and its places are true'
	rm sparse
}
plan
