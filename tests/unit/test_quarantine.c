/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of quarantine.c
 *
 * The generator's buffer holds the index that the next push shall draw, so
 * every path is chosen by the test. Without a random stage nothing may be
 * drawn; its own tests are left out then.
 *
 * links: tests/unit/fake_assert.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "quarantine.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#define NONE RND_QUARANTINE_NONE

/* Shorter than the arrays; F no multiple of S, neither a power of two */
#if RND_OPT_QUARANTINE
#define RAND_LEN (RND_QUARANTINE_RAND_LEN < 8U ? RND_QUARANTINE_RAND_LEN : 8U)
#define FIFO_LEN 11U
#define SEG_LEN	 3U
/* Segments that cover F, and one more */
#define RING_LEN 15U
UK_CTASSERT(FIFO_LEN < RND_QUARANTINE_FIFO_LEN);
#else
#define RAND_LEN 0U
#define FIFO_LEN 1U
#define SEG_LEN	 1U
#define RING_LEN 2U
#endif

/* At most */
#define HELD_LEN (RAND_LEN + RING_LEN)
/* What index 0 of the random stage adds to the way of a slot */
#define HEAD_LEN (RAND_LEN ? 1U : 0U)

static struct rnd_quarantine q;
static struct rnd_rng bytes;

/* What rnd_quarantine_drain() delivered */
static __u32 drained[HELD_LEN];
static unsigned int drained_cnt;

/* quarantine.c needs it in every configuration */
void rnd_rng_refill(struct rnd_rng *rng)
{
	fail_msg("refill of %p", (void *)rng);
}

static int setup(void **state)
{
	(void)state;
	memset(&q, 0, sizeof(q));
	rnd_quarantine_init(&q, RAND_LEN, FIFO_LEN, SEG_LEN);
	drained_cnt = 0;
	return 0;
}

/* What the last push released */
static __u32 out[RND_QUARANTINE_SEG_MAX];

static __u32 push_raw(__u8 byte, __u32 slot)
{
	__u32 cnt;

	bytes.left = 1;
	bytes.buf[0] = byte;
	cnt = rnd_quarantine_push(&q, &bytes, slot, out);
	assert_int_equal(RAND_LEN ? 0 : 1, bytes.left);
	return cnt;
}

/* The index is what a random byte says modulo RAND_LEN */
static __u32 push_at(__u8 byte, __u32 slot)
{
	__u32 cnt = push_raw(byte, slot);

	assert_true(rnd_quarantine_is_valid(&q));
	return cnt;
}

static void drain_one(void *arg, __u32 slot)
{
	assert_ptr_equal(arg, drained);
	assert_true(drained_cnt < HELD_LEN);
	assert_false(rnd_quarantine_contains(&q, slot));
	drained[drained_cnt++] = slot;
}

#if RND_OPT_QUARANTINE

static void quarantine_is_empty_after_init(void **state)
{
	(void)state;
	assert_true(rnd_quarantine_is_valid(&q));
	assert_int_equal(0, rnd_quarantine_count(&q));
	assert_false(rnd_quarantine_contains(&q, 0));
	assert_false(rnd_quarantine_contains(&q, 1));
}

static void quarantine_releases_nothing_while_filling_q2(void **state)
{
	__u32 i, slot = 0;

	(void)state;
	for (i = 0; i < q.rand_len; i++)
		assert_int_equal(0, push_at((__u8)i, slot++));
	for (i = 0; i < RING_LEN - 1; i++)
		assert_int_equal(0, push_at(0, slot++));
	assert_int_equal(HELD_LEN - 1, rnd_quarantine_count(&q));
	assert_int_equal(SEG_LEN, push_at(0, slot));
	assert_int_equal(HELD_LEN - SEG_LEN, rnd_quarantine_count(&q));
}

/* With index 0 only, both stages together are one FIFO; slot 0 is a slot. A
 * segment leaves with its last entry first
 */
