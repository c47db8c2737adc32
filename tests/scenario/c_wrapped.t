#!/bin/sh
# Lists as clients send them: inside archives and workbooks that other programs made.
. "$(dirname "$0")/lib.sh"
# As on most machines: then libraries look for the zone's file.
unset TZ
for program in zip 7z gzip ssconvert; do
	command -v $program >/dev/null || skip_rest "$program is not installed"
done
/usr/bin/python3 -c 'import openpyxl, xlwt' 2>/dev/null || skip_rest 'openpyxl or xlwt is not installed'

run init --house h --officer aoki --key-out aoki.key --unsealed
export AZUKARI_HOUSE=$work/h AZUKARI_KEY=$work/aoki.key
run staff add mori --role supervisor --key-out mori.key
run staff add ito --role agent --key-out ito.key
new_client() {
	run client add "$1" --name "Client $1"
	run purpose add "$1/p" --fields name,kana,birth,phone,address --roles agent --until 2099-01-01
}
mkdir lists
{
	echo number,name,birth,phone,address
	echo '1,高橋 花子,1980-03-04,03-1234-5678,"東京都千代田区, 1-2-3"'
	echo '2,髙橋 太郎,1975-12-31,090-1111-2222,大阪市北区4'
	echo '3,"Ray, Bob",1999-01-02,06-1111-2222,神戸市'
} >lists/list.csv

clients=0
# what, file, password or nothing
goes_in() {
	clients=$((clients + 1))
	client=c$clients
	new_client $client
	code=0
	if [ -n "${3:-}" ]; then
		printf '%s\n' "$3" >password
		AZUKARI_KEY=$work/mori.key timeout 60 "$az" --json entrust --client $client --purpose p \
			--as-of 2026-01-01 --password-fd 5 "$2" 5<password >out 2>err </dev/null || code=$?
	else
		as mori --json entrust --client $client --purpose p --as-of 2026-01-01 "$2"
	fi
	is "$code $(json .accepted)" '0 3' "$1 goes in"
	is "$(json .sha256)" "$(sha256sum "$2" | cut -d' ' -f1)" 'its hash is of the file as it came'
	as ito --json disclose --client $client --purpose p --by phone=0312345678 --reason enquiry
	is "$(json '.fields.name + " " + .fields.birth')" '高橋 花子 1980-03-04' 'and a person is found'
}
new_client bad
# what, file, password or nothing, part of what is said
is_refused() {
	code=0
	printf '%s\n' "$3" >password
	AZUKARI_KEY=$work/mori.key timeout 60 "$az" entrust --client bad --purpose p --as-of 2026-01-01 \
		${3:+--password-fd 5} "$2" 5<password >out 2>err </dev/null || code=$?
	is "$code" "${5:-1}" "$1 is refused"
	grep -q "$4" err
	ok "and it is said why"
	grep -q 高橋 out err
	[ $? -ne 0 ]
	ok 'without a word of what is inside'
}

(cd lists && zip -q plain.zip list.csv && zip -q -P secret zipcrypto.zip list.csv &&
	7z a -tzip -mem=AES256 -psecret aes.zip list.csv && 7z a plain.7z list.csv &&
	7z a -psecret locked.7z list.csv && gzip -k list.csv && zip -q two.zip list.csv plain.7z &&
	zip -q nested.zip plain.zip && mkdir __MACOSX && echo x >__MACOSX/._list.csv &&
	zip -q -r mac.zip list.csv __MACOSX) >log 2>&1
ok 'other programs make archives'
goes_in 'a ZIP' lists/plain.zip
goes_in 'a ZIP with a password (ZipCrypto)' lists/zipcrypto.zip secret
goes_in 'a ZIP with a password (AES)' lists/aes.zip secret
goes_in 'a ZIP of a Mac' lists/mac.zip
goes_in 'a 7z' lists/plain.7z
goes_in 'a gzip' lists/list.csv.gz

/usr/bin/python3 - <<'PY'
import csv, datetime, openpyxl
rows = list(csv.reader(open("lists/list.csv", encoding="utf-8")))
book = openpyxl.Workbook()
sheet = book.active
sheet.append(rows[0])
for row in rows[1:]:
    sheet.append([int(row[0]), row[1], datetime.date.fromisoformat(row[2]), row[3], row[4]])
    sheet.append([None] * 5)
