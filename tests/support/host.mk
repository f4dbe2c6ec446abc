# SPDX-License-Identifier: BSD-3-Clause
# Linux: the library as objects and as libukallocrnd.so.

RND_BASE := lib/ukallocrnd
RND_CORE_SRCS := $(filter-out $(call uk_plain,$(LIBUKALLOCRND_PORT_UK_SRCS-y)),\
	$(call uk_srcs,libukallocrnd))
RND_HOST_SRCS := $(call uk_srcs,libukalloc) $(RND_CORE_SRCS) \
	$(LIBUKALLOCRND_HOST_SRCS-y)
PRELOAD_SRCS := $(RND_HOST_SRCS) $(LIBUKALLOCRND_PRELOAD_SRCS-y)

HOST_CPPFLAGS := -D_GNU_SOURCE -Iinclude -I$(O)/include \
	-Ilib/ukalloc/include -Ilib/ukvmem/include \
	-I$(RND_BASE)/include -I$(RND_BASE) -I$(RND_BASE)/host
HOST_CFLAGS := -std=gnu11 -g -pthread $(if $(CC_IS_CLANG),-Wthread-safety)

CPPFLAGS_host := $(HOST_CPPFLAGS)
CFLAGS_host := $(HOST_CFLAGS) -O2
CPPFLAGS_preload := $(HOST_CPPFLAGS)
CFLAGS_preload := $(HOST_CFLAGS) -O2 -fPIC -fvisibility=hidden \
	-fno-builtin-malloc -fno-builtin-calloc -fno-builtin-free

SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZE_tsan := -fsanitize=thread
CPPFLAGS_asan := $(HOST_CPPFLAGS)
CFLAGS_asan := $(HOST_CFLAGS) -O1 -fno-omit-frame-pointer $(SANITIZE_asan)
CPPFLAGS_tsan := $(HOST_CPPFLAGS)
CFLAGS_tsan := $(HOST_CFLAGS) -O1 -fno-omit-frame-pointer $(SANITIZE_tsan)
CPPFLAGS_valgrind := $(HOST_CPPFLAGS) -DRND_TEST_SLOW
CFLAGS_valgrind := $(HOST_CFLAGS) -O1

HOST_VARIANTS := host preload asan tsan valgrind
$(foreach v,$(HOST_VARIANTS),$(eval $(call variant,$(v))))

LIBRARY := $(O)/host/libukallocrnd.so
PRELOAD_OBJS := $(call uk_objs,preload,$(PRELOAD_SRCS))

preload: $(LIBRARY) ## build/host/libukallocrnd.so, the malloc family for Linux
.PHONY: preload

PRELOAD_MAP := $(RND_BASE)/host/preload.map

$(LIBRARY): $(PRELOAD_OBJS) $(PRELOAD_MAP) $(O)/preload/flags
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -shared -pthread -static-libgcc -Wl,-z,now -Wl,-z,relro \
		-Wl,-z,defs \
		-Wl,-z,nodelete -Wl,--version-script=$(PRELOAD_MAP) \
		-o $@ $(PRELOAD_OBJS)
