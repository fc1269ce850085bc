#!/bin/sh
# tool.sh NAME prints the path of a tool pinned in tools/go.mod, after building it if this version is not in the cache yet.
set -eu
cd "$(dirname "$0")/../tools"
case $1 in
golangci-lint) module=github.com/golangci/golangci-lint/v2 package=$module/cmd/golangci-lint ;;
gofumpt) module=mvdan.cc/gofumpt package=$module ;;
*) echo "tool.sh: no tool named $1" >&2 && exit 2 ;;
esac
version=$(awk -v m="$module" '$1 == m && NF > 1 { print $2 }' go.mod)
dir=${MILLRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace}/tools
bin=$dir/$1-$version-$(go env GOVERSION)
if [ ! -x "$bin" ]; then
	echo "building $1 $version once; this can take some minutes" >&2
	mkdir -p "$dir"
	for try in 1 2 3; do
		go build -buildvcs=false -o "$bin.$$" "$package" && break
		[ "$try" = 3 ] && exit 1
		sleep $((try * 3))
	done
	mv "$bin.$$" "$bin"
fi
echo "$bin"
