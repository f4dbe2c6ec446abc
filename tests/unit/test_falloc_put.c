/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the frame allocator: frames given back by reference, many at a
 * time, are given back as one by one
 *
 * links: plat/common/falloc_core.c plat/common/falloc_block.c
 *        plat/common/falloc_put.c
 *        plat/common/falloc_check.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../plat/common/falloc_block.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define BLOCK FALLOC_CORE_BLOCK
#define CLOSE FALLOC_CHOICE_CLOSE
#define HALF  FALLOC_CLOSE_FREE

/* The ranges: an odd one, one of whole blocks, and one far away whose frames
 * have the same place in near[] as those of the first
 */
static const struct {
	__u64 pfn;
	__u32 cnt;
} map[] = {
	{ 0x103, 2000 },
	{ 0x10000, 60 * BLOCK },
	{ 0x103 + FALLOC_CORE_NEAR * BLOCK, 2500 },
};
#define RANGES ARRAY_SIZE(map)
#define FRAMES (2000U + 60 * BLOCK + 2500)

#define BATCH_MAX 100U
#define STEPS	  10000U

/* Two that must not differ: one gets single frames, the other batches */
static struct falloc_core one, many;
static void *meta_one, *meta_many;
static __u32 rand_one, rand_many, seed;

/* References of frames in use, in no order */
static __u64 used[FRAMES];
static unsigned int used_cnt;

static __u32 test_rand(void *arg, __u32 bound)
{
	__u32 *state = arg;

	assert_true(bound > 0);
	*state = *state * 1664525U + 1013904223U;
	return (__u32)((__u64)*state * bound >> 32);
}

static __u32 roll(__u32 bound)
{
	return test_rand(&seed, bound);
}

static void start(struct falloc_core *core, void **meta, __u32 *rand)
{
	unsigned int i;

	*meta = malloc(falloc_core_meta_len(FRAMES));
	assert_non_null(*meta);
	memset(*meta, 0, falloc_core_meta_len(FRAMES));
	*rand = 3;
	falloc_core_init(core, *meta, FRAMES, test_rand, rand);
	for (i = 0; i < RANGES; i++)
		assert_int_equal(falloc_core_add(core, map[i].pfn, map[i].cnt),
				 0);
}

static int setup(void **state)
{
	(void)state;
	seed = 5;
	used_cnt = 0;
	start(&one, &meta_one, &rand_one);
	start(&many, &meta_many, &rand_many);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(meta_one);
	free(meta_many);
	return 0;
}

/* Takes the same frame of both */
static void take(void)
{
	__u64 pfn, other;
	int zero;

	assert_int_equal(falloc_core_take(&one, &pfn, &zero), 0);
	assert_int_equal(falloc_core_take(&many, &other, &zero), 0);
	assert_int_equal(pfn, other);
	used[used_cnt++] = pfn << FALLOC_REF_SHIFT |
			   falloc_core_range(&one, pfn);
}

/* Draws the reference of a frame in use, sometimes one that is zero */
static __u64 draw(void)
{
	__u32 i = roll(used_cnt);
	__u64 ref = used[i] | (roll(2) ? FALLOC_REF_ZERO : 0);

	used[i] = used[--used_cnt];
	return ref;
}

static void put_one(__u64 ref)
{
	__u64 bad;

	assert_int_equal(falloc_core_put(&one, ref >> FALLOC_REF_SHIFT, 1,
					 !!(ref & FALLOC_REF_ZERO), &bad),
			 0);
}

/* Gives a batch back, whose references are known */
static void put(const __u64 *refs, unsigned int cnt)
{
	unsigned int i;

	for (i = 0; i < cnt; i++)
		put_one(refs[i]);
	assert_int_equal(falloc_core_put_refs(&many, refs, cnt), cnt);
}

static void assert_same(void)
{
	assert_int_equal(one.nfree, many.nfree);
	assert_int_equal(one.nopen, many.nopen);
	assert_int_equal(one.nputs, many.nputs);
	assert_memory_equal(one.end, many.end, sizeof(one.end));
	assert_memory_equal(meta_one, meta_many,
			    falloc_core_meta_len(FRAMES) - FRAMES);
}

/* Fuller and emptier, so that blocks open, close and become whole */
static void batches_are_as_single_frames(void **state)
{
	__u64 refs[BATCH_MAX];
	unsigned int step, cnt, i, min = FRAMES, max = 0;

	(void)state;
	for (step = 0; step < STEPS; step++) {
		cnt = 1 + roll(BATCH_MAX);
		if (step / 2500 % 2 ? roll(3) : !roll(3)) {
			cnt = MIN(cnt, used_cnt);
			for (i = 0; i < cnt; i++)
				refs[i] = draw();
			put(refs, cnt);
		} else {
			for (i = 0; i < cnt && one.nfree; i++)
				take();
		}
		min = MIN(min, one.nfree);
		max = MAX(max, one.nfree);
		if (step % 64 == 0)
			assert_same();
	}
	assert_same();
	assert_true(falloc_core_is_valid(&many));
	assert_true(min < FRAMES / 4 && max > FRAMES - BATCH_MAX);
}

