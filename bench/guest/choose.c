/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Which workloads and allocators take part */

#include <stdio.h>
#include <string.h>

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#include "bench.h"

#define OPS	  8192UL
#define OPS_QUICK 2048UL

/* Those that interrupt handlers may use, and that return __NULL when memory
 * runs out, whatever is touched
 */
static const char *const for_irqs[] = { "ukallocrnd", "buddy", __NULL };
static const char *const that_fail[] = { "ukallocrnd", "buddy", "floor",
					 __NULL };

static int is_among(const char *name, const char *const names[])
{
	unsigned int i;

	for (i = 0; names[i]; i++)
		if (!strcmp(name, names[i]))
			return 1;
	return 0;
}

unsigned long bench_ops(void)
{
	const char *val;

	return ukplat_cmdline_find("quick", &val) ? OPS_QUICK : OPS;
}

/* Names are separated by commas */
int bench_is_wanted(const struct bench_workload *w)
{
	__sz len = strlen(w->name);
	const char *at;

	if (!ukplat_cmdline_find("only", &at))
		return 1;
	for (;;) {
		if (!strncmp(at, w->name, len) &&
		    (at[len] == ',' || at[len] == ' ' || !at[len]))
			return 1;
		while (*at && *at != ',' && *at != ' ')
			at++;
		if (*at++ != ',')
			return 0;
	}
}

const char *bench_why_not(const struct bench_workload *w,
			  const struct bench_alloc *ba)
{
	if (w->needs & BENCH_NEEDS_IRQ && !is_among(ba->name, for_irqs))
		return "not for interrupt handlers";
	if (w->needs & BENCH_NEEDS_ENOMEM && !is_among(ba->name, that_fail))
		return "stops when memory runs out at a touch";
	return __NULL;
}

void bench_left_out(const struct bench_workload *w,
		    const struct bench_alloc *ba, __sz size, const char *why)
{
	printf("{\"type\":\"left-out\",\"name\":\"%s\",\"size\":%lu,"
	       "\"alloc\":\"%s\",\"why\":\"%s\"}\n",
	       w->name, size, ba->name, why);
}
