#!/bin/sh
# The case that this program exists for, at its full size: a maintainer copies lists of 69 clients for ten years, and a
# broker's list, mixed from several takings and from elsewhere, turns up. Ends with every stolen row given to its client,
# the time of the copying, and whoever of the staff had them; exit 1 if one of these is missing.
#
#	INCIDENT_PEOPLE (9280000) in all lists  INCIDENT_CLIENTS (69)  INCIDENT_STAFF (2000)  INCIDENT_VIEWS (300) each
#	INCIDENT_TAKINGS (110) of the thief     INCIDENT_ROWS (1000000) of the broker's list, a fifth of it from elsewhere
#	INCIDENT_RESULT  where the result is kept as JSON, if anywhere
#	INCIDENT_DIR  where the house is made; a real disk      BUILD  the build folder
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${BUILD:-build}" && pwd)
people=${INCIDENT_PEOPLE:-9280000}
clients=${INCIDENT_CLIENTS:-69}
staff=${INCIDENT_STAFF:-2000}
views=${INCIDENT_VIEWS:-300}
takings=${INCIDENT_TAKINGS:-110}
rows=${INCIDENT_ROWS:-1000000}
azukari=$build/src/cli/azukari

folder=$(mktemp -d "${INCIDENT_DIR:-/var/tmp}/azukari-incident-XXXXXX")
serve=
stop() {
	[ -z "$serve" ] || kill "$serve" 2>/dev/null || true
	wait
	rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' INT TERM
chmod 0711 "$folder"
export HOME="$folder" XDG_STATE_HOME="$folder/state" AZUKARI_HOUSE="$folder/h" AZUKARI_KEY="$folder/aoki.key" TZ=UTC LC_ALL=C
began=$(date +%s)
tab=$(printf '\t')
step() { echo "$(($(date +%s) - began)) s  $*"; }
quiet() { "$azukari" "$@" >"$folder/out" 2>"$folder/err" || {
	echo "azukari $*" >&2
	cat "$folder/err" "$folder/out" >&2
	exit 1
}; }
as() { # who, command…
	AZUKARI_KEY=$folder/$1.key
	shift
	quiet "$@"
	AZUKARI_KEY=$folder/aoki.key
}
approve() { quiet approve "$(jq .request "$folder/out")"; }

quiet init --house "$AZUKARI_HOUSE" --officer aoki --key-out "$AZUKARI_KEY" --unsealed
"$azukari" serve >"$folder/serve.log" 2>&1 &
serve=$!
for _ in $(seq 100); do
	"$azukari" status >/dev/null 2>&1 && break
	sleep 0.1
done
quiet staff add mori --role supervisor --key-out "$folder/mori.key"
quiet staff add sato --role investigator --key-out "$folder/sato.key"

# --- three deliveries of each client, between which a seventh of its people changes their telephones ---------------
"$azukari" demo --out "$folder/lists" --people "$people" --clients "$clients" >/dev/null
cut -f 1,6,7 "$folder/lists/clients.tsv" >"$folder/clients"
step "$people people of $clients clients are made up"
: >"$folder/deliveries"
printf 'azukari-demo\n' >"$folder/password"
map=number=@1-8,name=@9-38,kana=@39-78,birth=@79-90,sex=@91-94,postcode=@95-104,address=@105-194,phone=@195-208,mobile=@209-222,email=@223-272
while IFS="$tab" read -r client form file; do
	quiet client add "$client" --name "Client $client"
	quiet purpose add "$client/calls" --fields name,kana,address,phone,mobile --roles agent --until 2035-03-31
	list=$folder/lists/$file
	set --
	case $form in
	zip) set -- --password-fd 9 ;;
	fixed) set -- --columns "$map" ;;
	esac
	for year in 2016 2020 2024; do
		as mori --json entrust --client "$client" --purpose calls --as-of $year-04-01 "$@" "$list" 9<"$folder/password"
		echo "$client $(jq .consignment "$folder/out") $year" >>"$folder/deliveries"
		if [ $year = 2016 ]; then
			# They send what they have; from then on what they sent, changed, as clean CSV.
			"$azukari" inspect --csv "$@" "$list" 9<"$folder/password" >"$folder/lists/now.csv" 2>/dev/null
			rm "$list"
			list=$folder/lists/now.csv
			set --
		fi
		# What the thief takes of it is sampled now: the delivery is not kept.
		awk -F, -v OFS=, -v client="$client" -v seed=$year$client -v share="$(((rows * 3 + people) / people + 1))" '
			NR > 1 && (NR * 7919 + length(seed)) % 29 < share * 3 { print client, $1, $2, $7, $8 }' "$list" |
			gzip -1 >"$folder/taken-$client-$year.gz"
		awk -F, -v OFS=, -v year=$year '
			NR > 1 && (NR * 7 + year) % 53 < 8 { $8 = substr($8, 1, 3) sprintf("%04d", (NR * 31 + year) % 10000) substr($8, 8) }
			{ print }' "$list" >"$folder/lists/next.csv"
		mv "$folder/lists/next.csv" "$list"
	done
	rm "$list"
done <"$folder/clients"
rm -rf "$folder/lists"
step "$(wc -l <"$folder/deliveries" | tr -d ' ') lists are entrusted"

