# SPDX-License-Identifier: BSD-3-Clause
# mimalloc for the guest's benchmark: fetched below $(PORTS), compiled twice,
# plain and secure, each variant one object that shows nothing but what
# bench/ports/mimalloc/uk_mimalloc.h names. Nothing of it is in the repository.

MIMALLOC_PORT := bench/ports/mimalloc
MIMALLOC_DIR := $(PORTS)/mimalloc

MIMALLOC_FETCH := $(MIMALLOC_PORT)/fetch.sh $(MIMALLOC_DIR)

mimalloc: ## fetch mimalloc's source from Debian, for bench.elf
	@$(MIMALLOC_FETCH)
.PHONY: mimalloc

ifneq ($(MIMALLOC_SOURCE),)
# Headers of the system that upstream names, empty: port.h comes before them,
# and those of the compiler and of the guest are found first
MIMALLOC_HEADERS := $(addprefix $(MIMALLOC_DIR)/include/,ctype.h fcntl.h \
	features.h limits.h pthread.h time.h unistd.h $(addprefix sys/,mman.h \
	resource.h stat.h syscall.h types.h))
$(MIMALLOC_HEADERS):
	@mkdir -p $(@D)
	@: > $@

# As upstream's release build, as far as a guest can be; its warnings are its
# own. No vector registers, but upstream compares a time with 0.0 once at its
# start, which takes the x87 unit.
MIMALLOC_CPPFLAGS := -I$(MIMALLOC_PORT) -idirafter $(MIMALLOC_DIR)/include \
	-I$(MIMALLOC_DIR)/source -I$(MIMALLOC_DIR)/source/include \
	-I$(MIMALLOC_DIR)/source/src -DNDEBUG -DMI_NO_GETENV
MIMALLOC_CFLAGS := $(filter-out -mgeneral-regs-only,$(CFLAGS_guest)) \
	-mno-mmx -mno-sse -O3 -fbuiltin -fno-builtin-malloc \
	-ftls-model=local-exec -Wall -Wno-unused-function \
	$(if $(CC_IS_CLANG),-Wno-static-in-inline)
$(eval $(call remember,$(O)/guest/mimalloc.flags,\
	$(MIMALLOC_CPPFLAGS) $(MIMALLOC_CFLAGS)))

# Variant $(1), symbols begin with $(2), further flags $(3)
define mimalloc_variant
MIMALLOC_OBJS_$(1) := $(addprefix $(O)/guest/$(MIMALLOC_PORT)/$(1)/,\
	alloc.o unit.o test-api.o)
$(O)/guest/$(MIMALLOC_PORT)/$(1)/%.o: $(MIMALLOC_PORT)/%.c \
		$(O)/guest/flags $(O)/guest/mimalloc.flags \
		$(MIMALLOC_HEADERS) | $(CONFIG_H)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) -MMD -MP $(MIMALLOC_CPPFLAGS) $(CPPFLAGS_guest) \
		$(MIMALLOC_CFLAGS) $(3) \
		-DUKMI_INIT=$(2)_init -DUKMI_COLLECT=$(2)_collect \
		-DUKMI_CHECK=$(2)_check \
		-include port.h -c -o $$@ $$<
$(O)/guest/$(MIMALLOC_PORT)/$(1)/test-api.o: \
		$(MIMALLOC_DIR)/source/test/test-api.c $(O)/guest/flags \
		$(O)/guest/mimalloc.flags $(MIMALLOC_HEADERS) | $(CONFIG_H)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) -MMD -MP $(MIMALLOC_CPPFLAGS) $(CPPFLAGS_guest) \
		$(MIMALLOC_CFLAGS) $(3) \
		-Dmain=ukmi_api_test -include port.h -c -o $$@ $$<
$(O)/guest/bench/guest/$(1).o: $$(MIMALLOC_OBJS_$(1))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(LD) -r -o $$@ $$^
	$$(Q)$(OBJCOPY) --keep-global-symbol=$(2)_init \
		--keep-global-symbol=$(2)_collect \
		--keep-global-symbol=$(2)_check $$@
endef
OBJCOPY ?= objcopy
$(eval $(call mimalloc_variant,mimalloc,uk_mimalloc,-DMI_SECURE=0))
$(eval $(call mimalloc_variant,mimalloc_secure,uk_mimalloc_secure,\
	-DMI_SECURE=4))
endif
