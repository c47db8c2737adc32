#!/bin/sh
# Lists in, one person out.
. "$(dirname "$0")/lib.sh"
found
serve

run --json client add c01 --name 'City of Example' --category health-check
is "$(json .id)" 1 'a client'
run purpose add c01/checkup --fields number,name,kana,birth:year,phone:last4,address,email:domain,x:ward \
	--roles agent,supervisor --until 2030-12-31
gives 0 'a purpose'
cat >first.csv <<'END'
number,name,kana,birth,phone,mobile,address,email,x:ward
1,Ann Lee,アン リー,1980-03-04,03-1234-5678,090-1111-2222,1-2-3 Chiyoda,ann@example.jp,north
2,Bob Ray,,1979-12-31,+81 90 3333 4444,,4 Nishi,bob@example.jp,south
3,Cho Kim,,1990-02-30,03-1234-5678,,4 Nishi,,
4,"Dee ""D"" Orr, Jr",,1991-01-01,０３－５５５５－６６６６,,"5
Higashi",dee@example.jp,
END
as mori --json entrust --client c01 --purpose checkup --as-of 2026-04-01 first.csv
gives 0 'a list is entrusted'
is "$(json '[.rows,.accepted,.refused,.new_records,.new_versions,.unchanged,.impossible_births] | join(" ")')" \
	'4 4 0 4 0 0 1' 'with its counts'
is "$(json .sha256)" "$(sha256sum first.csv | cut -d' ' -f1)" 'and the hash of exactly that file'

see() { as ito --json disclose --client c01 --purpose checkup --reason enquiry "$@"; }
see --by number=1
is "$(json .fields.name)" 'Ann Lee' 'by number'
is "$(json .fields.birth)" 1980 'a birth date is cut to its year'
is "$(json .fields.phone)" '**-****-5678' 'a telephone to its last four digits'
is "$(json .fields.email)" '***@example.jp' 'an address to its domain'
is "$(json '.fields["x:ward"]')" north 'a field of the client'"'"'s own'
is "$(json '.fields.mobile')" null 'a field that the purpose does not show is not there'
is "$(json '.masked | sort | join(" ")')" 'birth email phone' 'and what is masked is said'
see --by mobile=09011112222
is "$(json .record)" 1 'by mobile, spelt otherwise'
see --by 'phone=+81-3-5555-6666'
is "$(json .fields.name)" 'Dee "D" Orr, Jr' 'by telephone, full width against a country code'
see --by email=BOB@example.jp
is "$(json .record)" 2 'by e-mail, in other letters'
see --by 'name=ann lee' --by birth=1980/3/4
is "$(json .record)" 1 'by name and birth'
see --by 'name=Bob Ray' --by address=4Nishi
is "$(json .record)" 2 'by name and address'
see --by phone=0312345678
gives 5 'two people of one telephone (I3)'
is "$(json .error.matches)" 2 'their number is told'
[ "$(json '.error | has("fields")')" = false ] && ! grep -q 'Lee\|Kim' out
ok 'and nothing of either (I3)'
json '.error.kinds | join(" ")' | grep -q number
ok 'but which kinds would tell them apart'
see --by number=99
gives 1 'nobody'
see --by 'name=Cho Kim' --by birth=1990-02-30
gives 1 'an impossible birth date finds nobody'
see --by kana=アン
gives 1 'a field that is no key'
printf '03-5555-6666\n' >value
code=0
AZUKARI_KEY=$work/ito.key "$az" --json disclose --client c01 --purpose checkup --by phone=@7 \
	--reason enquiry >out 2>err 7<value || code=$?
is "$(json .record)" 4 'a value from a descriptor'

