#!/bin/sh
# Lists files that gofumpt would change, and fails if there are any.
set -eu
cd "$(dirname "$0")/.."
gofumpt=$(scripts/tool.sh gofumpt)
unformatted=$("$gofumpt" -l .)
[ -z "$unformatted" ] && exit 0
printf 'not formatted, run make fmt:\n%s\n' "$unformatted" >&2
exit 1
