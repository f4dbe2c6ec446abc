/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Draws: addresses in the order in which malloc() returned them */

#include <stdlib.h>

#include "probe.h"

static uint64_t word(const void *ptr)
{
	return (uint64_t)(uintptr_t)ptr;
}

/* Two rows of objects, the first ones and those after 1000 more; what the
 * first one's place may be guessed from stands between them
 */
#define WARM_CNT 1000U

static void put_row(size_t size)
{
	unsigned int i;

	for (i = 0; i < PROBE_ROW_LEN; i++)
		probe_put(word(probe_new_used(size)));
}

void probe_start(const struct probe_args *args)
{
	int on_stack;
	unsigned int i;

	put_row(args->size);
	probe_put(word(probe_new_used(probe_other_size(args->size))));
	probe_put(word(probe_new_used(PROBE_LARGE_LEN)));
	probe_put(word(probe_new_used(PROBE_LARGE_LEN)));
	probe_put((uint64_t)(uintptr_t)&getenv);
	probe_put((uint64_t)(uintptr_t)&probe_start);
	probe_put(word(&on_stack));
	for (i = 0; i < WARM_CNT; i++)
		(void)probe_new_used(args->size);
	put_row(args->size);
}

void probe_growth(const struct probe_args *args)
{
	size_t i;

	for (i = 0; i < args->n; i++)
		probe_put(word(probe_new_used(args->size)));
}

void probe_aged(const struct probe_args *args)
{
	size_t i, done, quarter = args->live_cnt / 4;

	probe_fill_live(args);
	for (done = 0; done < args->n; done += quarter) {
		probe_shuffle(probe_live, args->live_cnt);
		for (i = 0; i < quarter; i++)
			free(probe_live[i]);
		for (i = 0; i < quarter; i++) {
			probe_live[i] = probe_new_used(args->size);
			probe_put(word(probe_live[i]));
		}
	}
}

void probe_churn(const struct probe_args *args)
{
	size_t i;

	probe_fill_live(args);
	for (i = 0; i < args->n; i++) {
		size_t n = probe_below(args->live_cnt);

		probe_put(word(probe_live[n]));
		free(probe_live[n]);
		probe_live[n] = probe_new_used(args->size);
		probe_put(word(probe_live[n]));
	}
}
