#!/bin/sh
# Every header compiles alone.
set -eu
cd "$(dirname "$0")/.."
failed=0
for header in $(find src -name '*.h' | sort); do
	gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -Isrc -x c "$header" || {
		echo "headers.sh: $header does not compile alone" >&2
		failed=1
	}
done
exit $failed