hidden = book.create_sheet("old", 0)
hidden.sheet_state = "hidden"
hidden.append(["number", "name"])
book.save("lists/book.xlsx")
PY
ok 'another program makes a workbook'
ssconvert lists/list.csv lists/book.xls >log 2>&1
ok 'and another an old one'
goes_in 'a workbook whose first sheet is hidden' lists/book.xlsx
goes_in 'an old workbook' lists/book.xls
printf 'number,name,birth,phone\n1,Ann Lee,1980-03-04,03-1234-5678\n2,"Ray, Bob",1999-01-02,06-1111-2222\n' >lists/plain.csv
ssconvert -T Gnumeric_Excel:excel_biff7 lists/plain.csv lists/book95.xls >log 2>&1
"$az" inspect --csv lists/book95.xls >lists/got.csv 2>err
cmp lists/got.csv lists/plain.csv
ok 'one of Excel 95 is read value for value'
/usr/bin/python3 - <<'PY'
import csv, datetime, xlwt
# Strings that are cut by records, of both widths; dates; numbers of every kind; formulas; a sheet that is hidden.
book = xlwt.Workbook()
hidden = book.add_sheet("old")
hidden.visibility = 1
hidden.write(0, 0, "number")
sheet = book.add_sheet("list")
day = xlwt.easyxf(num_format_str='yyyy"年"m"月"d"日"')
names = ["number", "name", "birth", "phone", "x:points", "x:paid", "note"]
want = csv.writer(open("lists/want.csv", "w", encoding="utf-8", newline=""), lineterminator="\n")
want.writerow(names)
for column, name in enumerate(names):
    sheet.write(0, column, name)
for i in range(1, 1501):
    born = datetime.date(1950, 1, 1) + datetime.timedelta(days=i * 5)
    note = ("覚え書き𠮷" * (i % 40) if i % 2 else "plain " * (i % 50)).strip()
    name = "高橋 花子%d" % i if i % 3 else "Ann Lee %d" % i
    points = i / 4 if i % 5 else -i
    want.writerow([i, name, born, "03%08d" % i, "%.15g" % points, i % 2, note])
    sheet.write(i, 6, note)
    sheet.write(i, 5, i % 2 == 1)
    sheet.write(i, 4, points)
    sheet.write(i, 3, "03%08d" % i)
    sheet.write(i, 2, born, day)
    sheet.write(i, 1, name)
    sheet.write(i, 0, i)
book.save("lists/big.xls")
PY
"$az" inspect --csv lists/big.xls >lists/got.csv 2>err
cmp lists/got.csv lists/want.csv
ok 'an old workbook of 1,500 rows is read value for value'
(cd lists && zip -q book.zip book.xlsx)
goes_in 'a workbook in a ZIP' lists/book.zip
locked=$here/../data/locked.xlsx
goes_in 'a workbook with a password' "$locked" 'ひみつ'

is_refused 'a wrong password' lists/zipcrypto.zip wrong 'password is wrong'
is_refused 'a wrong password (AES)' lists/aes.zip wrong 'password is wrong'
is_refused 'no password' lists/aes.zip '' 'needs a password'
is_refused 'a wrong password of a workbook' "$locked" wrong 'password is wrong'
is_refused 'no password for a workbook' "$locked" '' 'needs a password'
is_refused 'a 7z with a password' lists/locked.7z secret 'for zip only'
is_refused 'two lists in one archive' lists/two.zip '' '2 lists are inside'
is_refused 'an archive in an archive' lists/nested.zip '' 'another archive is inside'
for file in plain.zip plain.7z list.csv.gz book.xlsx book.xls; do
	size=$(wc -c <lists/$file)
	head -c $((size / 2)) lists/$file >lists/cut
	is_refused "half of $file" lists/cut '' 'damaged'
done
head -c 300M /dev/zero | gzip >lists/bomb.gz
is_refused 'a bomb' lists/bomb.gz '' 'swells beyond reason' 5

run --json status
is "$(json .consignments)" $clients 'nothing of what was refused is left'
is "$(find h -name '*list*' -o -name '*.csv' -o -name '*.xlsx' | wc -l)" 0 'and nothing is unpacked onto the disk'
run ledger verify
gives 0 'the ledger verifies'
plan
