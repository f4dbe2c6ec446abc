# SPDX-License-Identifier: BSD-3-Clause
# The part of Unikraft's build language that the Makefile.uk files use.
#
#   $(call import_lib,dir)          reads dir/Makefile.uk
#   $(call addlib_s,libx,y)         names a library; sets LIBX_BASE
#   CINCLUDES-y, CFLAGS-y, ASFLAGS-y, LDFLAGS-y              of the whole image
#   LIBX_SRCS-y, LIBX_CINCLUDES-y, LIBX_CFLAGS-y, LIBX_ASFLAGS-y   of one
#     library; a source may end in |isr, which changes nothing here because
#     the whole guest is built without vector registers
#   LIBX_OBJS-y                     objects that rules of their own build
#
# exportsyms.uk is read by Unikraft's build only.

# Libraries of the image, in the order of their import
UK_LIBS :=

uk_upper = $(shell printf '%s' '$(1)' | tr 'a-z-' 'A-Z_')

define import_lib
IMPORT_BASE := $(patsubst ./%,%,$(1))
include $(patsubst ./%,%,$(1))/Makefile.uk
undefine IMPORT_BASE
endef

define addlib
$(call uk_upper,$(1))_BASE := $(IMPORT_BASE)
$(call uk_upper,$(1))_BUILD := $(O)/guest/$(IMPORT_BASE)
UK_LIBS += $(1)
endef

define addlib_s
$(call uk_upper,$(1))_BASE := $(IMPORT_BASE)
$(call uk_upper,$(1))_BUILD := $(O)/guest/$(IMPORT_BASE)
UK_LIBS += $(if $(filter y,$(2)),$(1))
endef

# Sources without the suffix for the variant; sources of a library
uk_plain = $(foreach src,$(1),\
	$(patsubst ./%,%,$(firstword $(subst |, ,$(src)))))
uk_srcs = $(call uk_plain,$($(call uk_upper,$(1))_SRCS-y))

# An object lies below the build directory where its source lies in the tree
uk_objs = $(addsuffix .o,$(basename $(addprefix $(O)/$(1)/,$(2))))
