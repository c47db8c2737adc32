#!/bin/sh
# The layout is what the formatter says.
set -eu
cd "$(dirname "$0")/.."
# shellcheck disable=SC2046
clang-format --dry-run -Werror $(find src tests bench -name '*.[ch]' | sort)