static void releases_in_order(__u32 fifo_len, __u32 seg_len)
{
	__u32 slot, cnt, i,
		next = 0,
		ring = (DIV_ROUND_UP(fifo_len, seg_len) + 1) * seg_len;

	rnd_quarantine_init(&q, RAND_LEN ? 1 : 0, fifo_len, seg_len);
	assert_int_equal(ring, q.ring_len);
	for (slot = 0; slot < 7 * ring; slot++) {
		cnt = push_at(0, slot);
		assert_true(cnt == 0 || cnt == seg_len);
		for (i = 0; i < cnt; i++) {
			assert_int_equal(next + cnt - 1 - i, out[i]);
			/* Q2, in evictions from the random stage */
			assert_in_range(slot - HEAD_LEN - out[i], fifo_len,
					fifo_len + 2 * seg_len - 1);
		}
		next += cnt;
	}
	assert_true(next >= 5 * ring);
}

static void quarantine_releases_in_eviction_order_q2(void **state)
{
	static const __u32 lens[][2] = { { 11, 3 }, { 12, 3 }, { 1, 1 },
					 { 1, 5 },  { 7, 1 },  { 5, 7 } };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lens); i++)
		releases_in_order(lens[i][0], lens[i][1]);
}

/* Grown at any moment, it still releases all in order, and later by as much */
static void quarantine_grows_q2(void **state)
{
	const __u32 fifo = 11, seg = 3, more = 7, grown = 9;
	__u32 when, slot, cnt, i, next;

	(void)state;
	for (when = 0; when < 50; when++) {
		rnd_quarantine_init(&q, RAND_LEN ? 1 : 0, fifo, seg);
		next = 0;
		for (slot = 0; slot < 200; slot++) {
			if (slot == when) {
				rnd_quarantine_grow(&q, more);
				assert_int_equal(fifo + grown, q.fifo_len);
				assert_true(rnd_quarantine_is_valid(&q));
				assert_int_equal(slot - next,
						 rnd_quarantine_count(&q));
			}
			cnt = push_at(0, slot);
			assert_true(cnt == 0 || cnt == seg);
			for (i = 0; i < cnt; i++) {
				assert_int_equal(next + cnt - 1 - i, out[i]);
				assert_in_range(
					slot - HEAD_LEN - out[i],
					slot < when ? fifo : fifo + grown,
					(slot < when ? fifo : fifo + grown) +
						2 * seg - 1);
			}
			next += cnt;
		}
		assert_true(next >= 150);
	}
}

static void quarantine_takes_any_number_but_none(void **state)
{
	static const __u32 slots[] = { 0, NONE - 1, 1U << 31, 0xffff };
	unsigned int i;

	(void)state;
	rnd_quarantine_init(&q, RAND_LEN ? 1 : 0, ARRAY_SIZE(slots), 1);
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		assert_int_equal(0, push_at(0, slots[i]));
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		assert_true(rnd_quarantine_contains(&q, slots[i]));
	if (HEAD_LEN)
		assert_int_equal(0, push_at(0, 1000));
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		assert_int_equal(1, push_at(0, 2000 + i));
		assert_int_equal(slots[i], out[0]);
	}
}

static void quarantine_works_at_its_longest(void **state)
{
	__u32 i, ring, slot = 0;

	(void)state;
	memset(&q, 0, sizeof(q));
	rnd_quarantine_init(&q, RND_QUARANTINE_RAND_LEN,
			    RND_QUARANTINE_FIFO_MAX, RND_QUARANTINE_SEG_MAX);
	ring = q.ring_len;
	assert_in_range(ring, RND_QUARANTINE_FIFO_LEN, RND_QUARANTINE_RING_MAX);
	for (i = 0; i < q.rand_len; i++)
		assert_int_equal(0, push_at((__u8)i, slot++));
	for (i = 0; i < ring - 1; i++)
		assert_int_equal(0, push_at(0, slot++));
	assert_int_equal(RND_QUARANTINE_SEG_MAX, push_at(0, slot++));
	/* The first that entered the ring */
	assert_int_equal(0, out[RND_QUARANTINE_SEG_MAX - 1]);
}

