# SPDX-License-Identifier: BSD-3-Clause
# The guest's benchmark in full, comparison of two results, and the page:
# bench/README.md.
#
#   QUICK=1  of bench-guest: few of everything
#   ALLOCS   of bench-guest: names of those that take part; default: all
#   A, B     of bench-compare: results before and after
#   BOUND    of bench-compare: percent that a figure may be worse
#   FROM     of report: a result file; default: the newest

BENCHGUEST_OUT := $(O)/benchguest
BENCHGUEST := $(PY) tests/support/benchguest.py --out $(O) --cc $(CC) \
	--machine $(MACHINE)

bench-guest: setup-run ## all profiles, exact and parallel; QUICK=1
	@$(MIMALLOC_FETCH) || :
	@$(MAKE) $(QEMU_EVENTS)
	$(Q)$(BENCHGUEST) --plugin $(QEMU_EVENTS) --jobs $(JOBS) \
		$(if $(QUICK),--quick) --allocs '$(ALLOCS)'
bench-guest-check: $(O)/guest/bench.elf $(QEMU_EVENTS)
bench-guest-check: ## exact results are always the same
	$(call run_long,$@) -- $(PY) tests/support/benchguest_check.py \
		--quick --plugin $(QEMU_EVENTS) --qemu10 $(QEMU10) $<
.PHONY: bench-guest bench-guest-check

BOUND ?= 1
bench-compare: ## fails if exact figures of B are worse than those of A
	$(Q)[ -n "$(A)" ] && [ -n "$(B)" ] || { \
		echo 'usage: make bench-compare A=file B=file [BOUND=1]' >&2; \
		exit 2; }
	$(Q)$(PY) tests/support/benchguest_compare.py --bound $(BOUND) \
		$(A) $(B)
bench-compare-check: ## planted regressions and missing results are found
	$(call run_command,$@) -- $(PY) -m unittest discover \
		-s tests/support -p 'test_bench*.py'
.PHONY: bench-compare bench-compare-check

REPORT := $(PY) tests/support/benchpage.py --out $(O)
report: setup-report ## a page with pictures of the newest bench-guest
	$(Q)$(REPORT) $(if $(FROM),$(FROM),$(BENCHGUEST_OUT)/results.jsonl)
report-check: ## the page in a browser: phone, desktop, nothing from outside
	$(call run_long,$@) -- $(PY) tests/support/benchpage_check.py \
		--out $(O)/report-check
setup-report:
	@tests/support/setup.sh report
.PHONY: report report-check setup-report
