#!/bin/sh
# Checks what the build and the tests need. On Debian and its kin, as root, it installs what is missing; elsewhere it prints the one command
# that does, and goes on: tests that need the missing tool skip, by name. Only a missing Go ends it.
set -u
cd "$(dirname "$0")/.."

go_wanted=26 # the minor version, as in go.mod
java_wanted=17

missing=

# need PACKAGE WHY notes that a Debian package is wanted.
need() {
	missing="$missing $1"
	echo "setup: $2"
}

java_version() {
	java=java
	[ -n "${JAVA_HOME:-}" ] && java=$JAVA_HOME/bin/java
	"$java" -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -1
}

look() {
	missing=
	command -v git >/dev/null || need git "git is missing; the version of the binary will be 'dev'"
	command -v "${CC:-cc}" >/dev/null || command -v gcc >/dev/null ||
		need "gcc libc6-dev" "a C compiler is missing, without which Go has no race detector"
	java_found=$(java_version)
	[ "${java_found:-0}" -ge $java_wanted ] ||
		need openjdk-$java_wanted-jdk-headless "Java $java_wanted or later is missing, which Kafka needs (found: ${java_found:-none})"
	command -v mvn >/dev/null || need maven "mvn is missing, which fetches Kafka's jars"
	command -v curl >/dev/null || need curl "curl is missing, with which the documentation's examples talk to the worker"
}

# again COMMAND... tries three times: mirrors refuse now and then.
again() {
	for wait in 2 5 0; do
		"$@" && return 0
		sleep $wait
	done
	return 1
}

install() {
	export DEBIAN_FRONTEND=noninteractive
	again apt-get -q update >/dev/null || echo "setup: apt-get update did not work; trying with the lists there are"
	# Intended splitting: a list of packages.
	# shellcheck disable=SC2086
	again apt-get -q install -y --no-install-recommends $missing
}

advise() {
	if command -v apt-get >/dev/null; then
		echo "setup: to install it all: sudo apt-get install -y$missing"
	elif command -v dnf >/dev/null; then
		echo "setup: to install it all: sudo dnf install -y git gcc java-$java_wanted-openjdk-devel maven curl"
	elif command -v brew >/dev/null; then
		echo "setup: to install it all: brew install git openjdk@$java_wanted maven curl"
	else
		echo "setup: install with this system's package manager: git, a C compiler, a JDK $java_wanted, Maven, curl"
	fi
	echo "setup: going on without; tests that need it are skipped by name"
}

check_go() {
	if ! command -v go >/dev/null; then
		echo "setup: Go 1.$go_wanted or later is missing. To install it:"
		echo "    curl -sSfL https://go.dev/dl/go1.26.8.linux-amd64.tar.gz | sudo tar -C /usr/local -xz && export PATH=\$PATH:/usr/local/go/bin"
		exit 1
	fi
	# Inside the module: an older Go fetches the version that go.mod asks for, if it may.
	found=$(go env GOVERSION)
	minor=$(echo "$found" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
	if [ "${minor:-0}" -lt $go_wanted ]; then
		echo "setup: Go 1.$go_wanted or later is needed, this is ${found:-unknown}; see https://go.dev/dl/"
		exit 1
	fi
}

check_go
look
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	install
	look
fi
[ -z "$missing" ] || advise
exit 0
