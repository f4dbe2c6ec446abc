# SPDX-License-Identifier: BSD-3-Clause
# Booting guests, and the two commands of README.md: run and test.
#
#   ALLOCS   of run: names of the allocators that take part; default: all

SMP ?= 4
MACHINE ?= q35
QEMU10 := $(O)/qemu10/bin/qemu-system-x86_64

BENCH_PAIR := $(O)/host/bench/host/pair
BENCH_FILES := $(O)/guest/bench.elf $(BENCH_PAIR) $(LIBRARY)

run: setup-run ## boot the benchmark: memory map, ukallocrnd and others
	@$(MIMALLOC_FETCH) || :
	@$(MAKE) -j$(JOBS) bench-files
	@$(MAKE) bench-run

bench-files: $(BENCH_FILES)
bench-run: $(BENCH_FILES) ## the same without set-up
	$(Q)$(PY) tests/support/bench.py --smp $(SMP) --machine $(MACHINE) \
		--pair $(BENCH_PAIR) --library $(LIBRARY) \
		--out $(O)/run.json --config $(O)/.config --allocs '$(ALLOCS)' \
		$<

$(BENCH_PAIR): $(O)/host/bench/host/pair.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -o $@ $<

guest-test: $(O)/guest/test.elf ## tests in the guest, on CPUs and machines
	$(call run_long,$@) -- $(PY) tests/support/guest.py \
		--qemu10 $(QEMU10) $< tests/guest/cases.tsv $(T)

profiles: $(O)/guest/bench.elf ## guests in each profile of randomization
	$(call run_long,$@) -- $(PY) tests/support/profiles.py --out $(O) \
		--jobs $(RUN_JOBS) --qemu10 $(QEMU10) --balanced $<
profiles-all: ## the same on 1 to 8 CPUs of two QEMUs, and benchmarks
	$(call run_long,$@) -- $(PY) tests/support/profiles.py --out $(O) \
		--jobs $(RUN_JOBS) --qemu10 $(QEMU10) --all
.PHONY: profiles profiles-all

mimalloc-check: $(O)/guest/bench.elf ## allocators that ours is compared with
	$(call run_long,$@) -- $(PY) tests/support/guest.py \
		$< bench/guest/cases.tsv $(T)

guest-boots: $(O)/guest/bench.elf ## what two boots may have in common
	$(call run_long,$@) -- $(PY) tests/support/boots.py $<

bad-images: $(LOADER) $(LOADER:.elf=.mb1.elf) $(O)/guest/test.elf \
		$(O)/guest/test.app
bad-images: ## damaged images end in a sentence each; T=relocation
	$(call run_long,$@) -- $(PY) tests/support/badimages.py \
		--jobs $(RUN_JOBS) --out $(O)/bad-images --strong \
		$(LOADER) $(O)/guest/test.app $(T)
grub-check: $(LOADER) $(O)/guest/test.elf $(O)/guest/test.mb1.elf
grub-check: ## GRUB boots guests on a BIOS and on UEFI
	$(call run_long,$@) -- $(PY) tests/support/grub.py \
		--out $(O)/grub $(O)/guest $(T)
.PHONY: bad-images grub-check

torture: OPS = 5000000
torture: $(O)/guest/test.elf ## page tables, OPS=5000000 times on SMP=4 CPUs
	$(Q)$(PY) tests/support/qemu.py --smp $(SMP) --machine $(MACHINE) \
		--timeout 36000 $< -- 'tests=torture*' ops=$(OPS) lcpus=2
.PHONY: torture

mutants: $(O)/.config ## planted mistakes in the shootdown are found; T=wait
	$(call run_long,$@) -- $(PY) tests/mutants/run.py --out $(O) $(T)
.PHONY: mutants

shootdown-check: $(O)/guest/bench.elf ## fails if TLB shootdown costs too much
	$(call run_long,$@) -- $(PY) tests/support/shootdown.py --check \
		--out $(O)/bench $<
.PHONY: shootdown-check

clones: $(O)/guest/test.elf ## clones of one snapshot draw different addresses
	$(call run_long,$@) -- $(PY) tests/support/clones.py $<
.PHONY: clones

