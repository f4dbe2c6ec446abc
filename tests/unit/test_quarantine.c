/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of quarantine.c
 *
 * The generator's buffer holds the index that the next push shall draw, so
 * every path is chosen by the test.
 *
 * links: tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "quarantine.h"

/* quarantine.c needs it in every configuration */
void rnd_rng_refill(struct rnd_rng *rng)
{
	fail_msg("refill of %p", (void *)rng);
}

#if RND_OPT_QUARANTINE

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

/* Shorter than the arrays, F no power of two */
#define RAND_LEN 8U
#define FIFO_LEN 11U

#define HELD_LEN (RAND_LEN + FIFO_LEN)

UK_CTASSERT(RAND_LEN < RND_QUARANTINE_RAND_LEN);
UK_CTASSERT(FIFO_LEN < RND_QUARANTINE_FIFO_LEN);

static struct rnd_quarantine q;
static struct rnd_rng bytes;

/* What rnd_quarantine_drain() delivered */
static __u64 drained[HELD_LEN];
static unsigned int drained_cnt;

static int setup(void **state)
{
	(void)state;
	memset(&q, 0, sizeof(q));
	rnd_quarantine_init(&q, RAND_LEN, FIFO_LEN);
	drained_cnt = 0;
	return 0;
}

/* The index is what a random byte says modulo RAND_LEN */
static __u64 push_at(__u8 byte, __u64 ref)
{
	__u64 released;

	bytes.pos = RND_RNG_BUF_LEN - 1;
	bytes.buf[bytes.pos] = byte;
	released = rnd_quarantine_push(&q, &bytes, ref);
	assert_int_equal(RND_RNG_BUF_LEN, bytes.pos);
	assert_true(rnd_quarantine_is_valid(&q));
	return released;
}

static void drain_one(void *arg, __u64 ref)
{
	assert_ptr_equal(arg, drained);
	assert_true(drained_cnt < HELD_LEN);
	assert_false(rnd_quarantine_contains(&q, ref));
	drained[drained_cnt++] = ref;
}

static void quarantine_is_empty_after_init(void **state)
{
	(void)state;
	assert_true(rnd_quarantine_is_valid(&q));
	assert_int_equal(0, rnd_quarantine_count(&q));
	assert_false(rnd_quarantine_contains(&q, 1));
}

static void quarantine_releases_nothing_while_filling(void **state)
{
	__u64 ref = 1;
	__u8 i;

	(void)state;
	for (i = 0; i < RAND_LEN; i++)
		assert_true(push_at(i, ref++) == 0);
	for (i = 0; i < FIFO_LEN; i++)
		assert_true(push_at(0, ref++) == 0);
	assert_int_equal(HELD_LEN, rnd_quarantine_count(&q));
	assert_true(push_at(0, ref) != 0);
	assert_int_equal(HELD_LEN, rnd_quarantine_count(&q));
}

static void quarantine_releases_in_eviction_order(void **state)
{
	__u64 ref;

	(void)state;

	/* Index 0 only: both stages together are one FIFO of 1 + F slots */
	for (ref = 1; ref <= 1 + FIFO_LEN; ref++)
		assert_true(push_at(0, ref) == 0);
	for (; ref < 5UL * FIFO_LEN; ref++)
		assert_true(push_at(0, ref) == ref - 1 - FIFO_LEN);
}

static void quarantine_fill_does_not_age_fifo(void **state)
{
	__u64 ref = 3;
	__u8 i;

	(void)state;

	/* Slot 1 enters the FIFO stage, then the rest of the random one fills
	 */
	assert_true(push_at(0, 1) == 0);
	assert_true(push_at(0, 2) == 0);
	for (i = 1; i < RAND_LEN; i++)
		assert_true(push_at(i, ref++) == 0);

	/* Q2: it still stays for exactly FIFO_LEN further evictions */
	for (i = 1; i < FIFO_LEN; i++)
		assert_true(push_at(0, ref++) == 0);
	assert_true(push_at(0, ref) == 1);
}

static void quarantine_uses_the_low_bits_of_the_random_byte(void **state)
{
	unsigned int byte;

	(void)state;
	for (byte = 0; byte < 256; byte++) {
		setup(NULL);
		push_at((__u8)byte, 77);
		assert_true(q.rand[byte % RAND_LEN] == 77);
	}
}