# --- ten years before this house, as the old system logged them ------------------------------------------------------
# A temporary worker takes a list some weeks after it came; two colleagues take some, too, for their work.
awk -v staff="$staff" -v views="$views" -v takings="$takings" -v each="$((people / clients))" -v q='"' '
	function instant(year, day) { return sprintf("%d-%02d-%02dT%02d:%02d:00+09:00", year, int(day / 28) % 8 + 5, day % 28 + 1, 9 + day % 9, day * 7 % 60) }
	{ client[NR] = $1; consignment[NR] = $2; year[NR] = $3 }
	END {
		print "time,staff,device,client,number,fields,kind,carrier"
		fields = q "number,name,kana,address,phone,mobile" q
		srand(20230)
		for (i = 1; i <= takings; i++) {
			of = i * 37 % NR + 1
			print instant(year[of], i % 90), "temp7", "console-2", client[of], "*", fields, "export", consignment[of]
			if (i % 5 == 0)
				print instant(year[of], i % 60), "admin" i % 3, "console-1", client[of], "*", fields, "export", consignment[of]
		}
		for (s = 1; s <= staff; s++) {
			own = int(rand() * NR) + 1
			for (v = 1; v <= views; v++)
				print instant(year[own] + v % 2, int(rand() * 200)), "agent" s, "desk" s, client[own], sprintf("%06d", rand() * each + 1), q "name,phone" q, "view", "s" s "-" int(v / 40)
		}
	}' OFS=, "$folder/deliveries" >"$folder/history.csv"
as sato --json history import "$folder/history.csv"
approve
as sato --json history import "$folder/history.csv"
step "$(wc -l <"$folder/history.csv" | tr -d ' ') rows of history are imported"

# --- the broker's list: thirty takings and people from elsewhere, shuffled, spelt as brokers spell ------------------------
awk -F, -v takings="$takings" 'NR > 1 && $2 == "temp7" { print }' "$folder/history.csv" | awk -F, 'NR % 3 == 1 { n = split($0, p, ","); print p[4], p[n] }' |
	sort -u | head -n 30 >"$folder/stolen"
while read -r client consignment; do
	year=$(awk -v c="$consignment" '$2 == c { print $3 }' "$folder/deliveries")
	gzip -dc "$folder/taken-$client-$year.gz" | head -n "$((rows * 8 / 300))"
done <"$folder/stolen" >"$folder/own"
"$azukari" demo --out "$folder/elsewhere" --people "$((rows / 5))" --clients 1 --seed 4711 >/dev/null
{
	sort -u "$folder/own"
	awk -F, -v OFS=, 'NR > 1 { gsub(/県|都|府|道/, "&☆", $7); print "-", $1, "☆" $2, "離島村" NR "-" NR % 50, "0999-" NR % 90 "-" sprintf("%04d", NR % 10000) }' "$folder"/elsewhere/*.csv
} | awk 'BEGIN { srand(7) } { printf "%.9f,%s\n", rand(), $0 }' | sort | cut -d, -f2- >"$folder/mixed"
cut -d, -f1 "$folder/mixed" >"$folder/truth"
{
	echo '電話,氏名,住所'
	awk -F, -v OFS=, '{ gsub(/-/, "", $5); print $5, $3, $4 }' "$folder/mixed"
} >"$folder/broker.csv"
step "a broker's list of $(wc -l <"$folder/truth" | tr -d ' ') rows turns up, of $(wc -l <"$folder/stolen" | tr -d ' ') takings"

# --- the trace -----------------------------------------------------------------------------------------------------
as sato --json case open --reason suspicion --rows 100000000
approve
start=$(date +%s.%N)
as sato --json trace --case 1 "$folder/broker.csv"
took=$(echo "$(date +%s.%N) - $start" | bc)
step "traced in $took s"
cp "$folder/out" "$folder/result"
[ -z "${INCIDENT_RESULT:-}" ] || cp "$folder/result" "$INCIDENT_RESULT"
as sato --json trace --case 1 --rows "$folder/rows.csv" "$folder/broker.csv"
jq -r '"\(.rows) rows: \(.ours) ours, \(.ambiguous) ambiguous, \(.not_found) not found; \(.people) people of \(.clients | length) clients
copied between \(.dating.from) and \(.dating.to // "now"), \(.dating.clusters | length) times at least
verdict \(.verdict)", (.suspects[] | select(.posterior > 0.01) | "  leak \(.leak): \(.who) \(.staff // .client // "")  \(.posterior)  \(.rows_explained) rows  \(.against | join("; "))")' "$folder/result"
unassigned=$(awk -F, 'NR == FNR { truth[FNR] = $1; next } FNR > 1 && truth[$1] != "-" && $3 == truth[$1] { good[$1] = 1 }
	END { for (row in truth) if (truth[row] != "-" && !(row in good)) n++; print n + 0 }' "$folder/truth" "$folder/rows.csv")
wrong=$(awk -F, 'NR == FNR { truth[FNR] = $1; next } FNR > 1 && truth[$1] == "-" && $2 == "ours" { n++ } END { print n + 0 }' "$folder/truth" "$folder/rows.csv")
jq -r 'select(.in_every_leak | length > 0) | "in every leak: \(.in_every_leak | join(", "))"' "$folder/result"
named=$(jq -r '[.suspects[] | select(.staff == "temp7") | .posterior] | max // 0' "$folder/result")
echo "result trace_seconds $took"
echo "result stolen_rows_unassigned $unassigned"
echo "result foreign_rows_ours $wrong"
echo "result thief_posterior $named"
echo "result total_seconds $(($(date +%s) - began))"
[ "$unassigned" -eq 0 ] || exit 1
[ "$(echo "$took < 60" | bc)" -eq 1 ] || exit 1
# Nobody else is named, and he is.
[ "$(jq -r '.verdict + " " + ([.suspects[] | select(.posterior | tonumber >= 0.9) | .staff // .client] | unique | join(" "))' "$folder/result")" = 'attributed temp7' ] || exit 1