BOOTSTAT := tests/support/bootstat.py
bootstat: BOOTS ?= 1000
bootstat: $(O)/guest/bench.elf ## bits of each place in BOOTS=1000 boots
	$(Q)$(PY) $(BOOTSTAT) --boots $(BOOTS) --jobs $(JOBS) \
		--save $(O)/aslr/boots.jsonl --json $(O)/aslr/bits.jsonl \
		$(if $(DOC),--doc $(DOC)) $<
bootstat-check: $(O)/guest/bench.elf ## the same with 80 boots
	$(call run_long,$@) -- $(PY) $(BOOTSTAT) --boots 80 \
		--jobs $(RUN_JOBS) $<
aslr-check: ## planted faults in places of boots are found
	$(call run_command,$@) -- $(PY) -m unittest discover \
		-s tests/support -p 'test_aslr*.py'
.PHONY: bootstat bootstat-check aslr-check

aslr-map: BOOTS ?= 32
aslr-map: OUT ?= $(O)/aslr.svg
aslr-map: $(O)/guest/bench.elf ## picture of BOOTS=32 boots, OUT=docs/aslr.svg
	$(Q)$(PY) tests/support/aslr_map.py --boots $(BOOTS) --jobs $(JOBS) \
		--out $(OUT) $<
.PHONY: aslr-map

boot-time: BOOTS ?= 41
boot-time: ## time to main() in each profile, bounds against NONE; BOOTS=41
	$(Q)$(PY) tests/support/profiles.py --build --out $(O) --jobs $(JOBS)
	$(Q)$(PY) tests/support/boottime.py --boots $(BOOTS) \
		--bound BALANCED=10 --bound STRONG=60 \
		--json $(O)/boottime.jsonl \
		$(foreach p,NONE POORMAN BALANCED STRONG,\
			$(p)=$(O)/profiles/$(p)/guest/bench.elf)
boot-time-check: ## medians and bounds of boot times, made up
	$(call run_command,$@) -- $(PY) tests/support/test_boottime.py
.PHONY: boot-time boot-time-check

# The other compiler builds everything and passes the quick suites
clang: ## library, guest and quick suites built by clang
	$(call run_long,$@) -- $(MAKE) CC=clang O=$(O)/clang RUN_JOBS=1 \
		preload guest unit death
clang-guest: clang ## the same, and tests in the guest that it built
	$(call run_long,$@) -- $(PY) tests/support/guest.py \
		$(O)/clang/guest/test.elf tests/guest/cases.tsv sparse
.PHONY: clang clang-guest

death: $(LIBRARY) ## every misuse ends in its report; T=double takes a part
	$(call run_command,$@) -- $(PY) tests/death/run.py --out $(O) \
		--cc $(CC) $(T)

preload-check: $(LIBRARY) ## real programs on the library
	$(call run_long,$@) -- $(PY) tests/preload/run.py --out $(O) $(T)

matrix: ## everything off, FAST, STRONG: built, unit tests, crimes
	$(call run_long,$@) -- $(PY) tests/support/matrix.py --out $(O) \
		--cc $(CC) --jobs $(RUN_JOBS)
matrix-all: ## also each mitigation alone, and each one off (minutes)
	$(call run_long,$@) -- $(PY) tests/support/matrix.py --out $(O) \
		--cc $(CC) --jobs $(RUN_JOBS) --all
.PHONY: run bench-run bench-files guest-test guest-boots death
.PHONY: mimalloc-check preload-check matrix matrix-all

tests-build: $(call programs,host,unit model stat race)
.PHONY: tests-build

# Two suites at a time, the long ones first
SUITES := guest-test profiles preload-check tidy race clang clang-guest matrix \
	guest-boots mutants death tlb-model bootstat-check clones misuse \
	fuzz-replay image-mutants grub-check bad-images mimalloc-check \
	scorecard-check unikraft-check model stat valgrind asan unit \
	shootdown-check cost-check aslr-check boot-time-check trace-check \
	cppcheck randomize-check pieces-check symbols-check bench-guest-check \
	bench-compare-check report-check format-check $(LINT_GOALS)

test: setup-test ## every test; last line: N passed, N failed, N skipped
	@rm -rf $(O)/results
	@tests/support/qemu10.sh $(O)/qemu10 || :
	@$(MIMALLOC_FETCH) || :
	@$(MAKE) -k -j2 RUN_JOBS=1 $(SUITES) || :
	@$(RUN) summary $(SUITES)
.PHONY: test
