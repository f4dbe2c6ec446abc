# SPDX-License-Identifier: BSD-3-Clause
# How random are the places of objects? bench/score measures, docs/scorecard.md
# explains.
#
#   make scorecard SIZE=256 ALLOCS="ukallocrnd je=/usr/lib/.../libjemalloc.so.2"
#   make scorecard DOC=docs/scorecard.md	writes its table anew

SCORE_DIR := bench/score
SCORE_SRCS := $(wildcard $(SCORE_DIR)/*.c)
SCORE_PROBE := $(O)/host/$(SCORE_DIR)/probe
SCORE_PY := env PYTHONPATH=tests/support $(PY)
SCORE := --probe $(SCORE_PROBE) --library $(LIBRARY) --out $(O)/score

# Every malloc() and free() of the source is a call; addresses of functions
# are those in their own library
SCORE_CFLAGS := -fPIE -fno-builtin-malloc -fno-builtin-free \
	-fno-builtin-realloc
$(O)/host/$(SCORE_DIR)/%.o: OBJ_CFLAGS := $(SCORE_CFLAGS)

$(SCORE_PROBE): $(patsubst %.c,$(O)/host/%.o,$(SCORE_SRCS))
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS_host) -pie -o $@ $^ -ldl

score_option = $(if $($(2)),--$(1) $($(2)))
scorecard: $(SCORE_PROBE) $(LIBRARY) ## randomness; ALLOCS="ukallocrnd x=x.so"
	$(Q)$(SCORE_PY) $(SCORE_DIR)/score.py $(SCORE) \
		$(call score_option,size,SIZE) \
		$(call score_option,processes,PROCESSES) \
		$(call score_option,draws,DRAWS) \
		$(call score_option,doc,DOC) $(ALLOCS)

scorecard-check: $(SCORE_PROBE) $(LIBRARY) ## fails if a bound is missed
	$(call run_long,$@) -- $(SCORE_PY) $(SCORE_DIR)/check.py $(SCORE)
.PHONY: scorecard scorecard-check