# A later delivery: 1 moved, 2 unchanged, 3 not there, 5 new.
cat >second.csv <<'END'
number,name,kana,birth,phone,mobile,address,email,x:ward
1,Ann Lee,アン リー,1980-03-04,06-7777-8888,090-1111-2222,9 Umeda,ann@example.jp,west
2,Bob Ray,,1979-12-31,+81 90 3333 4444,,4 Nishi,bob@example.jp,south
5,Eve Fox,,1970-07-07,045-111-2222,,6 Minato,eve@example.jp,
END
as mori --json entrust --client c01 --purpose checkup --as-of 2026-05-01 second.csv
is "$(json '[.new_records,.new_versions,.unchanged] | join(" ")')" '1 1 1' 'a second delivery'
see --by number=1
is "$(json '[.version,.as_of,.fields.address] | join(" ")')" '2 2026-05-01 9 Umeda' 'the newer version is shown'
see --by number=2
is "$(json '[.version,.as_of] | join(" ")')" '1 2026-05-01' 'an unchanged row keeps its version'
see --by phone=0312345678
is "$(json .record)" 3 'an old telephone finds only whom it still belongs to'
see --by number=4
is "$(json .version)" 1 'who was not delivered again is still there'
# One that arrives late, but describes an earlier day.
printf 'number,name,phone,address\n1,Ann Old,03-9999-0000,0 Old\n' >late.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-03-01 late.csv
is "$(json '[.new_versions,.unchanged] | join(" ")')" '1 0' 'a late arrival of an older day'
see --by number=1
is "$(json '[.version,.fields.name] | join(" ")')" '2 Ann Lee' 'does not hide the newer one'
see --by phone=0399990000
gives 1 'nor is anybody found by it'

# Refused rows and refused lists.
cat >bad.csv <<'END'
number,name,phone
1,Ann Lee,1
,No Number,2
1,Twice,3
7,,
8,Too,many,values
9,Good One,0312121212
END
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-01 bad.csv
gives 1 'more than 5 % refused rejects the list'
is "$(json '[.error.refusals[].row] | join(" ")')" '2 3 4 5' 'with the rows by number'
! grep -q 'No Number\|Twice' out err
ok 'and nothing of what they say'
see --by number=9
gives 1 'nothing of a rejected list is there'
{ echo number,name; for i in $(seq 100 199); do echo "$i,Person $i"; done; echo ',nobody'; } >few.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 --strict few.csv
gives 1 '--strict rejects a list for one row'
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-01 few.csv
is "$(json '[.accepted,.refused] | join(" ")')" '100 1' 'without it the good rows go in'
: >empty.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 empty.csv
gives 1 'an empty list'
printf 'number,name\n' >header.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 header.csv
gives 1 'a list of nothing but a header'
printf 'x,Ann Lee!\ny,Bob Ray!\n' >bare.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 bare.csv
gives 1 'a list without a header whose content says nothing'
! grep -q 'Ann\|Bob' out err
ok 'whose first person is not quoted'
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 --columns 'number=No,name=Nam' first.csv
gives 1 'a column that is not there'
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 missing.csv
gives 1 'a file that is not there'
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 .
gives 1 'a folder'
as mori entrust --client c01 --purpose checkup --as-of 2099-01-01 first.csv
gives 1 'a day in the future'
as mori entrust --client c01 --purpose checkup --as-of 2026-02-30 first.csv
gives 2 'a day that is none'
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 --mode replace first.csv
gives 2 'a mode that is none'
as mori entrust --client c01 --purpose nothing --as-of 2026-06-01 first.csv
gives 1 'a purpose that is not there'
printf 'number,name\r\n1,\377\376\r\n2,ok\001no\r\n3,"open\r\n4,山田太郎山田太郎山田太郎山田太郎山田太郎山田太郎山田太郎山田太郎山田太郎山田太郎\r\n' >bytes.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-01 bytes.csv
is "$(json '[.error.refusals[].row] | join(" ")')" '1 2 3' 'bytes that are no text'
printf 'number,name\n1,Planted\n2,Jos\351 \n' >unknown.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-01 unknown.csv
gives 1 'a list in an unknown encoding'
json .error.text | grep -q 'byte 28'
ok 'which names the byte'
! grep -q Planted out err
ok 'and nothing of what it says'
as mori client map c01 'number=No,name=Whole+Given'
gives 0 'a map of columns is kept for the client'
as ito client map c01 'number=No,name=Whole'
gives 3 'not by an agent'
as mori client map c99 'number=No'
gives 1 'nor for nobody'
printf 'No,Whole,Given\n700,Map,Ped\n' >mapped.csv
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-01 mapped.csv
is "$(json .accepted)" 1 'lists are read by it'
as mori entrust --client c01 --purpose checkup --as-of 2026-06-01 few.csv
gives 1 'and one that it does not fit is not taken'
as mori client map c01 none
gives 0 'it is taken away'
as mori --json client map c01
is "$(json .columns)" '' 'and gone'
mkfifo pipe
{ sleep 0.3; cat few.csv; } >pipe &
as mori --json entrust --client c01 --purpose checkup --as-of 2026-06-02 pipe
is "$(json .unchanged)" 100 'a list through a pipe'

