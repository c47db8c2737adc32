#!/bin/sh
# How a list would be read, without a house.
. "$(dirname "$0")/lib.sh"

cat >list.csv <<'END'
顧客一覧（2026年4月）,,,,,,
番号,氏名,ﾌﾘｶﾞﾅ,生年月日,住所,電話番号（自宅）,保護者氏名
A-001,山田 太郎,ﾔﾏﾀﾞ ﾀﾛｳ,S55.3.4,東京都千代田区霞が関1-2-3,03-1234-5678,山田 一郎
A-002,"髙橋ダミー ""花"" 子",ﾀｶﾊｼ,1980/3/4,大阪府大阪市北区梅田1-1,06-1111-2222,
A-003,短い行
合計,3件,,,,,
END
run --json inspect list.csv
gives 0 'a list is inspected'
is "$(json '[.encoding,.dialect,.titles,.header_line,.rows,.accepted,.refused,.totals] | join(" ")')" \
	'UTF-8 comma 1 2 3 2 1 1' 'and described'
is "$(json '[.columns[].field] | join(" ")')" 'number name kana birth address phone ' 'its columns are fields'
is "$(json '[.columns[].class] | join(" ")')" 'identity identity identity identity contact contact other' 'of classes'
is "$(json '.columns[6].why')" 'about somebody else' 'with the reason'
is "$(json '.refusals | map("\(.row) \(.reason)") | join(" ")')" \
	'3 more or fewer values than the header has columns' 'what would be refused is told'
! grep -q 'ダミー\|03-1234' out err
ok 'and nothing that the list holds'
run inspect list.csv
grep -q '^encoding *UTF-8' out
ok 'the same for people'
for encoding in CP932 EUC-JP-MS ISO-2022-JP UTF-16LE UTF-16BE UTF-16; do
	iconv -f UTF-8 -t "$encoding" list.csv >other.csv
	run inspect --csv other.csv
	mv out "clean-$encoding.csv"
done
run inspect --csv list.csv
gives 0 'a clean table'
for encoding in CP932 EUC-JP-MS ISO-2022-JP UTF-16LE UTF-16BE UTF-16; do
	# Half-width kana become full width when iconv writes ISO-2022-JP.
	cmp -s out "clean-$encoding.csv" || { [ "$encoding" = ISO-2022-JP ] && [ -s "clean-$encoding.csv" ]; }
	ok "the same of $encoding"
done
is "$(head -1 out)" 'number,name,kana,birth,address,phone,保護者氏名' 'its header has the names of fields'
is "$(sed -n 3p out)" 'A-002,"髙橋ダミー ""花"" 子",ﾀｶﾊｼ,1980/3/4,大阪府大阪市北区梅田1-1,06-1111-2222,' 'its values are as they came'
cp out again.csv
run inspect --csv again.csv
cmp -s out again.csv
ok 'a clean table is read as it is'
run inspect --csv - <list.csv
gives 1 'nothing on standard input'
code=0
"$az" inspect --keys - <list.csv >out 2>err || code=$?
gives 0 'match keys, through standard input'
is "$(head -1 out)" row,kind,key 'with a header'
grep -q '^1,phone,0312345678$' out
ok 'in readable form'
run inspect missing.csv
gives 1 'a file that is not there'
run inspect .
gives 1 'a folder'
run inspect
gives 2 'no file'
run inspect --csv --keys list.csv
gives 2 'two tables at once'
run inspect --columns 'number=ダミー' list.csv
gives 1 'a map that does not fit'
printf 'no,name\n1,Jos\351 \n' >unknown.csv
run --json inspect unknown.csv
gives 1 'an encoding that is not known'
json .error.text | grep -q 'byte 14'
ok 'names the byte'
: >empty
run inspect empty
gives 1 'an empty file'
plan
