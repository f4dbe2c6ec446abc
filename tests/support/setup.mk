# SPDX-License-Identifier: BSD-3-Clause
# Debian packages, each group only when a target needs it.

setup-config setup-run setup-test:
	@tests/support/setup.sh $(@:setup-%=%)

setup: setup-test ## install every Debian package that a target needs

# x2APIC needs a newer QEMU than Debian 12 has
qemu10: ## unpack QEMU 10 of bookworm-backports below build/, for x2APIC tests
	@tests/support/qemu10.sh $(O)/qemu10
.PHONY: setup setup-config setup-run setup-test qemu10
