# SPDX-License-Identifier: BSD-3-Clause
# Configuration: $(O)/.config (read by make) and <uk/config.h> (read by C).

KCONFIG := $(PY) tests/support/kconfig.py --out $(O)
KCONFIG_FILES := $(shell find . -name Config.uk -not -path './build/*')

menuconfig: | setup-config ## choose options in a text menu
	$(Q)KCONFIG_CONFIG=$(O)/.config MENUCONFIG_STYLE=default \
		$(PY) -m menuconfig plat/Config.uk
	$(Q)$(KCONFIG) update

defconfig: | setup-config ## reset the options, to those of DEFCONFIG=file
	$(Q)$(KCONFIG) defconfig $(if $(DEFCONFIG),--from $(DEFCONFIG))

olddefconfig: | setup-config ## defaults for options that .config lacks
	$(Q)$(KCONFIG) update

savedefconfig: $(O)/.config ## write the changed options to build/defconfig
	$(Q)$(KCONFIG) save

.PHONY: menuconfig defconfig olddefconfig savedefconfig

$(O)/.config: $(KCONFIG_FILES) tests/support/kconfig.py | setup-config
	$(Q)$(KCONFIG) update

# Its time stays if its text does
$(CONFIG_H): $(O)/.config
	@:
