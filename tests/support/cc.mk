# SPDX-License-Identifier: BSD-3-Clause
# How a C file becomes an object, for every kind of build ("variant").
#
# Each variant has a directory below $(O) and CPPFLAGS_<variant>,
# CFLAGS_<variant>. Objects are rebuilt when a header, the compiler or a flag
# changes. V=1 prints the commands.

CC	?= gcc
ifeq ($(origin CC),default)
CC	:= gcc
endif
CC_IS_CLANG := $(findstring clang,$(notdir $(CC)))

WARNINGS := -Wall -Wextra -Wundef -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wvla -Wconversion \
	-Werror
CONFIG_H := $(O)/include/uk/config.h

Q := $(if $(V),,@)
say = @printf '  %-7s %s\n' '$(1)' '$(2)'

.PHONY: FORCE
FORCE:

# Text $(2) in file $(1), which is touched only if the text is new
define remember
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(2)' | cmp -s - $$@ || printf '%s\n' '$(2)' > $$@
endef

define variant
$(eval $(call remember,$(O)/$(1)/flags,\
	$(CC) $(CPPFLAGS_$(1)) $(CFLAGS_$(1)) $(ASFLAGS_$(1))))

$(O)/$(1)/%.o: %.c $(O)/$(1)/flags | $(CONFIG_H)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) -MMD -MP $$(OBJ_CPPFLAGS) $(CPPFLAGS_$(1)) $(CFLAGS_$(1)) \
		$(WARNINGS) $$(OBJ_CFLAGS) -c -o $$@ $$<

$(O)/$(1)/%.o: %.S $(O)/$(1)/flags | $(CONFIG_H)
	$$(call say,AS,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) -MMD -MP -D__ASSEMBLY__ $$(OBJ_CPPFLAGS) $(CPPFLAGS_$(1)) \
		$(ASFLAGS_$(1)) $$(OBJ_ASFLAGS) -c -o $$@ $$<

$(O)/$(1)/%.lds: %.lds.S $(O)/$(1)/flags | $(CONFIG_H)
	$$(call say,LDS,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(CC) -E -P -x assembler-with-cpp -MMD -MP -MT $$@ \
		-MF $$@.d -D__ASSEMBLY__ $$(OBJ_CPPFLAGS) $(CPPFLAGS_$(1)) \
		-o $$@ $$<
endef

# Header dependencies that earlier runs of the compiler wrote
DEPS := $(shell find $(O) -name '*.d' 2>/dev/null)
-include $(DEPS)