/* The same index for a step, which draws 16 bits */
static void step_at(struct rnd_quarantine *twin, __u8 byte, __u32 slot)
{
	bytes.left = 2;
	bytes.buf[0] = byte;
	bytes.buf[1] = (__u8)~byte;
	rnd_quarantine_step(twin, &bytes, slot);
	assert_int_equal(RAND_LEN ? 0 : 2, bytes.left);
}

static __bool can_step(const struct rnd_quarantine *twin)
{
	bytes.left = 2;
	return rnd_quarantine_can_step(twin, &bytes);
}

/* The fast variant and the other one, at every place of the ring */
static void quarantine_step_does_what_push_does(void **state)
{
	struct rnd_quarantine twin;
	__u32 slot, len, cnt;
	__u8 byte;

	(void)state;
	for (len = 1; len <= FIFO_LEN; len++) {
		setup(NULL);
		rnd_quarantine_init(&q, RAND_LEN, len, SEG_LEN);
		twin = q;
		for (slot = 0; slot < 9 * (RAND_LEN + len); slot++) {
			byte = (__u8)(slot * 5 + slot / 8);
			cnt = push_at(byte, slot);
			if (!can_step(&twin)) {
				twin = q;
				continue;
			}
			assert_int_equal(0, cnt);
			step_at(&twin, byte, slot);
			assert_memory_equal(&q, &twin, sizeof(q));
		}
	}
}

static void quarantine_steps_need_16_bits_if_any(void **state)
{
	(void)state;
	for (bytes.left = 0; bytes.left < 4; bytes.left++)
		assert_int_equal(!RAND_LEN || bytes.left >= 2,
				 rnd_quarantine_can_step(&q, &bytes));
}

/* All but one of the pushes that reach a segment */
static void quarantine_steps_leave_the_end_of_a_segment(void **state)
{
	__u32 slot, cnt = 0;

	(void)state;
	if (HEAD_LEN)
		(void)push_at(0, 1000);
	for (slot = 0; slot < 7 * RING_LEN; slot++) {
		cnt += !can_step(&q);
		assert_int_equal(slot % SEG_LEN != SEG_LEN - 1, can_step(&q));
		(void)push_at(0, slot);
	}
	assert_int_equal(7 * RING_LEN / SEG_LEN, cnt);
}

static void quarantine_contains_what_it_holds(void **state)
{
	__u32 slot, held;

	(void)state;
	for (slot = 0; slot <= 40; slot++)
		(void)push_at(3, slot);

	/* One in the random stage, the last ones before it in the FIFO stage */
	held = rnd_quarantine_count(&q);
	assert_in_range(held, HEAD_LEN + FIFO_LEN, HEAD_LEN + RING_LEN);
	for (slot = 0; slot <= 41; slot++)
		assert_int_equal(slot > 40 - held && slot <= 40,
				 rnd_quarantine_contains(&q, slot));
	expect_assert_failure(rnd_quarantine_contains(&q, NONE));
}

/* From every place of the ring, filling up and full */
static void quarantine_drains_oldest_first_and_everything(void **state)
{
	unsigned int cnt, i, held;

	(void)state;
	for (cnt = 0; cnt < 4 * RING_LEN; cnt++) {
		setup(NULL);
		for (i = 0; i < cnt; i++)
			(void)push_at(3, i);
		held = rnd_quarantine_count(&q);
		assert_true(held >= MIN(cnt, HEAD_LEN + FIFO_LEN));

		rnd_quarantine_drain(&q, drain_one, drained);

		assert_int_equal(held, drained_cnt);
		for (i = 0; i < held; i++)
			assert_int_equal(cnt - held + i, drained[i]);
		assert_int_equal(0, rnd_quarantine_count(&q));
		assert_true(rnd_quarantine_is_valid(&q));
		quarantine_releases_nothing_while_filling_q2(NULL);
	}
}

