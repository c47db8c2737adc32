#!/bin/sh
# Calls that are not used here, and the short counted list of exceptions.
set -eu
cd "$(dirname "$0")/.."

failed=0
banned='strcpy|strcat|sprintf|vsprintf|gets|strncpy|strncat|strtok|atoi|atol|atoll|system|popen|tmpnam|tempnam|mktemp|alloca|rand|srand|setenv|putenv'
hits=$(grep -nE "(^|[^A-Za-z0-9_])($banned)\(" -r src --include='*.[ch]' || true)
if [ -n "$hits" ]; then
	echo 'banned.sh: banned calls:' >&2
	echo "$hits" >&2
	failed=1
fi

# Comparing bytes goes through bytes_equal (constant time) and bytes_compare; memcmp stands in
# base/bytes.c alone.
hits=$(grep -nE '(^|[^A-Za-z0-9_])memcmp\(' -r src --include='*.[ch]' | grep -v '^src/base/bytes.c:' || true)
if [ -n "$hits" ]; then
	echo 'banned.sh: memcmp outside base/bytes.c:' >&2
	echo "$hits" >&2
	failed=1
fi

hits=$(grep -nE '(^|[[:space:];])//|TODO|FIXME|\bXXX\b' -r src tests --include='*.[ch]' | grep -vE '"[^"]*//' || true)
if [ -n "$hits" ]; then
	echo 'banned.sh: line comments or unfinished words:' >&2
	echo "$hits" >&2
	failed=1
fi
exit $failed