/* Whatever its block is like: open, at rest, whole or in the same batch */
static void batches_end_at_a_free_frame(void **state)
{
	__u64 refs[3], pfn;
	unsigned int cnt;

	(void)state;
	while (used_cnt < FRAMES)
		take();
	for (cnt = 0; cnt < FRAMES - 64; cnt += 2) {
		refs[0] = draw();
		refs[1] = draw();
		refs[2] = refs[roll(2)];
		put(refs, 2);
		assert_int_equal(falloc_core_put_refs(&many, refs, 3), 0);
		assert_int_equal(falloc_core_put_refs(&many, refs + 1, 2), 0);
	}
	assert_same();
	refs[0] = draw();
	refs[1] = refs[0];
	assert_int_equal(falloc_core_put_refs(&many, refs, 2), 1);
	put_one(refs[0]);
	assert_same();
	/* Whole, taken at once, and put at once: no frame of it is known */
	assert_int_equal(falloc_core_take_run(&many, BLOCK, BLOCK, 0, __U64_MAX,
					      &pfn, (int[1]){ 0 }),
			 0);
	assert_int_equal(falloc_core_put(&many, pfn, BLOCK, 0, refs), 0);
	refs[0] = pfn << FALLOC_REF_SHIFT | 1;
	assert_int_equal(falloc_core_put_refs(&many, refs, 1), 0);
}

/* Reference of a frame of a whole block of the second range */
static __u64 ref_at(unsigned int block, unsigned int n)
{
	return (map[1].pfn + (__u64)block * BLOCK + n) << FALLOC_REF_SHIFT | 1;
}

static unsigned int blocks_closed(void)
{
	unsigned int b, cnt = 0;

	for (b = 0; b < many.nblocks; b++)
		cnt += many.block[b].state == FALLOC_BLOCK_REST;
	return cnt;
}

/* Half of each block comes back, block after block: they all become worth it at
 * the same time, but as many frames are put before each as it takes steps
 */
static void blocks_do_not_close_together(void **state)
{
	unsigned int b, n, before;
	__u64 ref;

	(void)state;
	while (used_cnt < FRAMES)
		take();
	for (n = 0; n < HALF - 1; n++)
		for (b = 0; b < 60; b++) {
			ref = ref_at(b, n);
			put(&ref, 1);
		}
	assert_int_equal(blocks_closed(), 0);
	assert_true(many.nopen > CLOSE + 20 * HALF);
	assert_true(many.nputs >= HALF);
	for (; n < HALF + 20; n++) {
		before = blocks_closed();
		for (b = 0; b < 60; b++) {
			ref = ref_at(b, n);
			put(&ref, 1);
		}
		assert_in_range(blocks_closed(), before, before + 1);
	}
	/* 21 rounds of 60 frames: the first one, and one for each 256 */
	assert_int_equal(blocks_closed(), 1 + (21 * 60 - 1) / HALF);
	assert_same();
	assert_true(falloc_core_is_valid(&many));
}

/* The range of a frame, whoever was looked for before; and there is none */
static void ranges_are_found(void **state)
{
	static const __u64 none[] = { 0,
				      0x102,
				      0x103 + 2000,
				      0x10000 - 1,
				      0x10000 + 60 * BLOCK,
				      0x102 + FALLOC_CORE_NEAR * BLOCK,
				      0x103 + FALLOC_CORE_NEAR * BLOCK + 2500,
				      __U64_MAX };
	unsigned int i, r;

	(void)state;
	for (i = 0; i < 20000; i++) {
		r = roll(RANGES);
		assert_int_equal(
			falloc_core_range(&one, map[r].pfn + roll(map[r].cnt)),
			r);
		assert_int_equal(falloc_core_range(&one, map[r].pfn), r);
		assert_int_equal(
			falloc_core_range(&one, none[roll(ARRAY_SIZE(none))]),
			FALLOC_CORE_RANGES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(batches_are_as_single_frames),
		UNIT_TEST(batches_end_at_a_free_frame),
		UNIT_TEST(blocks_do_not_close_together),
		UNIT_TEST(ranges_are_found),
	};

	return cmocka_run_group_tests_name("falloc_put", tests, NULL, NULL);
}
