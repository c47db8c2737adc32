#!/bin/sh
# Strangers at the socket, while others work: each is closed, and nobody waits for them.
. "$(dirname "$0")/lib.sh"
found
serve
run client add c01 --name 'City of Example'
run purpose add c01/checkup --fields name --roles agent --until 2030-12-31
printf 'number,name,phone\n1,Ann Lee,03-1234-5678\n' >list.csv
as mori entrust --client c01 --purpose checkup --as-of 2026-04-01 list.csv
gives 0 'a list'
keeper=$(child_of_server azukari-keeper)

# Says something to the keeper and prints what it does: "closed", "silent" for half a second, or "answers".
cat >stranger.pl <<'END'
use strict; use IO::Socket::UNIX; use IO::Select;
$SIG{PIPE} = 'IGNORE';
my $socket = IO::Socket::UNIX->new(Peer => "$ENV{AZUKARI_HOUSE}/run/keeper.sock") or die 'connect';
my $says = eval shift @ARGV; die $@ if $@;
my $at = 0;
while ($at < length $says) { my $n = syswrite $socket, $says, 65536, $at; last unless defined $n; $at += $n; }
my $ready = IO::Select->new($socket)->can_read(0.5);
my $got = $ready ? sysread($socket, my $data, 65536) : undef;
print !$ready ? "silent\n" : $got ? "answers\n" : "closed\n";
END
stranger() { perl stranger.pl "$1"; }
is "$(stranger '"GET / HTTP/1.1\r\n\r\n"')" closed 'who speaks HTTP'
is "$(stranger '"\x00" x 12')" closed 'a frame of type 0'
is "$(stranger 'pack("VvvV", 0xffffffff, 1, 1, 0)')" closed 'a frame of four gigabytes'
is "$(stranger 'pack("VvvV", 48, 1, 2, 0)')" closed 'a frame of another version'
is "$(stranger 'pack("VvvV", 48, 1, 1, 0) . ("\x00" x 48)')" closed 'a hello with a key of zeros'
is "$(stranger 'pack("VvvV", 48, 1, 1, 0) . join("", map { chr($_ * 5 % 256) } 1..48)')" closed 'a hello without the right key'
is "$(stranger 'pack("VvvV", 48, 3, 1, 0) . ("x" x 48)')" closed 'a message before the hello'
is "$(stranger 'pack("VvvV", 65535, 1, 1, 0) . ("x" x 65535)')" closed 'a very long hello'
is "$(stranger 'join("", map { chr(rand 256) } 1..100000)')" closed 'noise'
is "$(stranger 'pack("VvvV", 48, 1, 1, 0) . "half"')" silent 'half a hello is waited for'

# Many who say nothing, or half of something, and stay.
perl -e 'use IO::Socket::UNIX; my @s;
	for (1..300) { push @s, IO::Socket::UNIX->new(Peer => "$ENV{AZUKARI_HOUSE}/run/keeper.sock") or last; syswrite $s[-1], "\x30\x00" if $_ % 2; }
	print scalar(@s), "\n"; $| = 1; sleep 15' >crowd &
crowd=$!
for _ in $(seq 50); do [ -s crowd ] && break; sleep 0.1; done
for i in 1 2 3 4 5; do
	as ito --json disclose --client c01 --purpose checkup --by number=1 --reason enquiry
	is "$(json .fields.name)" 'Ann Lee' "somebody works meanwhile ($i)"
done
[ "$(ls "/proc/$keeper/fd" | wc -l)" -gt 250 ]
ok 'while a crowd stands there'
for _ in $(seq 140); do
	[ "$(ls "/proc/$keeper/fd" | wc -l)" -lt 60 ] && break
	sleep 0.1
done
[ "$(ls "/proc/$keeper/fd" | wc -l)" -lt 60 ]
ok 'which is sent away after ten seconds'
kill "$crowd" 2>/dev/null
is "$(child_of_server azukari-keeper)" "$keeper" 'it is the same keeper all the time'
[ ! -s serve.log ] || ! grep -q 'ended' serve.log
ok 'and strangers have written nothing into its log'
run ledger verify
gives 0 'the ledger holds'

# Some without a key who enrol, and go before it is their turn: a change before them waits for the vault.
printf '0%.0s' $(seq 32) >code
stop
serve
keeper=$(child_of_server azukari-keeper)
vault=$(child_of_server azukari-vault)
kill -STOP "$vault"
AZUKARI_KEY=$work/ito.key "$az" correct --client c01 --purpose checkup --record 1 --set 'name=Ann Li' >/dev/null 2>&1 &
change=$!
sleep 0.5
enrolling=
for i in $(seq 3); do
	"$az" staff enrol --out "nobody$i.key" --code @7 >/dev/null 2>&1 7<code &
	enrolling="$enrolling $!"
done
sleep 1
# shellcheck disable=SC2086
kill -9 $enrolling
sleep 0.3
kill -CONT "$vault"
wait "$change"
ok 'a change is made, while some ask to enrol and go away'
as ito correct --client c01 --purpose checkup --record 1 --set 'name=Ann Lee'
gives 0 'and another one behind it'
is "$(child_of_server azukari-keeper)" "$keeper" 'by the same keeper'

# More of them than there are descriptors for: the house keeps what it needs, and who comes to work gets in.
stop
# shellcheck disable=SC3045
(ulimit -n 1024 && exec "$az" serve) 2>serve.log &
server=$!
for _ in $(seq 200); do
	[ -n "$(pgrep -P "$server" -x azukari-keeper)" ] && run status && [ "$code" -eq 0 ] && break
	sleep 0.05
done
keeper=$(child_of_server azukari-keeper)
: >crowd
crowds=
for _ in 1 2; do
	perl -e 'use IO::Socket::UNIX; my @s;
		for (1..700) { push @s, IO::Socket::UNIX->new(Peer => "$ENV{AZUKARI_HOUSE}/run/keeper.sock") or last; }
		$| = 1; print scalar(@s), "\n"; sleep 8' >>crowd &
	crowds="$crowds $!"
done
for _ in $(seq 50); do [ "$(wc -l <crowd)" -eq 2 ] && break; sleep 0.1; done
for i in 1 2 3; do
	run client add "d0$i" --name 'City of Example'
	gives 0 "somebody works in spite of a large crowd ($i)"
	sleep 1
done
is "$(child_of_server azukari-keeper)" "$keeper" 'with the same keeper'
# shellcheck disable=SC2086
kill $crowds 2>/dev/null
plan