static void quarantine_is_invalid_after_double_push_q1(void **state)
{
	(void)state;
	(void)push_at(0, 1);
	(void)push_raw(1, 1);
	assert_false(rnd_quarantine_is_valid(&q));
}

/* Whether a slot may be put into, or taken out of, an entry: only at the place
 * where the ring is filled next, or was filled last
 */
static __bool is_next_place(__u32 i)
{
	return i + 1 == q.left || i == q.left % q.ring_len;
}

static void quarantine_is_invalid_if_an_entry_is_where_none_is_q4(void **state)
{
	__u32 i, cnt, old;

	(void)state;
	for (cnt = 0; cnt < 3 * RING_LEN; cnt++) {
		setup(NULL);
		for (i = 0; i < cnt; i++)
			(void)push_at(0, i);
		for (i = 0; i < q.ring_len; i++) {
			if (is_next_place(i))
				continue;
			old = q.fifo[i];
			q.fifo[i] = old == NONE ? 1000 : NONE;
			assert_false(rnd_quarantine_is_valid(&q));
			q.fifo[i] = old;
		}
		for (i = RAND_LEN; i < ARRAY_SIZE(q.rand); i++) {
			q.rand[i] = 1000;
			assert_false(rnd_quarantine_is_valid(&q));
			q.rand[i] = NONE;
		}
		assert_true(rnd_quarantine_is_valid(&q));
	}
}

static void quarantine_is_invalid_if_a_field_is(void **state)
{
	static const __u32 wrong[] = { 0, 1, 2, 10, 16, 1000, ~0U };
	__u32 *field[] = { &q.left, &q.floor, &q.fifo_len, &q.seg_len,
			   &q.ring_len };
	unsigned int i, j;
	__u32 old;

	(void)state;
	(void)push_at(0, 1);
	(void)push_at(0, 2);
	for (i = 0; i < ARRAY_SIZE(field); i++)
		for (j = 0; j < ARRAY_SIZE(wrong); j++) {
			old = *field[i];
			*field[i] = wrong[j];
			/* As many segments, or as long ones, will do */
			if (field[i] != &q.fifo_len || wrong[j] != 10)
				assert_false(rnd_quarantine_is_valid(&q));
			*field[i] = old;
		}
	assert_true(rnd_quarantine_is_valid(&q));
	q.rand_len = 3;
	assert_false(rnd_quarantine_is_valid(&q));
	q.rand_len = RND_QUARANTINE_RAND_LEN ? 2 * RND_QUARANTINE_RAND_LEN : 1;
	assert_false(rnd_quarantine_is_valid(&q));
}

static void quarantine_init_contract(void **state)
{
	const __u32 r = RND_QUARANTINE_RAND_LEN, f = RND_QUARANTINE_FIFO_MAX;
	const __u32 m = RND_QUARANTINE_SEG_MAX;

	(void)state;
	expect_assert_failure(rnd_quarantine_init(NULL, RAND_LEN, 1, 1));
	expect_assert_failure(rnd_quarantine_init(&q, RAND_LEN, 0, 1));
	expect_assert_failure(rnd_quarantine_init(&q, RAND_LEN, f + 1, 1));
	expect_assert_failure(rnd_quarantine_init(&q, RAND_LEN, 1, 0));
	expect_assert_failure(rnd_quarantine_init(&q, RAND_LEN, 1, m + 1));
	rnd_quarantine_init(&q, RAND_LEN, f, 1);
	expect_assert_failure(rnd_quarantine_grow(&q, 0));
	expect_assert_failure(rnd_quarantine_grow(&q, 1));
	expect_assert_failure(rnd_quarantine_init(&q, r ? 2 * r : 1, 1, 1));
	if (r)
		expect_assert_failure(rnd_quarantine_init(&q, 0, 1, 1));
	if (r > 3)
		expect_assert_failure(rnd_quarantine_init(&q, 3, 1, 1));
}

