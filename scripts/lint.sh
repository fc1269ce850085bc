#!/bin/sh
# Runs the pinned golangci-lint over the whole module, politely: tests may be running beside it.
set -eu
cd "$(dirname "$0")/.."
lint=$(scripts/tool.sh golangci-lint)
exec nice -n 5 "$lint" run "$@" ./...
