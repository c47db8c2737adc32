# "result NAME VALUE" lines in, the table out.
$1 == "result" { value[$2] = $3 }
$1 == "skipped" { $1 = ""; skipped = $0 }

function number(x) { return x == "" ? "-" : x >= 100 ? sprintf("%.0f", x) : sprintf("%.2f", x) }

# limit: what the disk alone allowed in the same run.
function row(measure, name, floor, target, least, limit, met) {
	if (least)
		met = value[name] >= target ? "target" : value[name] >= floor ? "floor" : "NO"
	else
		met = value[name] <= target ? "target" : value[name] <= floor ? "floor" : "NO"
	printf "%-40s %12s %10s %10s %8s %14s\n", measure, number(value[name]), number(floor), number(target), met,
	    number(limit)
}

function plain(measure, name) { printf "%-40s %12s\n", measure, number(value[name]) }

function against(measure, name) {
	if (value[name] > 0)
		printf "%-40s %12s   warm is %.1f times, cold %.1f times that\n", measure, number(value[name]),
		    value["warm"] / value[name], value["cold"] / value[name]
}

END {
	printf "%-40s %12s %10s %10s %8s %14s\n", "measure", "value", "floor", "target", "met?", "limit of disk"
	row("disclosures/s, 64 staff, warm", "warm", 15000, 35000, 1, 64 * value["warm-raw"])
	row("disclosures/s, 64 staff, cold", "cold", 3000, 10000, 1, 64 * value["cold-raw"])
	row("lone disclosure / append and fdatasync", "lone", 3, 2, 0, 1)
	row("ledger appends/s, 64 waiters", "appends", 40000, 80000, 1, 64 * value["appends-raw"])
	row("ledger entries verified/s", "verify", 1000000, 3000000, 1, "")
	row("published entries verified/s", "client-verify", 1000000, 3000000, 1, "")
	row("scan --patterns / ripgrep, one core", "scan-times-ripgrep", 3, 8, 1, "")
	row("scan within a case, 9 M people, GB/s", "sift-rate", 1.5, 3, 1, "")
	row("people that it finds and are none", "sift-found", 0, 0, 0, "")
	if (value["entrust-sqlite-s"] > 0) {
		value["entrust-ratio"] = value["entrust-first-s"] / value["entrust-sqlite-s"]
		row("entrust / sqlite3 .import, wall", "entrust-ratio", 1.5, 1, 0, "")
		value["entrust-again"] = value["entrust-second-s"] / value["entrust-first-s"]
		row("entrust into a house with as many / first", "entrust-again", 1.3, 1.3, 0, "")
		value["entrust-same"] = value["entrust-unchanged-s"] / value["entrust-first-s"]
		row("entrust, all rows unchanged / first", "entrust-same", 1.3, 1.3, 0, "")
		value["entrust-other"] = value["entrust-cp932-s"] / value["entrust-first-s"]
		row("entrust, CP932 / first", "entrust-other", 1.3, 1.3, 0, "")
		row("entrust: peak of all processes, MiB", "entrust-peak-mib", 1024, 512, 0, "")
	}
	if (value["entrust-postgres-rows"] > 0) {
		value["entrust-times"] = value["entrust-postgres-s"] / value["entrust-postgres-rows"] * \
		    value["entrust-rows"] / value["entrust-first-s"]
		row("PostgreSQL COPY, pgcrypto / entrust, a row", "entrust-times", 5, 10, 1, "")
	}
	if (value["meanwhile-p99-us"] > 0) {
		value["meanwhile-ms"] = value["meanwhile-p99-us"] / 1000
		row("lone disclosure meanwhile, p99, ms", "meanwhile-ms", 20, 20, 0, "")
	}
	row("trace of 100 rows, s", "trace-100-s", 2, 0.5, 0, "")
	if (value["trace-duckdb-s"] > 0) {
		value["trace-ratio"] = value["trace-all-s"] / value["trace-duckdb-s"]
		row("trace / DuckDB's join, wall", "trace-ratio", 4, 2, 0, "")
	}
	print ""
	plain("trace: people, and rows of the list", "trace-people")
	plain("trace: s to the verdicts", "trace-all-s")
	plain("trace: s until it is answered", "trace-all-whole-s")
	plain("trace: every second row opened, s", "trace-opened-s")
	plain("trace: peak of the keeper, MiB", "trace-all-mib")
	plain("DuckDB: s", "trace-duckdb-s")
	plain("entrust: rows", "entrust-rows")
	plain("entrust: processor, us a row", "entrust-first-us")
	plain("entrust: of it intake", "entrust-intake-us")
	plain("entrust, unchanged: processor, us a row", "entrust-unchanged-us")
	plain("sqlite3 .import: processor, us a row", "entrust-sqlite-us")
	plain("inspect of the list, s", "entrust-inspect-s")
	plain("DuckDB read_csv of the list, s", "entrust-duckdb-s")
	plain("PostgreSQL COPY, pgcrypto: rows", "entrust-postgres-rows")
	plain("PostgreSQL COPY, pgcrypto: s", "entrust-postgres-s")
	plain("warm: p50, us", "warm-p50-us")
	plain("warm: p99, us", "warm-p99-us")
	plain("warm: keeper, % of a processor", "warm-keeper-cpu")
	plain("warm: vault, % of a processor", "warm-vault-cpu")
	plain("warm: peak of keeper, MiB", "warm-keeper-mib")
	plain("warm: peak of vault, MiB", "warm-vault-mib")
	plain("cold: p50, us", "cold-p50-us")
	plain("cold: p99, us", "cold-p99-us")
	plain("cold: reads of the disk by the vault", "cold-vault-faults")
	plain("warm: reads of the disk by the vault", "warm-vault-faults")
	plain("lone: p50, us", "lone-p50-us")
	plain("lone: append and fdatasync, p50, us", "lone-raw-us")
	plain("people in the list", "people")
	plain("people entrusted/s", "entrust-rate")
	plain("entries verified", "verify-entries")
	plain("published entries verified/s, one thread", "client-verify-one")
	plain("published entries a second of processor time", "client-verify-cpu")
	plain("the same by Go with x/mod/sumdb", "client-verify-go")
	plain("proof in the largest log, bytes", "proof-bytes")
	plain("its making, us", "proof-make-us")
	plain("its checking, us", "proof-check-us")
	plain("scan --patterns, GB/s", "scan-rate")
	plain("ripgrep, same patterns, GB/s", "scan-ripgrep")
	plain("Vectorscan, same patterns, GB/s", "scan-vectorscan")
	print ""
	if (skipped != "")
		print "PostgreSQL: skipped," skipped
	against("PostgreSQL lookups/s, log not flushed", "postgres-read")
	against("PostgreSQL lookups/s, audit row flushed", "postgres-durable")
}