#if RND_QUARANTINE_RAND_LEN >= 8

static void quarantine_random_stage_does_not_age_fifo_q2(void **state)
{
	__u32 slot = 3;
	__u8 i;

	(void)state;

	/* Slot 1 enters the FIFO stage, then the rest of the random one fills
	 */
	assert_int_equal(0, push_at(0, 1));
	assert_int_equal(0, push_at(0, 2));
	for (i = 1; i < RAND_LEN; i++)
		assert_int_equal(0, push_at(i, slot++));

	/* It still stays until the ring is full */
	for (i = 2; i < RING_LEN; i++)
		assert_int_equal(0, push_at(0, slot++));
	assert_int_equal(SEG_LEN, push_at(0, slot));
	assert_int_equal(1, out[SEG_LEN - 1]);
}

static void quarantine_uses_the_low_bits_of_the_random_byte(void **state)
{
	unsigned int byte;

	(void)state;
	for (byte = 0; byte < 256; byte++) {
		setup(NULL);
		(void)push_at((__u8)byte, 77);
		assert_int_equal(77, q.rand[byte % RAND_LEN]);
	}
}

static void quarantine_drains_its_random_stage_last(void **state)
{
	unsigned int i, held;

	(void)state;
	for (i = 1; i <= 20; i++)
		(void)push_at(3, i);
	held = rnd_quarantine_count(&q);
	(void)push_at(5, 100);
	(void)push_at(4, 101);

	rnd_quarantine_drain(&q, drain_one, drained);

	/* Slot 20 is the one at index 3 */
	assert_int_equal(held + 2, drained_cnt);
	for (i = 0; i < held; i++)
		assert_int_equal(20 - held + 1 + i, drained[i]);
	assert_int_equal(101, drained[held]);
	assert_int_equal(100, drained[held + 1]);
	assert_int_equal(0, rnd_quarantine_count(&q));
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(quarantine_is_empty_after_init),
		UNIT_TEST(quarantine_releases_nothing_while_filling_q2),
		UNIT_TEST(quarantine_releases_in_eviction_order_q2),
		UNIT_TEST(quarantine_grows_q2),
		UNIT_TEST(quarantine_takes_any_number_but_none),
		UNIT_TEST(quarantine_works_at_its_longest),
		UNIT_TEST(quarantine_step_does_what_push_does),
		UNIT_TEST(quarantine_steps_need_16_bits_if_any),
		UNIT_TEST(quarantine_steps_leave_the_end_of_a_segment),
		UNIT_TEST(quarantine_contains_what_it_holds),
		UNIT_TEST(quarantine_drains_oldest_first_and_everything),
		UNIT_TEST(quarantine_is_invalid_after_double_push_q1),
		UNIT_TEST(
			quarantine_is_invalid_if_an_entry_is_where_none_is_q4),
		UNIT_TEST(quarantine_is_invalid_if_a_field_is),
		UNIT_TEST(quarantine_init_contract),
#if RND_QUARANTINE_RAND_LEN >= 8
		UNIT_TEST(quarantine_random_stage_does_not_age_fifo_q2),
		UNIT_TEST(quarantine_uses_the_low_bits_of_the_random_byte),
		UNIT_TEST(quarantine_drains_its_random_stage_last),
#endif
	};

	return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}

#else /* !RND_OPT_QUARANTINE */

static void quarantine_that_is_off_keeps_nothing(void **state)
{
	__u32 slot;

	(void)state;
	for (slot = 0; slot < 20; slot++) {
		assert_false(rnd_quarantine_can_step(&q, &bytes));
		assert_int_equal(1, push_at(0, slot));
		assert_int_equal(slot, out[0]);
		assert_int_equal(0, rnd_quarantine_count(&q));
	}
	rnd_quarantine_drain(&q, drain_one, drained);
	assert_int_equal(0, drained_cnt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(quarantine_that_is_off_keeps_nothing),
	};

	return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}

#endif
