# SPDX-License-Identifier: BSD-3-Clause
# Models of protocols, checked by spin.

tlb-model: ## the TLB shootdown as a model: every order of events; T=idle
	$(call run_command,$@) -- $(PY) tests/model/tlb/tlb.py \
		--out $(O)/tlb-model $(T)
.PHONY: tlb-model
