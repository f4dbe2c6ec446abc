# SPDX-License-Identifier: BSD-3-Clause
# The guest: one image per program, each with every library of the guest.

CFLAGS_guest := -std=gnu11 -g -O2 -ffreestanding -fpie -mgeneral-regs-only \
	-mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -fno-strict-aliasing $(CFLAGS-y)
GUEST_INCLUDE := $(shell $(CC) -print-file-name=include 2>/dev/null)
CPPFLAGS_guest := -nostdinc -isystem $(GUEST_INCLUDE) \
	-I$(O)/include $(CINCLUDES-y)
ASFLAGS_guest := -g -fpie -mno-red-zone $(ASFLAGS-y)
LDFLAGS_guest := -nostdlib -static-pie -Wl,--no-dynamic-linker \
	-Wl,-z,noexecstack -Wl,-z,max-page-size=0x1000 -Wl,--build-id=none \
	-Wl,-z,norelro -Wl,--no-warn-rwx-segments $(LDFLAGS-y)
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
endef
$(foreach lib,$(UK_LIBS),$(eval $(call guest_lib,$(lib))))

# Libraries below tests/guest and bench/guest are programs, the rest is common
lib_base = $($(call uk_upper,$(1))_BASE)
GUEST_PROGRAM_LIBS := $(foreach lib,$(UK_LIBS),\
	$(if $(filter tests/% bench/%,$(call lib_base,$(lib))),$(lib)))
GUEST_LIBS := $(filter-out $(GUEST_PROGRAM_LIBS),$(UK_LIBS))
GUEST_OBJS := $(foreach lib,$(GUEST_LIBS),$(OBJS_$(lib)))
GUEST_LDS := $(foreach lib,$(GUEST_LIBS),$(LDS_$(lib)))

# bench/guest becomes bench.elf, tests/guest becomes test.elf
image_of = $(O)/guest/$(patsubst tests,test,$(firstword \
	$(subst /, ,$(call lib_base,$(1))))).elf

define guest_image
IMAGES += $(call image_of,$(1))
$(call image_of,$(1)): $(GUEST_OBJS) $(OBJS_$(1)) $(GUEST_LDS) \
		$(O)/guest/flags $(O)/guest/ldflags
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(LDFLAGS_guest) $(addprefix -Wl$(comma)-T$(comma),\
		$(GUEST_LDS)) -o $$@ $(GUEST_OBJS) $(OBJS_$(1))
endef
comma := ,
IMAGES :=
$(foreach lib,$(GUEST_PROGRAM_LIBS),$(eval $(call guest_image,$(lib))))
$(eval $(call remember,$(O)/guest/ldflags,$(CC) $(LDFLAGS_guest)))

guest: $(IMAGES) ## build/guest/bench.elf and test.elf, images for QEMU
guest-lib: $(OBJS_libukallocrnd)
.PHONY: guest guest-lib