run --json status
is "$(json .consignments)" 6 'six lists are there'
stop
run --json status
is "$(json .consignments)" 6 'also after a restart'
see --by number=5
is "$(json .fields.name)" 'Eve Fox' 'with everybody in them'
run ledger verify
gives 0 'and the ledger holds'

# Clients that are asked for the first time since the start, while a list of another one is on its way in.
serve
for i in $(seq 10 29); do
	run client add "d$i" --name 'City of Example'
	run purpose add "d$i/checkup" --fields number,name --roles agent --until 2030-12-31
done
stop
serve
keeper=$(child_of_server azukari-keeper)
mkfifo slow
exec 9<>slow
AZUKARI_KEY=$work/mori.key "$az" --json entrust --client c01 --purpose checkup --as-of 2026-06-03 slow >slow.out 2>slow.err 9<&- &
slow=$!
head -n 50 few.csv >&9
sleep 0.5
for i in $(seq 10 29); do
	as ito disclose --client "d$i" --purpose checkup --by number=1 --reason enquiry
done
gives 1 'nobody is found there'
tail -n +51 few.csv >&9
exec 9>&-
wait "$slow"
is "$(jq -r '[.new_records,.new_versions,.unchanged] | join(" ")' slow.out)" '0 0 100' 'and its rows are whose they were'
is "$(child_of_server azukari-keeper)" "$keeper" 'by the same keeper'
stop

# A list whose reading hangs, given up by who gave it: a socket that keeps what it has until there is a million of it.
serve
keeper=$(child_of_server azukari-keeper)
cat >hanging.pl <<'END'
use strict; use Socket;
socketpair(my $list, my $other, AF_UNIX, SOCK_STREAM, 0) or die;
setsockopt($list, SOL_SOCKET, SO_RCVLOWAT, pack("i", 1000000)) or die;
syswrite $other, "number,name\n1,Ann Lee\n";
my $front = fork;
if ($front == 0) {
	close $other;
	open STDIN, '<&', $list or die;
	exec $ENV{AZUKARI}, qw(--key mori.key entrust --client c01 --purpose checkup --as-of 2026-05-01 -) or die;
}
select undef, undef, undef, 1.5;
kill 'KILL', $front;
waitpid $front, 0;
$| = 1; print "gone\n";
sleep 20;
END
perl hanging.pl >hanging 2>/dev/null &
hanging=$!
for _ in $(seq 60); do [ -s hanging ] && break; sleep 0.1; done
sleep 1
timeout 5 "$az" --key ito.key disclose --client c01 --purpose checkup --by number=1 --reason enquiry >out 2>err
[ $? -ne 124 ]
ok 'keeps nobody waiting'
kill "$hanging"
wait "$hanging" 2>/dev/null
for _ in $(seq 50); do
	as mori entrust --client c01 --purpose checkup --as-of 2026-06-04 few.csv
	[ "$code" -ne 5 ] && break
	sleep 0.1
done
gives 0 'and when it ends, the next list is taken'
is "$(child_of_server azukari-keeper)" "$keeper" 'by the same keeper'
plan
