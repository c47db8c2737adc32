#!/bin/sh
# People are found however they are written: with the tables of the packages, and what must hold without.
. "$(dirname "$0")/lib.sh"
tables=$(dirname "$az")/../../share/match.tables
[ -f "$tables" ] || skip_rest 'the match tables are not here: scripts/deps.sh installs what they are made of'
found
serve
run client add c01 --name 'City of Example' --category health-check
run purpose add c01/checkup --fields number,name,address --roles agent --until 2030-12-31
cat >list.csv <<'END'
number,name,kana,birth,address,phone,mobile
1,渡邉　健 様,ﾜﾀﾅﾍﾞ ｹﾝ,S55.3.4,和歌山県東牟婁郡串本町串本1234,312345678,
2,髙橋 花子,タカハシ ハナコ,昭和６０年１２月１日,静岡県浜松市北区三方原町1-2-3 ハイツ101,,9012345678
3,佐藤 一郎,,1900-01-01,府中市府川町315,090-0000-0000,
4,佐藤 一郎,,1970-01-01,東京都府中市府中町1-1,9.01E+09,
END
as mori --json entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list is entrusted'
see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }
see --by name=渡辺健 --by birth=1980-03-04
is "$(json .fields.number)" 1 'by another kanji of the class, and the year by its era'
see --by name=渡邊健 --by address=串本町串本千二百三十四
is "$(json .fields.number)" 1 'without prefecture and county, in numerals of kanji'
see --by name=高橋花子 --by address=浜松市中央区三方原町一丁目2番3号
is "$(json .fields.number)" 2 'by the ward that followed, without the building'
see --by phone=03-1234-5678
is "$(json .fields.number)" 1 'a telephone whose zero a spreadsheet took'
see --by mobile=+81-90-1234-5678
is "$(json .fields.number)" 2 'a mobile whose zero a spreadsheet took'
see --by name=佐藤一郎 --by address=広島県府中市府川町315
is "$(json .fields.number)" 3 'a city of two prefectures, by its town'

see --by name=佐藤一郎 --by birth=1900-01-01
gives 1 'a date that is typed where none is known is nobody'
see --by phone=090-0000-0000
gives 1 'a telephone that fills a form is nobody'
see --by phone=9.01E+09
gives 1 'a telephone that lost its digits is nobody'
see --by name=渡辺健 --by birth=55-03-04
gives 1 'a year of two digits is not guessed'
see --by name=渡部健 --by birth=1980-03-04
gives 1 'another name is another name'
see --by name=高橋花子 --by address=浜松市浜名区三方原町1-2-3
gives 1 'another ward is another place'
see --by name=佐藤一郎 --by address=東京都府中市府川町315
gives 1 'and so is another prefecture'
"$az" inspect --keys list.csv >keys 2>err
is "$(grep '^1,name+birth,' keys)" '1,name+birth,渡辺健|1980-03-04' 'inspect shows the keys'
is "$(grep '^1,name+place,' keys)" '1,name+place,渡辺健|和歌山県東牟婁郡串本町串本|1234' 'with the town in full'
is "$(grep -c '^[34],phone,' keys)" 0 'and none where there is none'
plan
