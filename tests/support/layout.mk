# SPDX-License-Identifier: BSD-3-Clause
# Where everything goes in an image: linker scripts that layout.py writes, and
# the seed that they are drawn from.

LAYOUT_PY := $(addprefix tests/support/,layout.py ldscript.py objects.py \
	draw.py elf64.py gotref.py)
PAYLOAD_PY := $(addprefix tests/support/,payload.py pieces.py elf64.py \
	gotref.py)

# Each function and each object is a piece that the script places
LAYOUT_CFLAGS := -ffunction-sections -fdata-sections
LAYOUT_LDFLAGS := -nostdlib -Wl,-z,noexecstack -Wl,-z,max-page-size=0x1000 \
	-Wl,--build-id=none -Wl,-z,norelro -Wl,--no-warn-rwx-segments

ifeq ($(CONFIG_UKPLAT_RANDOM_LIBRARIES),y)
# References to other objects go through the offset table, and stay as they
# are until payload.py has seen them
LAYOUT_CFLAGS += -fno-plt $(if $(CC_IS_CLANG),\
	-fno-direct-access-external-data,-mno-direct-extern-access)
LAYOUT_LDFLAGS += -static -Wl,--no-relax -Wl,--emit-relocs
LAYOUT_FLAGS := --pieces $(if $(CONFIG_UKPLAT_RANDOM_FUNCTIONS),--functions)
else
LAYOUT_LDFLAGS += -static-pie -Wl,--no-dynamic-linker \
	-Wl,-z,pack-relative-relocs
LAYOUT_FLAGS :=
endif

SEED_FILE := $(O)/randomize.seed
ifeq ($(CONFIG_RANDOMIZE_BUILD),y)
LAYOUT_SEED := $(SEED_FILE)
else ifdef BUILDING
# Makes below this one may have another configuration
ifeq ($(MAKELEVEL) $(origin RANDOMIZE_SEED),0 command line)
$(error RANDOMIZE_SEED has no effect without CONFIG_RANDOMIZE_BUILD=y)
endif
endif

ifdef RANDOMIZE_SEED
export RANDOMIZE_SEED
$(SEED_FILE): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$RANDOMIZE_SEED" | cmp -s - $@ || \
		printf '%s\n' "$$RANDOMIZE_SEED" > $@
else
$(SEED_FILE):
	@mkdir -p $(@D)
	@od -An -N16 -tx1 /dev/urandom | tr -d ' ' > $@
endif

# Image $(1) of the libraries $(2): list of objects, linker script
define layout_image
$(call remember,$(1).objects,\
	$(foreach lib,$(2),$(lib) $(OBJS_$(lib)) --))

$(1).lds: $(1).objects $(foreach lib,$(2),$(OBJS_$(lib))) $(LAYOUT_SEED) \
		$(LAYOUT_PY)
	$$(call say,LAYOUT,$$@)
	$(if $(LAYOUT_SEED),@printf 'randomize: seed %s\n' \
		"$$$$(cat $(LAYOUT_SEED))")
	$$(Q)$(PY) tests/support/layout.py $(LAYOUT_FLAGS) \
		$(addprefix --seed-file ,$(LAYOUT_SEED)) $(1).objects $$@
endef

# The same guest in another directory, for images that must be the same, and
# in pieces; from the configuration of this one
define other_build
	@mkdir -p $(O)/$(1)
	@{ cat $(O)/.config; $(foreach option,$(2),echo $(option)=y;) } \
		> $(O)/$(1)/.config
	+@$(MAKE) O=$(O)/$(1) olddefconfig
	+@$(MAKE) $(PARALLEL) O=$(O)/$(1) $(3)
endef
PIECES := $(addprefix $(O)/pieces/guest/,bench.debug test.debug)

randomize-check: $(O)/guest/bench.lds ## images of seeds: same, and unrelated
	$(call other_build,other,,$(O)/other/guest/bench.lds)
	$(call run_long,$@) -- $(PY) tests/support/test_layout.py \
		--link '$(CC) $(LDFLAGS_guest)' --options '$(LAYOUT_FLAGS)' \
		$(O) $(O)/other bench
pieces-check: $(O)/.config ## images in pieces are right wherever they go
	$(call other_build,pieces,CONFIG_UKPLAT_RANDOM_LIBRARIES \
		CONFIG_UKPLAT_RANDOM_FUNCTIONS,guest)
	$(call run_long,$@) -- $(PY) tests/support/test_payload.py $(PIECES)
symbols-check: pieces-check ## GDB finds functions of images in pieces
	$(call run_long,$@) -- $(PY) tests/support/test_symbols.py $(PIECES)
.PHONY: randomize-check pieces-check symbols-check
