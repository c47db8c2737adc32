#!/bin/sh
# Files for a granted memory: yes only to what was read whole and holds nothing of the house. Without a memory: a tool asks as the
# guard does; writing is another test's.
. "$(dirname "$0")/lib.sh"
guard=${AZUKARI_GUARD:?the guard}
putter=${AZUKARI_PUTTER:?the tool that asks}
found
serve
socket=$work/house/run/keeper.sock
put() { # grant, file, how
	code=0
	timeout -k 2 120 "$putter" g "$socket" "$@" >out 2>err </dev/null || code=$?
}
says() { # status and text, what
	grep -q "^$1" out
	ok "$2 ($(cat out))"
}
"$guard" key --state g --house house >key.pub
run device guard host --public "$(cat key.pub)"
gives 0 'a guard'
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name,phone --roles agent --until 2030-12-31
printf 'number,name,phone,email\n1,Ann Lee,03-1234-5678,ann@example.jp\n2,Bob Ray,090-1111-2222,\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'and a list'
until=$(date -u -d '+10 days' +%Y-%m-%d)
memory="--vendor 46f4 --product 0001 --until $until"
run --json grant add host $memory --serial READ
gives 0 'one memory may be read'
as mori --json grant add host $memory --serial WRITE --write
json .what | grep -q "be written by its guard, after the house's yes, at device host until"
ok 'that one may be written is asked in words'
run approve 2 2>/dev/null || true
run --json grant list
[ "$(json '.grants | length')" -eq 2 ] || run --json grant add host $memory --serial WRITE --write
run --json grant list
is "$(json '[.grants[] | .access] | join(",")')" 'read,write' 'and allowed'
run device add other --public "$(printf '6%.0s' $(seq 64))"
"$guard" key --state g2 --house house >key2.pub
run device guard other --public "$(cat key2.pub)"

# Harmless: yes.
printf 'The minutes of Tuesday.\nNothing to call 03-9999-0000 about.\n' >minutes.txt
put 2 minutes.txt
says ok 'what holds nothing of the house may be written'
run --json ledger query --plugged --max 1
is "$(json '.plugged[0] | .what + " " + .name + " " + (.size | tostring) + " " + .users + " " + .device')" \
	"allowed file $(stat -c %s minutes.txt) ito host" 'with an entry before it is'
is "$(json '.plugged[0].sha256')" "$(sha256sum minutes.txt | cut -d' ' -f1)" 'of its hash'
put 2 minutes.txt written
says ok 'that it was written'
run --json ledger query --plugged --max 2
is "$(json '[.plugged[].what] | join(",")')" 'written,allowed' 'is an entry, too'
put 2 minutes.txt failed
run --json ledger query --plugged --max 1
is "$(json '.plugged[0].what')" 'not-written' 'and that it was not'
: >empty
put 2 empty
says ok 'an empty file'
head -c 3000000 /dev/zero | tr '\0' 'a' | fold >large.txt
put 2 large.txt
says ok 'a large one'

gzip -c minutes.txt >minutes.gz
tar cf minutes.tar minutes.txt minutes.gz
iconv -t UTF-16 minutes.txt >minutes.utf16
printf 'int main(void)\n{\n\treturn "a,b";\n}\n"unclosed, quote\n' >main.c
printf '{"a":[1,2,{"b":"c"}]}\n' >a.json
for file in minutes.gz minutes.tar minutes.utf16 main.c a.json; do
	put 2 $file
	says ok "$file"
done
if command -v zip >/dev/null; then
	zip -q minutes.zip minutes.txt main.c
	put 2 minutes.zip
	says ok 'minutes.zip'
fi

# Data of the house, however it is written: no.
refused() { # file, what
	put 2 "$1"
	says 'denied: put: it holds data of the house' "$2"
}
refused list.csv 'a list is refused'
run --json ledger query --plugged --max 1
is "$(json '.plugged[0] | .what + " " + (.values | tostring)')" 'refused 3' 'with an entry that says how much is in it'
run --json ledger query --max 20
is "$(json '[.entries[] | select(.type == "put")][0] | .type + " " + .outcome')" 'put denied' 'and that it was refused'
printf 'call her: 03(1234)5678' >one
refused one 'one telephone'
printf 'ANN@Example.JP' >mail
refused mail 'one address'
printf '\357\274\220\357\274\223-\357\274\221\357\274\222\357\274\223\357\274\224-\357\274\225\357\274\226\357\274\227\357\274\230' >wide
refused wide 'in wide digits'
iconv -t UTF-16 list.csv >list.utf16
refused list.utf16 'in UTF-16'
gzip -c list.csv >list.csv.gz
refused list.csv.gz 'packed'
tar cf inner.tar list.csv minutes.txt
gzip -c inner.tar >outer.tgz
tar cf outer.tar outer.tgz
refused outer.tar 'and packed again'
{ cat large.txt; cat one; } >behind
refused behind 'behind much else'

if /usr/bin/python3 -c 'import openpyxl' 2>/dev/null; then
	book() { # name, cells…
		/usr/bin/python3 -c 'import openpyxl, sys
book = openpyxl.Workbook()
for row in sys.argv[2:]: book.active.append(row.split(","))
book.save(sys.argv[1])' "$@"
	}
	book list.xlsx name,phone 'Ann Lee,03-1234-5678'
	refused list.xlsx 'in a workbook'
	book plan.xlsx task,day 'Clean the desks,Tuesday'
	put 2 plan.xlsx
	says ok 'a workbook of something else may be written'
fi

# People are known without either, where it is a list; in whatever columns and spelling.
printf 'number,name,birth,address\n7,山田 太郎,1980-02-03,東京都千代田区千代田1-1\n8,鈴木 花子,1979-12-31,大阪府大阪市北区梅田3-1-3\n' >people.csv
run purpose add c01/names --fields name,birth,address --roles agent --until 2030-12-31
as mori entrust --client c01 --purpose names --as-of 2026-04-01 people.csv
gives 0 'a list without telephones'
printf '氏名\t生年月日\n佐藤 一郎\t昭和40年1月1日\n鈴木花子\t昭和54年12月31日\n' >births.tsv
refused births.tsv 'name and birth in a list'
printf '住所,氏名\n東京都千代田区千代田一丁目1番,山田太郎\n' >places.csv
iconv -t CP932 places.csv >places.sjis
refused places.sjis 'name and place, in CP932'
printf '氏名,生年月日\n佐藤 一郎,1965-01-01\n' >others.csv
put 2 others.csv
says ok 'a list of others may be written'

# What nobody can read: no.
opaque() { # file, what
	put 2 "$1"
	says 'denied: put: something in it is no text or cannot be read' "$2"
}
head -c 4000 /dev/urandom >noise
opaque noise 'noise is refused'
openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -in list.csv -out list.enc
opaque list.enc 'so is what was encrypted'
tar cf noise.tar minutes.txt noise
opaque noise.tar 'in an archive'
cp "$here/../data/locked.xlsx" .
opaque locked.xlsx 'a locked workbook'
printf '%%PDF-1.4\n1 0 obj\n<<>>\nendobj\n' >a.pdf
opaque a.pdf 'a PDF, in which pictures may be'
gzip -c minutes.txt >whole.gz
head -c 40 whole.gz >cut.gz
opaque cut.gz 'what is damaged'
python3 -c 'import zlib,sys; sys.stdout.buffer.write(b"\x1f\x8b\x08\0\0\0\0\0\0\3"); c=zlib.compressobj(9,wbits=-15)
for _ in range(1200): sys.stdout.buffer.write(c.compress(b"a"*(1<<20)))
sys.stdout.buffer.write(c.flush())' >bomb.gz
opaque bomb.gz 'a bomb'
if command -v 7z >/dev/null && 7z a -px locked.zip list.csv >/dev/null 2>&1; then
	opaque locked.zip 'a locked archive'
fi
run --json ledger query --plugged --max 1
is "$(json '.plugged[0].what')" refused 'each is an entry'

# Out of turn, or not what it was said to be.
for how in hash short; do
	put 2 minutes.txt $how
	says 'invalid: put: it is not what it was said to be' "with $how: no"
done
put 2 minutes.txt long
says 'invalid: put: more than it was said to be' 'more bytes: no'
put 2 minutes.txt twice
says 'conflict: put: out of turn' 'twice: no'
put 2 minutes.txt early
says 'conflict: put: out of turn' 'written before it may be: no'
put 2 minutes.txt report
says 'denied: guard: only a guard reports' 'the line reports nothing'
put 2 minutes.txt line
says 'denied: put: not on this line' "and the guard's own puts nothing"
put 2 minutes.txt name
[ "$code" -ne 0 ]
ok 'a name with a folder in it: no'
put 2 list.csv gone
put 2 minutes.txt
says ok 'whoever hangs up is in nobody'"'"'s way'

# By grant only.
for number in 1 3 99; do
	put $number minutes.txt
	says "denied: put: no grant $number lets this device write" "grant $number: no"
done
code=0
"$putter" g2 "$socket" 2 minutes.txt >out 2>err || code=$?
says 'denied: put: no grant 2 lets this device write' "another device's: no"
put 0 minutes.txt
[ "$code" -ne 0 ]
ok 'none: no'
run grant close 2
put 2 minutes.txt
says 'denied: put: no grant 2 lets this device write' 'a grant that was closed: no'
run ledger verify
gives 0 'the ledger is whole'

# The command itself.
give() {
	code=0
	timeout -k 2 60 "$guard" "$@" >out 2>err </dev/null || code=$?
}
give put --state g --connect "$socket"
gives 2 'a file is needed'
give put --state g minutes.txt
gives 2 'and a house'
give put --state g --connect "$socket" nowhere.txt
gives 1 'that is there'
give put --state g --connect "$socket" --as ../x minutes.txt
gives 1 'and a name that can be one'
give put --state g --connect "$socket" minutes.txt
gives 1 'and a memory'
grep -q 'no memory is plugged in that may be written' err
ok 'in words'
plan
