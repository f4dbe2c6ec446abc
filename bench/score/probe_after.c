/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Residue: what does a dangling pointer read?
 *
 * The object is filled with a pattern, freed, and read word by word. An
 * access that faults is caught and counts. A word that is neither zero nor
 * the pattern is something that the allocator wrote.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"

/* In the order of SEEN in measure.py */
enum seen {
	SEEN_ZERO,
	SEEN_FAULT,
	SEEN_STALE,
	SEEN_OTHER,
	SEEN_REUSED
};

/* Objects drawn, filled and freed between the first and the second look */
#define LATER_CNT 64U
#define PATTERN	  0xa5c3a5c3a5c3a5c3UL

static sigjmp_buf on_fault;

static void take_fault(int sig)
{
	(void)sig;
	siglongjmp(on_fault, 1);
}

static void catch_faults(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = take_fault;
	if (sigaction(SIGSEGV, &action, NULL) ||
	    sigaction(SIGBUS, &action, NULL))
		probe_fail("no signal handler");
}

static void fill(char *ptr, size_t size)
{
	const uint64_t pattern = PATTERN;
	size_t i;

	for (i = 0; i + sizeof(pattern) <= size; i += sizeof(pattern))
		memcpy(ptr + i, &pattern, sizeof(pattern));
}

/* One stale word is enough to call it stale; then one of the allocator's.
 * step is a page for large objects: reading all of them would take too long
 */
static enum seen look(uintptr_t addr, size_t size, size_t step)
{
	volatile enum seen seen = SEEN_ZERO;
	size_t i;

	if (sigsetjmp(on_fault, 1))
		return SEEN_FAULT;
	for (i = 0; i + sizeof(uint64_t) <= size; i += step) {
		uint64_t got = *(const volatile uint64_t *)(addr + i);

		if (got == PATTERN)
			return SEEN_STALE;
		if (got)
			seen = SEEN_OTHER;
	}
	return seen;
}

/* Other objects come and go; 1 if one of them lies where the freed one was */
static int go_on(uintptr_t addr, size_t size)
{
	int reused = 0;
	size_t i;

	for (i = 0; i < LATER_CNT; i++) {
		char *ptr = probe_new_used(size);

		reused |= (uintptr_t)ptr == addr;
		free(ptr);
	}
	return reused;
}

static void look_twice(uintptr_t addr, size_t size)
{
	probe_put(look(addr, size, sizeof(uint64_t)));
	if (go_on(addr, size))
		probe_put(SEEN_REUSED);
	else
		probe_put(look(addr, size, sizeof(uint64_t)));
}

/* Each trial: at once and later, freed by this thread; the same, freed by
 * another one; a large object at once
 */
void probe_after(const struct probe_args *args)
{
	size_t i;

	catch_faults();
	probe_fill_live(args);
	for (i = 0; i < args->n; i++) {
		char *ptr = probe_new(args->size);
		uintptr_t addr = (uintptr_t)ptr;

		fill(ptr, args->size);
		free(ptr);
		look_twice(addr, args->size);

		ptr = probe_new(args->size);
		addr = (uintptr_t)ptr;
		fill(ptr, args->size);
		probe_free_remote(&ptr, 1);
		look_twice(addr, args->size);

		ptr = probe_new(PROBE_LARGE_LEN);
		addr = (uintptr_t)ptr;
		fill(ptr, PROBE_LARGE_LEN);
		free(ptr);
		probe_put(look(addr, PROBE_LARGE_LEN, 4096));
	}
}
