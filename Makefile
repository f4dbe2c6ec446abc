# SPDX-License-Identifier: BSD-3-Clause
# Stand-alone build: a guest for QEMU and a library for Linux, from the same
# Makefile.uk and Config.uk that a Unikraft tree reads. tests/support has the
# rules; every output lies below $(O).

# No built-in rules: nothing may be built by accident
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
SHELL := /bin/bash

O ?= build
# Sources of others; makes below this one with another O have the same
PORTS ?= $(O)/ports
export PORTS
# Debian's own interpreter: it finds python3-kconfiglib
PY := /usr/bin/python3
JOBS ?= $(shell nproc)

# Not what compilers wrote: that is too long for a command line
HELP_MAKEFILES = $(filter-out $(O)/%,$(filter Makefile %.mk,$(MAKEFILE_LIST)))

help: ## this list
	@echo 'usage: make [CC=gcc|clang] [V=1] [O=build] target'
	@grep -hE '^[a-z0-9-]+:.* ## ' $(HELP_MAKEFILES) | \
		sed -E 's/^([a-z0-9-]+):.* ## (.*)/  \1 \2/' | \
		while read -r name text; do \
			printf '  %-14s %s\n' "$$name" "$$text"; done
.PHONY: help

# Goals that must not make a configuration first; run and test begin with the
# set-up and then call make again
PLAIN_GOALS := help clean distclean setup setup-config setup-run setup-test \
	qemu10 mimalloc menuconfig defconfig olddefconfig run test
ifneq ($(filter-out $(PLAIN_GOALS),$(or $(MAKECMDGOALS),help)),)
BUILDING := y
endif

include tests/support/setup.mk
include tests/support/config.mk
ifdef BUILDING
include $(O)/.config
include tests/support/uk.mk
$(eval $(call import_lib,plat))
endif
include tests/support/cc.mk
include tests/support/host.mk
include tests/support/layout.mk
include tests/support/guest.mk
include tests/support/mimalloc.mk
include tests/support/test.mk
include tests/support/lint.mk
include tests/support/run.mk
include tests/support/misuse.mk
include tests/support/bench.mk
include tests/support/report.mk
include tests/support/score.mk
include tests/support/spin.mk

all: preload guest tests-build ## everything that can be built
.PHONY: all

clean: ## remove what was built, keep the configuration
	rm -rf $(filter-out $(O)/.config $(O)/qemu10 $(O)/ports,\
		$(wildcard $(O)/* $(O)/.[!.]*))
distclean: ## remove the build directory
	rm -rf $(O)
.PHONY: clean distclean
