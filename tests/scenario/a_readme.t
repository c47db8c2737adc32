#!/bin/sh
# What the first pages tell a newcomer to type does what they say.
. "$(dirname "$0")/lib.sh"
top=$here/../..
mkdir bin
ln -s "$az" bin/azukari
# The programs look for each other beside where they really are.
first_hour() { sed -n '/^## A first hour/,/^## /{/^```sh$/,/^```$/p}' "$top/README.md" | sed '1d;$d'; }
[ "$(first_hour | wc -l)" -gt 8 ]
ok 'there is a first hour'
first_hour >hour
while IFS= read -r line; do
	code=0
	# In this shell: what it exports is for the lines behind it.
	PATH=$work/bin:$PATH
	eval "$line" >out 2>err || code=$?
	gives 0 "$(printf '%.70s' "$line" | tr -d '\\%')"
done <hour
grep -q yes out
ok 'and it ends with a ledger that holds'
# Commands that are named are commands.
export LC_ALL=C
"$az" -h | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort >commands
for page in README.md SECURITY.md docs/controls.md; do
	unknown=$(grep -oE '`azukari( --[a-z]+ [a-zA-Z.]+)* [a-z]+' "$top/$page" | sed 's/.* //' | sort -u | comm -23 - commands)
	[ -z "$unknown" ]
	ok "$page names commands that there are ($unknown)"
done
# Files and tests that the controls name are there.
missing=
for path in $(grep -oE '`(docs|src)/[A-Za-z0-9_./-]+`' "$top/docs/controls.md" | tr -d '`' | sort -u); do
	[ -e "$top/$path" ] || missing="$missing $path"
done
for name in $(grep -oE '`[a-z]_[a-z]+\.t`' "$top/docs/controls.md" | tr -d '`' | sort -u); do
	[ -e "$here/$name" ] || missing="$missing $name"
done
[ -z "$missing" ]
ok "docs/controls.md names files that there are ($missing)"
plan
