#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Unpacks Debian's source package of mimalloc into a directory. apt checks the
# signature of the archive and the hashes; the system's package lists and
# files stay as they are.
#
#   fetch.sh directory
#
# The result is directory/source. Exit status 77: it cannot be had (no network,
# no apt); the benchmark goes on without mimalloc.
set -eu

dir=$1
suite=bookworm
package=mimalloc
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ ! -d "$dir/source" ] || exit 0

give_up()
{
	echo "mimalloc: $1; the benchmark leaves it out"
	exit 77
}

command -v apt-get >/dev/null || give_up "apt-get is missing"
"$(dirname "$0")/../../../tests/support/setup.sh" source ||
	give_up "dpkg-dev is not installed"
[ -f "$keyring" ] || give_up "$keyring is missing"

rm -rf "$dir"
mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/package"
dir=$(cd "$dir" && pwd)

# The mirror that this system already uses
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' \
	'Created-By: Packages' |
	awk -v suite="$suite" '$2 == suite { print $1; exit }')
[ -n "$mirror" ] || give_up "this system has no $suite package source"
echo "deb-src [signed-by=$keyring] $mirror $suite main" \
	> "$dir/sources.list"
options="-o Dir::Etc::SourceList=$dir/sources.list
	-o Dir::Etc::SourceParts=- -o Dir::State::Lists=$dir/lists
	-o Dir::Cache=$dir -o APT::Sandbox::User=root -o Acquire::Retries=1
	-o Acquire::http::Timeout=20 -o APT::Get::AllowUnauthenticated=false"

echo "mimalloc: fetching Debian's source package"
apt-get $options -qq update >"$dir/log" 2>&1 ||
	give_up "no package list (see $dir/log)"
(cd "$dir/package" &&
	apt-get $options -qq --download-only source "$package/$suite") \
	>>"$dir/log" 2>&1 || give_up "no source package (see $dir/log)"
dpkg-source --no-check -x "$dir/package/$package"_*.dsc "$dir/unpacked" \
	>>"$dir/log" 2>&1 || give_up "it cannot be unpacked (see $dir/log)"
[ -f "$dir/unpacked/src/static.c" ] ||
	give_up "the package has no src/static.c"

# The name says that all went well
basename "$dir/package/$package"_*.dsc .dsc > "$dir/version"
mv "$dir/unpacked" "$dir/source"
rm -rf "$dir/lists" "$dir/archives" "$dir"/*.bin "$dir"/*.tar.*
echo "mimalloc: $(cat "$dir/version") is in $dir/source"
