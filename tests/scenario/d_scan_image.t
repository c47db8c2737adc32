#!/bin/sh
# A thousand rows that lie hidden in a disk's image, in twelve formats and encodings, go back to their clients; and what
# would go on for ever, fill the machine or cannot be read ends, and is told.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_rest 'python3 makes the files'
mkdir made files
"$here/scan_image.py" made || exit 1
"$here/scan_files.py" files || exit 1
found
serve
for client in c01 c02 c03; do
	run client add $client --name "Client $client"
	run purpose add $client/calls --fields name,phone,email --roles agent --until 2030-03-31
	as mori entrust --client $client --purpose calls --as-of 2026-01-01 made/$client.csv
	gives 0 "$client has a list"
done
as sato --json case open --reason suspicion --rows 100000
run approve "$(json .request)"
hidden=$(awk '{ n += $2 } END { print n }' made/truth)
[ "$(wc -l <made/formats)" -eq 12 ] || echo "# only $(wc -l <made/formats) formats could be made, of 12"
[ "$hidden" -ge 800 ]
ok "$hidden rows are hidden"

# Of a scan's answer: how many of the hidden people were found, of their clients, and of nobody else.
recall() { # what
	jq -r '.clients[] | "\(.client) \(.people)"' out >got
	awk 'NR == FNR { true_of[$1] = $2; next } { found += $2 < true_of[$1] ? $2 : true_of[$1]; over += $2 > true_of[$1] ? $2 - true_of[$1] : 0 }
		END { for (c in true_of) n += true_of[c]; printf "# found %d of %d, %d given to a wrong client\n", found, n, over; exit !(found * 100 >= n * 99 && over == 0) }' made/truth got
	ok "$1: at least 99 of 100 are found, each of its client"
}
as sato --json scan --case 1 made/files
gives 0 'the files themselves'
recall 'files'
while read -r name client rows; do
	is "$(jq -r --arg p "made/files/$name" '[.files[] | select(.path == $p)] | "\([.[].people] | add) \([.[].clients[]] | unique | join(","))"' out)" \
		"$rows $client" "$name"
done <made/formats
as sato --json scan --case 1 made/image
gives 0 'the image of a disk with these files'
recall 'image'
is "$(json '[.unread[].reason] | unique - ["damaged"] | length')" 0 'only what a file system tore apart was not read as what it is'

# What has no end, no bottom, no bytes.
as sato --json scan --case 1 --max-unpacked 64M --max-seconds 20 files
gives 0 'bombs, depths, damage, what is encrypted'
is "$(json '[.unread[].reason] | unique | join(",")')" 'damaged,encrypted,no file,too deep,too large,unsupported' 'each is told with its reason'
code=0
yes '03-9987-1234 x@elsewhere.example' | AZUKARI_KEY=$work/sato.key timeout 60 "$az" --json scan --case 1 --max-unpacked 256M - >out 2>err || code=$?
gives 0 'a pipe without end'
is "$(json '.unread[0].reason')" 'too large' 'is told'
as sato --json scan --case 1 --max-seconds 1 /dev/zero
gives 0 'a device without end'
is "$(json '.unread[0].reason')" 'too long' 'is told'
truncate -s 3T sparse 2>/dev/null && sed -n 2p made/c01.csv | dd of=sparse bs=1 seek=2199023255552 conv=notrunc 2>/dev/null && {
	as sato --json scan --case 1 sparse
	gives 0 'a sparse file of terabytes'
	is "$(json '.people')" 1 'is read where it has bytes'
	rm sparse
}
stop
plan
