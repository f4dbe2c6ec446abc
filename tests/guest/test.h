/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTTEST_TEST_H__
#define __GUESTTEST_TEST_H__

/* The test program of the guest: cases, expectations, helpers
 *
 * A case is a function that returns what TEST_* it came to. EXPECT() and
 * SKIP() return from it. Cases run on the boot CPU, one after the other;
 * on_all_cpus() brings in the others.
 */

#include <uk/arch/types.h>
#include <uk/config.h>
#include <uk/essentials.h>

/* Large objects stay where they are when they are freed */
#ifdef CONFIG_LIBUKALLOCRND_LARGE_KEEP
#define IS_LARGE_KEPT 1
#else
#define IS_LARGE_KEPT 0
#endif

enum test_result {
	TEST_PASS,
	TEST_FAIL,
	TEST_SKIP
};

struct test_case {
	const char *name; /* __NULL ends a table */
	enum test_result (*fn)(void);
};

/* One table a file */
extern const struct test_case loader_cases[];
extern const struct test_case malloc_cases[];
extern const struct test_case page_cases[];
extern const struct test_case heap_cases[];
extern const struct test_case irq_cases[];
extern const struct test_case memory_cases[];
extern const struct test_case lcpu_cases[];
extern const struct test_case tlb_cases[];
extern const struct test_case torture_cases[];
extern const struct test_case vmem_cases[];
extern const struct test_case fault_cases[];
extern const struct test_case demand_cases[];
extern const struct test_case stress_cases[];
extern const struct test_case random_cases[];

/**
 * Commits a crime.
 *
 * @param name
 *   Its name, ended by a space or the end of the string
 *
 * @return
 *   1: the crime was not noticed, or there is none of this name
 */
int crime_commit(const char *name);

/**
 * Prints addresses that are drawn after a key was pressed, for clones.py.
 *
 * @return
 *   0, or 1 if CPUs did not come back
 */
int clones_print(void);

/**
 * Makes a page fault that cannot be served.
 *
 * @param name
 *   Its name, ended by a space or the end of the string
 *
 * @return
 *   1: the access went through, or there is none of this name
 */
int fault_commit(const char *name);

/**
 * Notes why a case fails.
 *
 * @param file
 *   Source file
 * @param line
 *   Line in the source file
 * @param cond
 *   Text of what should be true
 *
 * @return
 *   TEST_FAIL
 */
enum test_result test_fail(const char *file, int line, const char *cond);

/** Notes why a case is skipped; returns TEST_SKIP. */
enum test_result test_skip(const char *why);

#define EXPECT(cond)                                                           \
	do {                                                                   \
		if (unlikely(!(cond)))                                         \
			return test_fail(__FILE__, __LINE__, #cond);           \
	} while (0)

#define SKIP(why) return test_skip(why)

/**
 * Reads a number from the command line.
 *
 * @param key
 *   Key, without '='
 * @param fallback
 *   Result if the key is not there
 */
unsigned long arg_number(const char *key, unsigned long fallback);

/**
 * Runs a function on all CPUs, the calling one included, and waits for all.
 *
 * @return
 *   Number of CPUs that ran it, or 0 if they did not come back
 */
unsigned int on_all_cpus(void (*fn)(void *arg), void *arg);

/** A small generator for test decisions; the seed is not 0. */
static inline __u64 draw(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

#endif /* __GUESTTEST_TEST_H__ */
