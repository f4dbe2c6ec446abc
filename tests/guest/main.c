/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The test program of the guest
 *
 * Words of the command line:
 *   tests=<pattern>  cases to run, * stands for any text; default is all
 *   ops=<number>     operations of the stress case, all CPUs together
 *   crime=<name>     instead of the cases: one misuse, which must not return
 *   size=, off=      parameters of a crime
 *   fault=<name>     instead of the cases: one page fault that is an error
 *   clones           instead of the cases: addresses, after a key was pressed
 *   exact=1          time stamps count instructions
 *
 * Prints "ok <name>" or "not ok <name>: <why>" for each case and the totals
 * as the last line. The exit code is 0 if nothing failed.
 */

#include <stdio.h>
#include <string.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>

#include "test.h"

static const struct test_case *const tables[] = {
	loader_cases, malloc_cases, page_cases,	  heap_cases,	 irq_cases,
	memory_cases, lcpu_cases,   tlb_cases,	  torture_cases, vmem_cases,
	fault_cases,  demand_cases, stress_cases, random_cases,
};

/* Why the current case failed or was skipped */
static char reason[160];

enum test_result test_fail(const char *file, int line, const char *cond)
{
	(void)snprintf(reason, sizeof(reason), "%s:%d: %s", file, line, cond);
	return TEST_FAIL;
}

enum test_result test_skip(const char *why)
{
	(void)snprintf(reason, sizeof(reason), "%s", why);
	return TEST_SKIP;
}

unsigned long arg_number(const char *key, unsigned long fallback)
{
	unsigned long value = 0;
	const char *text;

	if (!ukplat_cmdline_find(key, &text) || *text < '0' || *text > '9')
		return fallback;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (unsigned long)(*text - '0');

	return value;
}

/* Matches text against [pattern, end), in which * stands for any text */
static int matches(const char *pattern, const char *end, const char *text)
{
	const char *star = __NULL, *resume = __NULL;

	while (*text) {
		if (pattern < end && *pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (pattern < end && *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			/* Let the last star take one character more */
			pattern = star + 1;
			text = ++resume;
		} else {
			return 0;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;

	return pattern == end;
}

static int is_wanted(const char *name)
{
	const char *pattern, *end;

	if (!ukplat_cmdline_find("tests", &pattern))
		return 1;

	for (end = pattern; *end && *end != ' ';)
		end++;

	return matches(pattern, end, name);
}

struct remote_call {
	void (*fn)(void *arg);
	void *arg;
	unsigned int done;
};

static void run_remote(struct __regs *regs __unused, void *user)
{
	struct remote_call *call = user;

	call->fn(call->arg);
	/* Relaxed: ukplat_lcpu_wait() orders what the function wrote */
	__atomic_add_fetch(&call->done, 1, __ATOMIC_RELAXED);
}

unsigned int on_all_cpus(void (*fn)(void *arg), void *arg)
{
	struct remote_call call = { .fn = fn, .arg = arg };
	struct ukplat_lcpu_func func = { .fn = run_remote, .user = &call };
	unsigned int cpus = ukplat_lcpu_count();

	if (cpus > 1 && ukplat_lcpu_run(__NULL, __NULL, &func, 0))
		return 0;
	run_remote(__NULL, &call);
	if (cpus > 1 && ukplat_lcpu_wait(__NULL, __NULL, 0))
		return 0;

	return call.done == cpus ? cpus : 0;
}

static void run_case(const struct test_case *tc, unsigned int count[])
{
	enum test_result result;

	reason[0] = 0;
	result = tc->fn();
	count[result]++;
	if (result == TEST_PASS)
		printf("ok %s\n", tc->name);
	else if (result == TEST_SKIP)
		printf("ok %s # SKIP %s\n", tc->name, reason);
	else
		printf("not ok %s: %s\n", tc->name, reason);
}

int main(int argc __unused, char *argv[] __unused)
{
	unsigned int count[3] = { 0 };
	const struct test_case *tc;
	const char *crime, *fault;
	unsigned int i;

	if (ukplat_cmdline_find("crime", &crime))
		return crime_commit(crime);
	if (ukplat_cmdline_find("fault", &fault))
		return fault_commit(fault);
	if (ukplat_cmdline_find("clones", &fault))
		return clones_print();

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (tc = tables[i]; tc->name; tc++)
			if (is_wanted(tc->name))
				run_case(tc, count);

	printf("%u passed, %u failed, %u skipped\n", count[TEST_PASS],
	       count[TEST_FAIL], count[TEST_SKIP]);
	return count[TEST_FAIL] || !(count[TEST_PASS] + count[TEST_SKIP]);
}
