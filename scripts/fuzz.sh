#!/bin/sh
# fuzz.sh TIME runs every fuzz test of the module for TIME, one after the other, and fails if any found something.
set -eu
cd "$(dirname "$0")/.."
time=${1:-20s}
failed=
for dir in $(grep -rlE --include='*_test.go' '^func Fuzz[A-Z_]' . | xargs -r -n1 dirname | sort -u); do
	for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/func //' | sort -u); do
		echo "== $dir $target for $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$dir" || failed="$failed $dir:$target"
	done
done
[ -z "$failed" ] && exit 0
echo "found something:$failed" >&2
exit 1