static void quarantine_works_at_its_longest_and_shortest(void **state)
{
	__u64 ref;
	unsigned int i;

	(void)state;
	memset(&q, 0, sizeof(q));
	rnd_quarantine_init(&q, RND_QUARANTINE_RAND_LEN,
			    RND_QUARANTINE_FIFO_LEN);
	for (i = 0; i < RND_QUARANTINE_RAND_LEN; i++)
		assert_true(push_at((__u8)i, i + 1) == 0);
	for (i = 0; i < RND_QUARANTINE_FIFO_LEN; i++)
		assert_true(push_at(1, 1000 + i) == 0);
	assert_true(push_at(1, 5000) == 2);

	memset(&q, 0, sizeof(q));
	rnd_quarantine_init(&q, 1, 1);
	assert_true(push_at(255, 1) == 0);
	assert_true(push_at(0, 2) == 0);
	for (ref = 3; ref < 10; ref++)
		assert_true(push_at((__u8)ref, ref) == ref - 2);
}

static void quarantine_contains_what_it_holds(void **state)
{
	__u64 ref;

	(void)state;
	for (ref = 1; ref <= 20; ref++)
		push_at(3, ref);

	/* One in the random stage, the last F before it in the FIFO stage */
	for (ref = 1; ref <= 21; ref++)
		assert_int_equal(ref >= 20 - FIFO_LEN && ref <= 20,
				 rnd_quarantine_contains(&q, ref));
}

static void quarantine_drains_oldest_first_and_everything(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; i <= 20; i++)
		push_at(3, i);
	push_at(5, 100);
	push_at(4, 101);

	rnd_quarantine_drain(&q, drain_one, drained);

	assert_int_equal(FIFO_LEN + 3, drained_cnt);
	for (i = 0; i < FIFO_LEN; i++)
		assert_true(drained[i] == 20 - FIFO_LEN + i);
	assert_true(drained[FIFO_LEN] == 20);
	assert_true(drained[FIFO_LEN + 1] == 101);
	assert_true(drained[FIFO_LEN + 2] == 100);
	assert_int_equal(0, rnd_quarantine_count(&q));
	assert_true(rnd_quarantine_is_valid(&q));
}

static void quarantine_drains_a_partly_filled_ring(void **state)
{
	(void)state;
	push_at(0, 1);
	push_at(0, 2);
	push_at(0, 3);

	rnd_quarantine_drain(&q, drain_one, drained);

	assert_int_equal(3, drained_cnt);
	assert_true(drained[0] == 1 && drained[1] == 2 && drained[2] == 3);
	assert_true(rnd_quarantine_is_valid(&q));
	quarantine_releases_nothing_while_filling(NULL);
}

static void quarantine_is_invalid_after_double_push(void **state)
{
	(void)state;
	push_at(0, 1);
	bytes.pos = RND_RNG_BUF_LEN - 1;
	bytes.buf[bytes.pos] = 1;
	rnd_quarantine_push(&q, &bytes, 1);
	assert_false(rnd_quarantine_is_valid(&q));
}

static void quarantine_is_invalid_if_its_shape_is(void **state)
{
	(void)state;
	q.rand[RAND_LEN] = 1;
	assert_false(rnd_quarantine_is_valid(&q));
	setup(NULL);
	q.fifo[FIFO_LEN] = 1;
	assert_false(rnd_quarantine_is_valid(&q));
	setup(NULL);
	q.fifo[1] = 1;
	assert_false(rnd_quarantine_is_valid(&q));
	setup(NULL);
	q.fifo_head = 1;
	assert_false(rnd_quarantine_is_valid(&q));
	setup(NULL);
	q.fifo_head = FIFO_LEN;
	assert_false(rnd_quarantine_is_valid(&q));
	setup(NULL);
	q.fifo_len = 0;
	assert_false(rnd_quarantine_is_valid(&q));
	setup(NULL);
	q.rand_mask = 4;
	assert_false(rnd_quarantine_is_valid(&q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(quarantine_is_empty_after_init),
		UNIT_TEST(quarantine_releases_nothing_while_filling),
		UNIT_TEST(quarantine_releases_in_eviction_order),
		UNIT_TEST(quarantine_fill_does_not_age_fifo),
		UNIT_TEST(quarantine_uses_the_low_bits_of_the_random_byte),
		UNIT_TEST(quarantine_works_at_its_longest_and_shortest),
		UNIT_TEST(quarantine_contains_what_it_holds),
		UNIT_TEST(quarantine_drains_oldest_first_and_everything),
		UNIT_TEST(quarantine_drains_a_partly_filled_ring),
		UNIT_TEST(quarantine_is_invalid_after_double_push),
		UNIT_TEST(quarantine_is_invalid_if_its_shape_is),
	};

	return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}

#else /* !RND_OPT_QUARANTINE: both stages have one element */

int main(void)
{
	puts("the quarantine is configured out");
	return 77;
}

#endif
