#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Unpacks QEMU of bookworm-backports into a directory, next to the installed
# one. The system's package lists and files stay as they are.
#
#   qemu10.sh directory
#
# The result is directory/bin/qemu-system-x86_64. Exit status 77: there are no
# backports to be had (no network, another Debian), the tests skip x2APIC.
set -eu

dir=$1
packages="qemu-system-x86 qemu-system-common qemu-system-data"
[ ! -x "$dir/bin/qemu-system-x86_64" ] || exit 0

give_up()
{
	echo "qemu10: $1; tests that need x2APIC are skipped"
	exit 77
}

command -v apt-get >/dev/null || give_up "apt-get is missing"
mkdir -p "$dir/lists/partial" "$dir/deb" "$dir/root" "$dir/bin"
dir=$(cd "$dir" && pwd)

# The mirror that this system already uses, with the suite for backports
mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' \
	'Created-By: Packages' | awk '$2 == "bookworm" { print $1; exit }')
[ -n "$mirror" ] || give_up "this system has no bookworm package source"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror bookworm-backports main" \
	> "$dir/sources.list"
options="-o Dir::Etc::SourceList=$dir/sources.list
	-o Dir::Etc::SourceParts=- -o Dir::State::Lists=$dir/lists
	-o Dir::Cache=$dir -o APT::Sandbox::User=root"

apt-get $options -qq update >"$dir/log" 2>&1 ||
	give_up "no package list (see $dir/log)"
(cd "$dir/deb" && apt-get $options -qq download $packages) \
	>>"$dir/log" 2>&1 || give_up "no packages (see $dir/log)"
for deb in "$dir"/deb/*.deb; do
	dpkg -x "$deb" "$dir/root"
done

# Firmware and ROMs come from this tree, libraries from the system
cat > "$dir/bin/qemu-system-x86_64" <<END
#!/bin/sh
exec "$dir/root/usr/bin/qemu-system-x86_64" \\
	-L "$dir/root/usr/share/qemu" -L "$dir/root/usr/share/seabios" \\
	-L /usr/share/seabios "\$@"
END
chmod +x "$dir/bin/qemu-system-x86_64"
if ! "$dir/bin/qemu-system-x86_64" --version >>"$dir/log" 2>&1; then
	rm -f "$dir/bin/qemu-system-x86_64"
	give_up "it does not start here (see $dir/log)"
fi
"$dir/bin/qemu-system-x86_64" --version | head -n 1
