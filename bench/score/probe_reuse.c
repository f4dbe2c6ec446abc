/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Reuse: when does the address of a freed object come back? */

#include <stdlib.h>

#include "probe.h"

static uint64_t word(const void *ptr)
{
	return (uint64_t)(uintptr_t)ptr;
}

void probe_pair(const struct probe_args *args)
{
	char *ptr = probe_new_used(args->size);
	size_t i;

	for (i = 0; i < args->n; i++) {
		probe_put(word(ptr));
		free(ptr);
		ptr = probe_new_used(args->size);
		probe_put(word(ptr));
	}
}

static char *resized(char *ptr, size_t size)
{
	ptr = realloc(ptr, size);
	__asm__ __volatile__("" : "+r"(ptr) : : "memory");
	if (!ptr)
		probe_fail("out of memory");
	return ptr;
}

/* An object that stays where it is was not freed: 0 stands for its address */
void probe_resize(const struct probe_args *args)
{
	size_t i;

	probe_fill_live(args);
	for (i = 0; i < args->n; i++) {
		char **slot = &probe_live[probe_below(args->live_cnt)];
		uint64_t old = word(*slot);

		*slot = resized(*slot, probe_other_size(args->size));
		probe_put(word(*slot) == old ? 0 : old);
		*slot = resized(*slot, args->size);
		probe_put(word(*slot));
	}
}

/* The freed addresses of a batch stand in front of the new ones */
void probe_remote(const struct probe_args *args)
{
	size_t i, done;

	if (args->live_cnt < PROBE_REMOTE_BATCH)
		probe_fail("a batch must be live");
	probe_fill_live(args);
	for (done = 0; done < args->n; done += PROBE_REMOTE_BATCH) {
		probe_shuffle(probe_live, args->live_cnt);
		for (i = 0; i < PROBE_REMOTE_BATCH; i++)
			probe_put(word(probe_live[i]));
		probe_free_remote(probe_live, PROBE_REMOTE_BATCH);
		for (i = 0; i < PROBE_REMOTE_BATCH; i++) {
			probe_live[i] = probe_new_used(args->size);
			probe_put(word(probe_live[i]));
		}
	}
}

void probe_spray(const struct probe_args *args)
{
	static char *spray[PROBE_SPRAY_LEN];
	size_t trial, i, victim;

	probe_fill_live(args);
	for (trial = 0; trial < args->n; trial++) {
		uint64_t addr, found = 0;

		victim = probe_below(args->live_cnt);
		addr = word(probe_live[victim]);
		free(probe_live[victim]);
		for (i = 0; i < PROBE_SPRAY_LEN; i++) {
			spray[i] = probe_new_used(args->size);
			if (!found && word(spray[i]) == addr)
				found = i + 1;
		}
		probe_put(found);
		/* One of them takes the victim's place, the others go */
		probe_shuffle(spray, PROBE_SPRAY_LEN);
		probe_live[victim] = spray[0];
		for (i = 1; i < PROBE_SPRAY_LEN; i++)
			free(spray[i]);
	}
}
