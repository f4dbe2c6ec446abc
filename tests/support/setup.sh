#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs the Debian packages that a target needs, if any is missing.
#
#   setup.sh config|run|test|bench|cost|report|source
#
# Root: installs without questions. Otherwise: prints the line to type and
# stops. Nothing is fetched, and no network is needed, if all are installed.
# Without packages that only some tests need, it goes on.
set -eu

here=$(dirname "$0")
config="python3-minimal python3-kconfiglib"
run="$config gcc libc6-dev qemu-system-x86"
test="$run git clang libclang-rt-14-dev g++ libcmocka-dev valgrind
	clang-format clang-tidy cppcheck spin gdb python3-pyelftools"
# Tests that need these are skipped without them
optional="grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools ovmf
	python3-matplotlib"
# Other allocators, counters, pictures, and what builds mimalloc's secure
# variant; the real programs are those of preload-check, and one more
bench="$config gcc libc6-dev libmimalloc2.0 libjemalloc2
	libtcmalloc-minimal4 libclang-rt-14-dev valgrind qemu-user
	python3-matplotlib cmake make dpkg-dev jq"

is_installed()
{
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = \
		installed ]
}

cost="$config gcc libc6-dev valgrind"
report="$config python3-matplotlib"

# Programs that preload-check runs
preload_packages()
{
	local list=$here/../preload/packages

	[ ! -f "$list" ] || sed 's/#.*//' "$list"
}

missing_of()
{
	local package

	for package in "$@"; do
		is_installed "$package" || printf ' %s' "$package"
	done
}

# The lists of a fresh container are empty; those of an old one point to
# packages that are gone
install()
{
	$command$1 >"$log" 2>&1 ||
		{ apt-get update && $command$1; } >"$log" 2>&1
}

extra=
case "${1:-}" in
config) wanted=$config ;;
run) wanted=$run ;;
test)
	wanted="$test $(preload_packages)"
	extra=$optional
	;;
bench) wanted="$bench $(preload_packages)" ;;
cost) wanted=$cost ;;
report) wanted=$report ;;
source) wanted=dpkg-dev ;; # to unpack source packages
*)
	echo "usage: $0 config|run|test|bench|cost|report|source" >&2
	exit 2
	;;
esac

missing=$(missing_of $wanted)
extra=$(missing_of $extra)
[ -n "$missing$extra" ] || exit 0

command="apt-get install -y --no-install-recommends"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	if [ -z "$missing" ]; then
		echo "Some tests will be skipped. As root, for all of them:" >&2
		echo "    $command$extra" >&2
		exit 0
	fi
	echo "Packages are missing. As root, type this, then try again:" >&2
	echo "    $command$missing$extra" >&2
	exit 1
fi

echo "setup: installing$missing$extra"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install "$missing$extra" && exit 0
[ -z "$missing" ] || [ -z "$extra" ] || ! install "$missing" || missing=
if [ -n "$missing" ]; then
	tail -n 20 "$log" >&2
	echo "setup: apt-get failed, is the network up? It was:" >&2
	echo "    apt-get update && $command$missing$extra" >&2
	exit 1
fi
echo "setup: some tests will be skipped, without$extra" >&2
