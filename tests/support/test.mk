# SPDX-License-Identifier: BSD-3-Clause
# Test programs and suites. Results go to $(O)/results, one file a suite;
# run.py prints them and adds them up.

ifdef BUILDING
include $(O)/tests.mk
endif

TEST_DIRS := $(wildcard tests/unit tests/model tests/stat tests/race)
TEST_FILES := $(wildcard $(addsuffix /*.c,$(TEST_DIRS)))
$(O)/tests.mk: $(TEST_DIRS) $(TEST_FILES) tests/support/testmk.py
	@mkdir -p $(@D)
	$(Q)$(PY) tests/support/testmk.py > $@.new && mv $@.new $@

# Program $(2) of variant $(1)
define test_program
$(O)/$(1)/$(2).o: OBJ_CPPFLAGS := $(CPPFLAGS_$(2))
$(O)/$(1)/$(2): $(call uk_objs,$(1),$(2).c $(patsubst @library,\
		$(RND_HOST_SRCS),$(LINKS_$(2)))) $(O)/$(1)/flags
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(CFLAGS_$(1)) -o $$@ $$(filter %.o,$$^) -lcmocka -lm
endef
TESTS := $(TESTS_unit) $(TESTS_model) $(TESTS_stat) $(TESTS_race)
TEST_VARIANTS := host asan tsan valgrind
$(foreach v,$(TEST_VARIANTS),$(foreach t,$(TESTS),\
	$(eval $(call test_program,$(v),$(t)))))

# Programs of the suites $(2) in variant $(1): those with T in their name that
# test a source below OF, or include what they test
has_name = $(if $(T),$(findstring $(T),$(notdir $(1))),y)
has_source = $(if $(OF),$(or $(filter @library $(OF)%,$(LINKS_$(1))),\
	$(if $(filter-out tests/%,$(LINKS_$(1))),,y)),y)
is_chosen = $(and $(call has_name,$(1)),$(call has_source,$(1)))
programs = $(addprefix $(O)/$(1)/,$(foreach s,$(2),$(foreach t,$(TESTS_$(s)),\
	$(if $(call is_chosen,$(t)),$(t)))))

RUN_JOBS ?= $(JOBS)
RUN := $(PY) tests/support/run.py --out $(O) --jobs $(RUN_JOBS)
run_command = $(Q)$(RUN) command $(1)
run_long = $(Q)$(RUN) --stream --timeout 1500 command $(1)

# Suite $(1): builds the programs $(2), those that can be, and runs them all
PARALLEL := $(if $(MAKELEVEL:0=),,-j$(JOBS))
define run_programs
	+@$(MAKE) -k $(PARALLEL) $(2) || :
	$(Q)$(RUN) $(3) programs $(1) $(2)
endef

unit: ## unit tests; T=slab takes a part, OF=plat/ another
	$(call run_programs,$@,$(call programs,host,unit))
model: ## random operations against a reference
	$(call run_programs,$@,$(call programs,host,model))
stat: ## randomness of slots and bases
	$(call run_programs,$@,$(call programs,host,stat))
race: ## threads, plain and under ThreadSanitizer
	$(call run_programs,$@,$(call programs,tsan,race model) \
		$(call programs,host,race))
asan: ## unit and model tests under ASan and UBSan
	$(call run_programs,$@,$(call programs,asan,unit model))
valgrind: ## unit tests under memcheck
	$(call run_programs,$@,$(call programs,valgrind,unit),--valgrind)
sanitize: asan race valgrind ## all three of them
.PHONY: unit model stat race asan valgrind sanitize
