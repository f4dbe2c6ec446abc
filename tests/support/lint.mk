# SPDX-License-Identifier: BSD-3-Clause
# Form and static analysis.

C_FILES := $(shell find include lib plat tests bench -name '*.[ch]')

format: ## rewrite the C files with clang-format
	$(Q)clang-format -i --style=file $(C_FILES)
format-check: ## fail if clang-format would change a file
	$(call run_command,$@) -- $(PY) tests/lint/check_format.py

LINTS := layers pairs text docs sources
LINT_GOALS := $(addprefix lint-,$(LINTS)) lint-headers lint-selftest
lint: $(LINT_GOALS) ## rules of the tree
$(addprefix lint-,$(LINTS)): lint-%:
	$(call run_command,$@) -- $(PY) tests/lint/check_$*.py
lint-headers: $(O)/guest/flags $(O)/host/flags $(CONFIG_H)
	$(call run_command,$@) -- $(PY) tests/lint/check_headers.py \
		$(O)/guest/flags $(O)/host/flags
lint-selftest:
	$(call run_command,$@) -- $(PY) tests/lint/test_lints.py
unikraft-check: ## the port to Unikraft against a statement of its contract
	$(call run_command,$@) -- env CC=$(CC) $(PY) \
		tests/lint/check_unikraft.py
.PHONY: format format-check lint $(LINT_GOALS) unikraft-check

# clang-tidy: once per file and change; the object stands for its headers. Its
# static analyzer takes nearly all of the time: tests do without, they are run.
TIDY_HOST_SRCS := $(sort $(PRELOAD_SRCS) $(addsuffix .c,$(TESTS)))
TIDY_GUEST_SRCS := $(sort $(filter %.c,$(foreach lib,$(UK_LIBS),\
	$(filter-out $(TIDY_HOST_SRCS),$(call uk_srcs,$(lib))))))
ifneq ($(filter tidy-files,$(MAKECMDGOALS)),)
CLANG_INCLUDE := $(shell clang -print-file-name=include 2>/dev/null)
endif

define tidy_file
$(O)/tidy/$(2).ok: $(O)/$(1)/$(2:.c=.o) .clang-tidy
	$$(call say,TIDY,$(2))
	@mkdir -p $$(@D)
	$$(Q)clang-tidy --quiet $(if $(filter tests/%,$(2)),\
		"--checks=-clang-analyzer-*") $(2) -- $(TIDY_FLAGS_$(1)) \
		$(3) 2>$$@.err || { cat $$@.err; false; }
	@touch $$@
endef
TIDY_FLAGS_host := $(CPPFLAGS_host) $(CFLAGS_host)
TIDY_FLAGS_guest := $(subst $(GUEST_INCLUDE),$(CLANG_INCLUDE),\
	$(CPPFLAGS_guest)) $(CFLAGS_guest)
$(foreach f,$(TIDY_HOST_SRCS),$(eval $(call tidy_file,host,$(f),\
	$(CPPFLAGS_$(f:.c=)))))
$(foreach lib,$(UK_LIBS),$(foreach f,$(filter $(TIDY_GUEST_SRCS),\
	$(call uk_srcs,$(lib))),$(eval $(call tidy_file,guest,$(f),\
	$($(call uk_upper,$(lib))_CINCLUDES-y)))))

tidy-files: $(patsubst %,$(O)/tidy/%.ok,$(TIDY_HOST_SRCS) $(TIDY_GUEST_SRCS))
tidy: ## clang-tidy
	$(call run_long,$@) -- make -k -j$(RUN_JOBS) \
		O=$(O) CC=$(CC) tidy-files
cppcheck: $(CONFIG_H) ## cppcheck
	$(call run_command,$@) -- cppcheck -q -j$(JOBS) --std=c11 \
		--enable=warning,style,performance,portability \
		--inline-suppr --error-exitcode=1 \
		--suppressions-list=tests/lint/cppcheck.txt \
		-itests/unikraft/app \
		$(HOST_CPPFLAGS) $(CINCLUDES-y) \
		$(wildcard include lib plat tests bench)
.PHONY: tidy tidy-files cppcheck

check: format-check lint tidy cppcheck unit ## quick checks before a commit
.PHONY: check
