# SPDX-License-Identifier: BSD-3-Clause
# Generated misuse, fuzzing, and the model test at length.

# Programs with one error each, N of them, the first one made of SEED
N ?= 1000
SEED ?= 1
MISUSE := $(O)/host/misuse
MISUSE_SRCS := $(sort $(wildcard tests/misuse/*.c)) tests/model/object.c
MISUSE_OBJS := $(call uk_objs,host,$(MISUSE_SRCS))

$(O)/host/tests/misuse/%.o: OBJ_CPPFLAGS := -Itests/model
$(O)/host/tests/misuse/%.o: OBJ_CFLAGS := -fno-builtin
$(MISUSE): $(MISUSE_OBJS) $(O)/host/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -o $@ $(filter %.o,$^)

misuse: $(MISUSE) $(LIBRARY) ## generated misuse: N=10000 programs from SEED=1
	$(Q)$(RUN) --timeout 3000 command $@ -- $(PY) tests/misuse/run.py \
		--count $(N) --seed $(SEED) --jobs $(RUN_JOBS) \
		--library $(LIBRARY) --config $(O)/.config \
		$(if $(CRIME),--crime $(CRIME)) $<
.PHONY: misuse

# Fuzz targets, each with and without libFuzzer. The malloc family of the
# library gets other names, lest it becomes that of the fuzzer.
F ?=
TIME ?= 60
FUZZ_CC ?= clang
FUZZ_SANITIZE ?= address,undefined
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,\
	$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_CHOSEN := $(or $(filter $(F),$(FUZZ_TARGETS)),$(FUZZ_TARGETS))
FUZZ_SRCS := tests/fuzz/caught.c tests/misuse/actor.c tests/model/object.c
FUZZ_SRCS_ops := tests/fuzz/world.c tests/fuzz/world_ops.c
FUZZ_SRCS_pointers := $(FUZZ_SRCS_ops)
FUZZ_SRCS_sizes := tests/fuzz/asks_uk.c tests/fuzz/asks_pre.c
# Instead of the library
IMAGE_SRCS := $(addprefix plat/common/loader/,\
		image.c pieces.c fixup.c relocate.c sha256.c) \
	tests/unit/fixture_image.c tests/unit/fixture_pieces.c \
	tests/fuzz/image_run.c tests/fuzz/image_mutate.c tests/model/object.c
FUZZ_ONLY_image := $(IMAGE_SRCS)
FUZZ_CPPFLAGS := $(HOST_CPPFLAGS) -Itests/model
FUZZ_CFLAGS := -std=gnu11 -g -pthread -O1 -fno-omit-frame-pointer \
	-fvisibility=hidden -fno-builtin-malloc -fno-builtin-calloc \
	-fno-builtin-free -fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE) \
	-fno-sanitize-coverage=trace-cmp
FUZZ_WRAP := -Wl,--wrap=rnd_report -Wl,--wrap=rnd_port_abort

$(eval $(call remember,$(O)/fuzz/flags,\
	$(FUZZ_CC) $(FUZZ_CPPFLAGS) $(FUZZ_CFLAGS)))
$(O)/fuzz/%.o: %.c $(O)/fuzz/flags | $(CONFIG_H)
	$(call say,FUZZCC,$@)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -MMD -MP $(FUZZ_CPPFLAGS) $(FUZZ_CFLAGS) $(WARNINGS) \
		-c -o $@ $<
$(O)/preload/tests/%.o: OBJ_CPPFLAGS := -Itests/model
$(O)/asan/tests/fuzz/%.o: OBJ_CPPFLAGS := -Itests/model

# Objects of kind $(1) that target $(2) is linked with
fuzz_objs = $(call uk_objs,$(1),tests/fuzz/fuzz_$(2).c) \
	$(if $(FUZZ_ONLY_$(2)),$(call uk_objs,$(1),$(FUZZ_ONLY_$(2))),\
		$(call fuzz_library,$(1),$(FUZZ_SRCS_$(2))))
fuzz_library = $(call uk_objs,$(1),$(2) $(FUZZ_SRCS) $(RND_HOST_SRCS)) \
	$(patsubst %.o,%.renamed,\
		$(call uk_objs,$(1),$(LIBUKALLOCRND_PRELOAD_SRCS-y)))
define fuzz_kind
$(O)/$(1)/preload.syms: $(call uk_objs,$(1),$(LIBUKALLOCRND_PRELOAD_SRCS-y))
	$(Q)readelf -sW $$^ | awk '$$$$5 == "GLOBAL" && $$$$6 == "DEFAULT" && \
		$$$$7 != "UND" { print $$$$8, "pre_" $$$$8 }' | sort -u > $$@
$(O)/$(1)/%.renamed: $(O)/$(1)/%.o $(O)/$(1)/preload.syms
	$(Q)objcopy --redefine-syms=$(O)/$(1)/preload.syms $$< $$@
endef
$(foreach kind,fuzz preload,$(eval $(call fuzz_kind,$(kind))))

define fuzz_target
$(O)/fuzz/$(1): $(call fuzz_objs,fuzz,$(1)) $(O)/fuzz/flags
	$$(call say,LD,$$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer $(FUZZ_WRAP) -o $$@ \
		$$(filter %.o %.renamed,$$^)
$(O)/preload/replay-$(1): $(call fuzz_objs,preload,$(1)) \
		$(O)/preload/tests/fuzz/replay.o $(O)/preload/flags
	$$(call say,LD,$$@)
	$(Q)$(CC) $(CFLAGS_preload) $(FUZZ_WRAP) -o $$@ \
		$$(filter %.o %.renamed,$$^)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_target,$(t))))

fuzz: $(addprefix $(O)/fuzz/,$(FUZZ_CHOSEN)) ## fuzz, TIME=60 s each; F=ops
	$(Q)$(PY) tests/fuzz/corpus.py --out $(O)/fuzz fuzz --time $(TIME) \
		$(FUZZ_CHOSEN)
fuzz-keep: $(addprefix $(O)/fuzz/,$(FUZZ_CHOSEN)) ## minimise the corpus
	$(Q)$(PY) tests/fuzz/corpus.py --out $(O)/fuzz keep $(FUZZ_CHOSEN)
fuzz-replay: $(addprefix $(O)/preload/replay-,$(FUZZ_TARGETS)) ## known inputs
	$(call run_command,$@) -- $(PY) tests/fuzz/corpus.py --out \
		$(O)/preload replay $(FUZZ_TARGETS)
.PHONY: fuzz fuzz-keep fuzz-replay

# Images for the loader with random mistakes, under ASan and UBSan
MUTANT_IMAGES ?= 10000
IMAGE_MUTANTS := $(O)/asan/image-mutants
$(IMAGE_MUTANTS): $(call uk_objs,asan,tests/fuzz/image_mutants.c \
		$(IMAGE_SRCS)) $(O)/asan/flags
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_asan) -o $@ $(filter %.o,$^)
IMAGE_PAYLOADS := $(O)/guest/test.app $(O)/guest/bench.app
image-mutants: $(IMAGE_MUTANTS) $(IMAGE_PAYLOADS) ## 10,000 damaged images
	$(call run_command,$@) -- $< $(MUTANT_IMAGES) $(IMAGE_PAYLOADS)
.PHONY: image-mutants

# A round of the model test has 40,000 operations, and it has two parts
OPS ?= 100000000
MODEL := $(O)/host/tests/model/model_alloc
model-long: $(MODEL) ## the model test with OPS=100000000 operations
	$(Q)$(RUN) --stream --timeout 36000 command $@ -- $(MODEL) $(SEED) \
		$$(( ($(OPS) + 79999) / 80000 ))
.PHONY: model-long
