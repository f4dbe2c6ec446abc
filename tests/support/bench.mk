# SPDX-License-Identifier: BSD-3-Clause
# Benchmarks on Linux, beside other allocators: bench/README.md.
#
#   LIBS    our libraries, "name=path ..."; default: the one that is built
#   ALLOCS  names of those that take part; default: all that are installed
#   ONLY    groups and parts of names of workloads, separated by commas
#   REPS    repetitions; QUICK=1: few of everything; PLOT=1: pictures, too
#   ENGINE  of bench-insn: auto, valgrind, qemu or step; CHECK=1: compare them
#   DOC     of bench-cost: the document to write its tables into
#   FROM    of bench-cost: results of an earlier run, instead of measuring

HOSTBENCH := bench/host
HOSTBENCH_OUT := $(O)/host/$(HOSTBENCH)
HOSTBENCH_ONE := micro xthread larson mstress rptest xmalloc cache_scratch \
	cache_thrash alloc_test empty fragment
HOSTBENCH_PROGRAMS := $(addprefix $(HOSTBENCH_OUT)/,$(HOSTBENCH_ONE) insn \
	launch libqemu_count.so)
# Counts locked operations in guests; the benchmark of the guest needs it
QEMU_EVENTS := $(HOSTBENCH_OUT)/libqemu_events.so

$(addprefix $(HOSTBENCH_OUT)/,$(HOSTBENCH_ONE)): %: %.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -o $@ $<

$(HOSTBENCH_OUT)/insn: $(addprefix $(HOSTBENCH_OUT)/,insn.o insn_work.o \
		insn_xthread.o)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -o $@ $^

# Static: its own memory must be less than that of any program it starts
$(HOSTBENCH_OUT)/launch: $(HOSTBENCH_OUT)/launch.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -static -o $@ $<

QEMU_EVENTS_OBJS := $(addprefix $(HOSTBENCH_OUT)/,qemu_events.o \
	qemu_counter.o x86_insn.o)
$(HOSTBENCH_OUT)/qemu_count.o $(QEMU_EVENTS_OBJS): \
	OBJ_CFLAGS := -fPIC -fvisibility=hidden
$(HOSTBENCH_OUT)/libqemu_count.so: $(HOSTBENCH_OUT)/qemu_count.o
$(QEMU_EVENTS): $(QEMU_EVENTS_OBJS)
$(HOSTBENCH_OUT)/libqemu_count.so $(QEMU_EVENTS):
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -shared -o $@ $^

ifeq ($(LIBS),)
HOSTBENCH_LIBS := ukallocrnd=$(LIBRARY)
hostbench-files: $(LIBRARY)
else
HOSTBENCH_LIBS := $(LIBS)
endif
hostbench-files: $(HOSTBENCH_PROGRAMS)

setup-bench:
	@tests/support/setup.sh bench

# The objects need the compiler that the set-up installs
define hostbench
	@$(MAKE) hostbench-files
	$(Q)$(PY) tests/support/hostbench.py $(1) --out $(O) \
		--libs '$(HOSTBENCH_LIBS)' --allocs '$(ALLOCS)' \
		--only '$(ONLY)' $(if $(REPS),--reps $(REPS)) \
		$(if $(QUICK),--quick) $(if $(PLOT),--plot) \
		$(if $(ENGINE),--engine $(ENGINE)) $(if $(CHECK),--check)
endef

bench: setup-bench ## time and memory beside other allocators on Linux
	$(call hostbench,time)
bench-insn: setup-bench ## exact numbers of instructions, beside the others
	$(call hostbench,insn)
bench-memory: setup-bench ## empty processes; what is left after freeing
	$(call hostbench,memory)
bench-scaling: setup-bench ## cross-thread workloads with one and two threads
	$(call hostbench,scaling)

# Builds the library some thirty times, below $(O)/cost
COST_PROGRAMS := $(addprefix $(HOSTBENCH_OUT)/,insn launch empty alloc_test)
cost-files: $(COST_PROGRAMS)
setup-cost:
	@tests/support/setup.sh cost
bench-cost: setup-cost ## what each protection costs; DOC=docs/cost.md
	@$(MAKE) cost-files
	$(Q)$(PY) tests/support/cost.py --out $(O) --cc $(CC) \
		$(if $(DOC),--doc $(DOC)) $(if $(FROM),--read $(FROM)) \
		$(if $(ENGINE),--engine $(ENGINE))

# The arithmetic and the judgement behind it
cost-check: ## planted mistakes in figures of costs are found
	$(call run_command,$@) -- $(PY) tests/support/test_cost.py
.PHONY: bench-cost cost-files cost-check setup-cost

bench-shootdown: setup-bench ## what TLB shootdown costs, policies side by side
	@$(MAKE) $(O)/guest/bench.elf
	$(Q)$(PY) tests/support/shootdown.py --plot --out $(O)/bench \
		$(O)/guest/bench.elf
.PHONY: bench-shootdown

# Traces that the guest's benchmark replays: bench/trace/README.md
RECORDER := $(O)/host/bench/trace/librecord.so
$(O)/host/bench/trace/record.o: OBJ_CFLAGS := -fPIC -fvisibility=hidden \
	-fno-builtin
$(RECORDER): $(O)/host/bench/trace/record.o
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -shared -o $@ $<

trace-record: OUT ?= $(O)/trace
trace-record: $(RECORDER) $(LIBRARY) ## record redis and sqlite3 anew
	$(Q)$(PY) bench/trace/record.py $^ $(OUT)
trace-check: $(HOSTBENCH_OUT)/mstress $(RECORDER) $(LIBRARY)
trace-check: ## allocations are recorded, and encoded
	$(call run_command,$@) -- sh -e -c '$(PY) bench/trace/test_encode.py; \
		$(PY) bench/trace/test_record.py $^'
.PHONY: trace-record trace-check

# No compiler tells on what it includes so
$(addsuffix /bench/guest/traces.o,$(addprefix $(O)/,guest $(HOST_VARIANTS))): \
	$(wildcard bench/trace/*.trace)

bench-plot: setup-bench ## pictures of the newest results
	$(Q)$(PY) tests/support/hostbench.py plot --out $(O)
.PHONY: bench bench-insn bench-memory bench-scaling bench-plot setup-bench
.PHONY: hostbench-files
