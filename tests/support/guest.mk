# SPDX-License-Identifier: BSD-3-Clause
# The guest: one image per program, each with every library of the guest.

CFLAGS_guest := -std=gnu11 -g -O2 -ffreestanding -fpie -mgeneral-regs-only \
	-mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-strict-aliasing $(LAYOUT_CFLAGS) $(CFLAGS-y)
GUEST_INCLUDE := $(shell $(CC) -print-file-name=include 2>/dev/null)
CPPFLAGS_guest := -nostdinc -isystem $(GUEST_INCLUDE) \
	-I$(O)/include $(CINCLUDES-y)
ASFLAGS_guest := -g -fpie -mno-red-zone $(ASFLAGS-y)
LDFLAGS_guest := $(LAYOUT_LDFLAGS) $(LDFLAGS-y)
$(eval $(call variant,guest))

# A library's own flags, for exactly its objects
define guest_lib
OBJS_$(1) := $(call uk_objs,guest,$(filter %.c %.S,$(call uk_srcs,$(1))))
LDS_$(1) := $(patsubst %.S,$(O)/guest/%,$(filter %.lds.S,$(call uk_srcs,$(1))))
OBJS_$(1) := $$(filter-out $$(LDS_$(1):=.o),$$(OBJS_$(1)))
$$(OBJS_$(1)) $$(LDS_$(1)): OBJ_CPPFLAGS := \
	$$($(call uk_upper,$(1))_CINCLUDES-y)
$$(OBJS_$(1)): OBJ_CFLAGS := $$($(call uk_upper,$(1))_CFLAGS-y)
$$(OBJS_$(1)): OBJ_ASFLAGS := $$($(call uk_upper,$(1))_ASFLAGS-y)
OBJS_$(1) += $$($(call uk_upper,$(1))_OBJS-y)
endef
$(foreach lib,$(UK_LIBS),$(eval $(call guest_lib,$(lib))))

# Libraries below tests/guest and bench/guest are programs, the loader is an
# image of its own, the rest is common
lib_base = $($(call uk_upper,$(1))_BASE)
GUEST_PROGRAM_LIBS := $(foreach lib,$(UK_LIBS),\
	$(if $(filter tests/% bench/%,$(call lib_base,$(lib))),$(lib)))
GUEST_LIBS := $(filter-out $(GUEST_PROGRAM_LIBS) libukloader,$(UK_LIBS))
GUEST_OBJS := $(foreach lib,$(GUEST_LIBS),$(OBJS_$(lib)))

LDFLAGS_loader := -nostdlib -static -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=0x1000 -Wl,--build-id=none \
	-Wl,--no-warn-rwx-segments
LOADER_PAYLOAD_OBJ := $(filter %/payload.o,$(OBJS_libukloader))
LOADER_HEADER_OBJ := $(filter %/multiboot1.o,$(OBJS_libukloader))
LOADER_OBJS := $(filter-out $(LOADER_PAYLOAD_OBJ) $(LOADER_HEADER_OBJ),\
	$(OBJS_libukloader)) \
	$(call uk_objs,guest,$(call uk_plain,$(LIBUKLOADER_SHARED-y)))
LOADER_SRC := $(patsubst $(O)/guest/%.o,%.S,$(LOADER_PAYLOAD_OBJ))

# Loader $(1) with payload object $(2), further objects $(3)
define loader_image
$(1): $(LOADER_OBJS) $(2) $(3) $(LDS_libukloader) $(O)/guest/ldflags
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(LDFLAGS_loader) -Wl,-T,$(LDS_libukloader) -o $$@ \
		$(LOADER_OBJS) $(2) $(3)
endef

# bench/guest becomes bench.elf, tests/guest becomes test.elf: a loader with
# its payload. test.debug has the symbols, test.app is for other loaders,
# test.mb1.elf is for multiboot 1.
image_of = $(O)/guest/$(patsubst tests,test,$(firstword \
	$(subst /, ,$(call lib_base,$(1)))))

define guest_image
IMAGES += $(1).elf
$(call layout_image,$(1),$(GUEST_LIBS) $(2))

$(1).debug: $(1).lds $(O)/guest/flags $(O)/guest/ldflags
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(LDFLAGS_guest) -Wl,-T,$(1).lds -o $$@ \
		$(GUEST_OBJS) $(OBJS_$(2))

$(1).app: $(1).debug $(PAYLOAD_PY)
	$$(call say,APP,$$@)
	$$(Q)$(PY) tests/support/payload.py $$< $$@

$(1).payload.o: $(LOADER_SRC) $(1).app
	$$(call say,AS,$$@)
	$$(Q)$(CC) -DLOADER_PAYLOAD='"$(1).app"' -c -o $$@ $$<

$(call loader_image,$(1).elf,$(1).payload.o)
$(call loader_image,$(1).mb1.elf,$(1).payload.o,$(LOADER_HEADER_OBJ))
endef
comma := ,
IMAGES :=
$(foreach lib,$(GUEST_PROGRAM_LIBS),\
	$(eval $(call guest_image,$(call image_of,$(lib)),$(lib))))
$(eval $(call remember,$(O)/guest/ldflags,\
	$(CC) $(LDFLAGS_guest) $(LDFLAGS_loader)))

# A loader that takes its image as a module
LOADER := $(O)/guest/loader.elf
$(O)/guest/empty.app:
	@mkdir -p $(@D)
	@: > $@
$(O)/guest/loader.payload.o: $(LOADER_SRC) $(O)/guest/empty.app
	$(call say,AS,$@)
	$(Q)$(CC) -DLOADER_PAYLOAD='"$(O)/guest/empty.app"' -c -o $@ $<
$(eval $(call loader_image,$(LOADER),$(O)/guest/loader.payload.o))
$(eval $(call loader_image,$(LOADER:.elf=.mb1.elf),\
	$(O)/guest/loader.payload.o,$(LOADER_HEADER_OBJ)))
IMAGES += $(LOADER)

guest: $(IMAGES) ## build/guest/bench.elf and test.elf, images for QEMU
guest-lib: $(OBJS_libukallocrnd)
.PHONY: guest guest-lib
