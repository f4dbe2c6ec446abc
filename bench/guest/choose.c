/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Which workloads and allocators take part */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>

#include "bench.h"

#define OPS	  8192UL
#define OPS_QUICK 2048UL

/* Quarantines and lists of free objects of some fifty size classes have to
 * fill, on each CPU: mixed becomes cheaper by a quarter within so many
 */
#define WARM	   32768UL
#define WARM_QUICK 16384UL

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

static int is_quick(void)
{
	const char *val;

	return ukplat_cmdline_find("quick", &val);
}

unsigned long bench_ops(void)
{
	return is_quick() ? OPS_QUICK : OPS;
}

unsigned long bench_warm_ops(void)
{
	return is_quick() ? WARM_QUICK : WARM;
}

/* Up to the next comma, or the end of the word */
static __sz name_len(const char *at)
{
	__sz len = 0;

	while (at[len] && at[len] != ',' && at[len] != ' ')
		len++;
	return len;
}

/* Goes on to the next name of a list; __NULL behind the last one */
static const char *name_next(const char *at)
{
	at += name_len(at);
	return *at == ',' ? at + 1 : __NULL;
}

/* Tells whether a list of the command line has a name, or is not there */
static int is_listed(const char *key, const char *name)
{
	__sz len = strlen(name);
	const char *at;

	if (!ukplat_cmdline_find(key, &at))
		return 1;
	for (; at; at = name_next(at))
		if (name_len(at) == len && !strncmp(at, name, len))
			return 1;
	return 0;
}

int bench_is_wanted(const struct bench_workload *w)
{
	return is_listed("only", w->name);
}

int bench_is_alloc_wanted(const char *name)
{
	return is_listed("alloc", name);
}

/* Name number i, __NULL behind the last one */
typedef const char *(*name_func)(unsigned int i);

static const char *workload_name(unsigned int i)
{
	return bench_workloads[i] ? bench_workloads[i]->name : __NULL;
}

static int is_name(const char *at, __sz len, name_func names)
{
	const char *name;
	unsigned int i;

	for (i = 0; (name = names(i)) != __NULL; i++)
		if (strlen(name) == len && !strncmp(at, name, len))
			return 1;
	return 0;
}

static int check_list(const char *key, const char *what, name_func names)
{
	const char *at;
	unsigned int i;

	if (!ukplat_cmdline_find(key, &at))
		return 0;
	while (at && is_name(at, name_len(at), names))
		at = name_next(at);
	if (!at)
		return 0;
	printf("bench: %s=%.*s is no %s; there are", key, (int)name_len(at), at,
	       what);
	for (i = 0; names(i); i++)
		printf("%s%s", i ? ", " : " ", names(i));
	puts("");
	return -EINVAL;
}

int bench_names_check(void)
{
	int rc = check_list("only", "workload", workload_name);

	return rc ? rc : check_list("alloc", "allocator", bench_alloc_name);
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
