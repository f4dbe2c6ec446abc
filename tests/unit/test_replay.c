/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of bench/guest/replay.c, with the traces that are there and an
 * allocator that counts
 *
 * links: bench/guest/replay.c bench/guest/tracefile.c bench/guest/lz4.c
 * bench/guest/traces.S tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/alloc.h>
#include <uk/essentials.h>

#include "bench.h"

static unsigned long calls, live, live_max;

enum kind {
	MALLOC,
	CALLOC,
	REALLOC,
	NONE
};

/* This call of a kind fails, and all later ones */
static enum kind fail_kind;
static unsigned long fail_at, fail_seen;

static void *take(void *ptr)
{
	assert_non_null(ptr);
	live++;
	live_max = MAX(live_max, live);
	return ptr;
}

static int fails(enum kind kind)
{
	calls++;
	return kind == fail_kind && ++fail_seen >= fail_at;
}

static void *count_malloc(struct uk_alloc *a, __sz size)
{
	(void)a;
	assert_true(size);
	return fails(MALLOC) ? NULL : take(malloc(size));
}

static void *count_calloc(struct uk_alloc *a, __sz nmemb, __sz size)
{
	(void)a;
	assert_true(nmemb && size);
	return fails(CALLOC) ? NULL : take(calloc(nmemb, size));
}

static void *count_realloc(struct uk_alloc *a, void *ptr, __sz size)
{
	(void)a;
	assert_non_null(ptr);
	assert_true(size);
	return fails(REALLOC) ? NULL : realloc(ptr, size);
}

static void count_free(struct uk_alloc *a, void *ptr)
{
	(void)a;
	assert_non_null(ptr);
	live--;
	calls++;
	free(ptr);
}

static struct uk_alloc counting = {
	.malloc = count_malloc,
	.calloc = count_calloc,
	.realloc = count_realloc,
	.free = count_free,
};

static int setup(void **state)
{
	(void)state;
	calls = 0;
	live = 0;
	live_max = 0;
	fail_kind = NONE;
	fail_seen = 0;
	return 0;
}

static const struct bench_workload *const replays[] = { &bench_replay_redis,
							&bench_replay_sqlite };

/* One operation is one call, and each batch the same as the one before */
static void replay_counts_calls_and_keeps_nothing(void **state)
{
	struct bench_run run = { .a = &counting, .seed = 1, .cpus = 1 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(replays); i++) {
		unsigned long ops, max;

		setup(NULL);
		assert_int_equal(replays[i]->setup(&run), 0);
		assert_int_equal(calls, 0);
		ops = replays[i]->batch(&run);
		max = live_max;
		assert_true(ops > 100000 && max > 100);
		assert_int_equal(calls, ops);
		assert_int_equal(live, 0);

		assert_int_equal(replays[i]->batch(&run), ops);
		assert_int_equal(calls, 2 * ops);
		assert_int_equal(live_max, max);
		assert_int_equal(live, 0);
		replays[i]->teardown(&run);
		assert_int_equal(calls, 2 * ops);
	}
}

/* A failure of each kind, early and late; each ends the batch */
static void replay_out_of_memory_leaves_nothing(void **state)
{
	static const unsigned long at[] = { 1, 100, 500 };
	struct bench_run run = { .a = &counting, .seed = 1, .cpus = 1 };
	unsigned int i, kind;

	(void)state;
	for (kind = 0; kind < NONE; kind++) {
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			setup(NULL);
			fail_kind = (enum kind)kind;
			fail_at = at[i];
			assert_int_equal(bench_replay_redis.setup(&run), 0);
			assert_int_equal(bench_replay_redis.batch(&run), 0);
			assert_int_equal(fail_seen, fail_at);
			bench_replay_redis.teardown(&run);
			assert_int_equal(live, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(replay_counts_calls_and_keeps_nothing,
				       setup),
		cmocka_unit_test_setup(replay_out_of_memory_leaves_nothing,
				       setup),
	};

	return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
