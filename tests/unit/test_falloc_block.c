/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the frame allocator's blocks: which frames are chosen, and what
 * stays whole
 *
 * links: plat/common/falloc_core.c plat/common/falloc_block.c
 *        plat/common/falloc_put.c
 *        plat/common/falloc_check.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "falloc_core.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define BLOCK  FALLOC_CORE_BLOCK
#define CHOICE FALLOC_CORE_CHOICE

/* A machine of 64 MiB, as a memory map may have it: odd ranges, one of them
 * within a block, and the second one at lower addresses than the first
 */
static const struct {
	__u64 pfn;
	__u32 cnt;
} map[] = {
	{ 0x1003, 9000 }, { 0x105, 3000 }, { 0x9001, 77 },
	{ 0x8000, 512 },  { 0x8200, 511 }, { 0x100000, 3284 },
};
#define RANGES ARRAY_SIZE(map)
#define FRAMES 16384U

/* Offset of a range in the tests' own order of frames */
static unsigned int offset[RANGES + 1];

static struct falloc_core core;
static __u64 *meta;
static __u64 rand_state;

/* The reference: what each frame is */
static enum {
	FREE,
	FREE_ZERO,
	USED
} model[FRAMES];
static unsigned int model_free;

/* Frames in use, in no order */
static __u64 used[FRAMES];
static unsigned int used_cnt;

static __u32 test_rand(void *arg, __u32 bound)
{
	assert_ptr_equal(arg, &rand_state);
	assert_true(bound > 0);
	rand_state = rand_state * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((rand_state >> 32) * bound >> 32);
}

static __u32 roll(__u32 bound)
{
	return test_rand(&rand_state, bound);
}

static int setup(void **state)
{
	unsigned int i;

	(void)state;
	rand_state = 11;
	meta = malloc(falloc_core_meta_len(FRAMES));
	assert_non_null(meta);
	memset(meta, 0xff, falloc_core_meta_len(FRAMES));
	falloc_core_init(&core, meta, FRAMES, test_rand, &rand_state);
	for (i = 0; i < RANGES; i++) {
		offset[i + 1] = offset[i] + map[i].cnt;
		assert_int_equal(falloc_core_add(&core, map[i].pfn, map[i].cnt),
				 0);
		assert_true(falloc_core_is_valid(&core));
	}
	assert_int_equal(offset[RANGES], FRAMES);
	assert_int_equal(core.nfree, FRAMES);
	memset(model, 0, sizeof(model));
	model_free = FRAMES;
	used_cnt = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(meta);
	return 0;
}

/* Number of a frame in the reference, FRAMES if it does not exist */
static unsigned int number_of(__u64 pfn)
{
	unsigned int i;

	for (i = 0; i < RANGES; i++)
		if (pfn >= map[i].pfn && pfn < map[i].pfn + map[i].cnt)
			return offset[i] + (unsigned int)(pfn - map[i].pfn);
	return FRAMES;
}

static __u64 pfn_of(unsigned int number)
{
	unsigned int i = 0;

	while (number >= offset[i + 1])
		i++;
	return map[i].pfn + (number - offset[i]);
}

static int model_is_free(__u64 pfn)
{
	unsigned int n = number_of(pfn);

	return n < FRAMES && model[n] != USED;
}

/* What take functions must say of these frames; all in use afterwards */
static int model_take(__u64 pfn, __u64 cnt)
{
	int zero = 1;
	__u64 i;

	for (i = 0; i < cnt; i++) {
		assert_true(model_is_free(pfn + i));
		zero &= model[number_of(pfn + i)] == FREE_ZERO;
		model[number_of(pfn + i)] = USED;
	}
	model_free -= (unsigned int)cnt;
	return zero;
}

static void take(void)
{
	__u64 pfn;
	int zero;

	assert_int_equal(falloc_core_take(&core, &pfn, &zero), 0);
	assert_int_equal(zero, model_take(pfn, 1));
	used[used_cnt++] = pfn;
}

static void put(__u64 pfn, __u64 cnt, int zero)
{
	__u64 bad, i;

	assert_int_equal(falloc_core_put(&core, pfn, cnt, zero, &bad), 0);
	for (i = 0; i < cnt; i++) {
		assert_int_equal(model[number_of(pfn + i)], USED);
		model[number_of(pfn + i)] = zero ? FREE_ZERO : FREE;
	}
	model_free += (unsigned int)cnt;
}

static void put_random(int zero)
{
	unsigned int i = roll(used_cnt);
	__u64 pfn = used[i];

	used[i] = used[--used_cnt];
	put(pfn, 1, zero);
}

static int take_huge(__u64 *pfn, int *zero)
{
	return falloc_core_take_run(&core, BLOCK, BLOCK, 0, ~0UL, pfn, zero);
}

static int block_is_free(__u64 pfn)
{
	__u64 i;

	for (i = 0; i < BLOCK; i++)
		if (!model_is_free(pfn + i))
			return 0;
	return 1;
}

/* Aligned groups of 512 free frames in the reference */
static unsigned int model_blocks(void)
{
	unsigned int i, cnt = 0;
	__u64 pfn;

	for (i = 0; i < RANGES; i++)
		for (pfn = ALIGN_UP(map[i].pfn, (__u64)BLOCK);
		     pfn + BLOCK <= map[i].pfn + map[i].cnt; pfn += BLOCK)
			cnt += (unsigned int)block_is_free(pfn);
	return cnt;
}

/* 16 + 5 + 1 + 6: see the map */
#define BLOCKS 28U

static void block_complete_ones_start_whole(void **state)
{
	(void)state;
	assert_int_equal(model_blocks(), BLOCKS);
	assert_int_equal(core.end[0], BLOCKS);
	assert_int_equal(core.nopen, FRAMES - BLOCKS * BLOCK);
}

static void block_every_huge_page_is_found(void **state)
{
	unsigned int i;
	__u64 pfn;
	int zero;

	(void)state;
	for (i = 0; i < BLOCKS; i++) {
		assert_int_equal(take_huge(&pfn, &zero), 0);
		assert_int_equal(pfn % BLOCK, 0);
		assert_int_equal(model_take(pfn, BLOCK), zero);
		assert_true(falloc_core_is_valid(&core));
	}
	assert_int_equal(take_huge(&pfn, &zero), -ENOMEM);

	/* What is left are the borders */
	for (i = core.nfree; i; i--)
		take();
	assert_int_equal(falloc_core_take(&core, &pfn, &zero), -ENOMEM);
	assert_int_equal(model_free, 0);
}

static void block_huge_page_may_be_put_in_pieces(void **state)
{
	unsigned int i, nfree;
	__u64 pfn, bad;
	int zero;

	(void)state;
	assert_int_equal(take_huge(&pfn, &zero), 0);
	nfree = core.nfree;
	for (i = 0; i < BLOCK; i += 8) {
		assert_int_equal(falloc_core_put(&core, pfn + i, 8, 0, &bad),
				 0);
		assert_int_equal(core.nfree, nfree + i + 8);
		assert_true(falloc_core_is_valid(&core));
	}
	assert_int_equal(falloc_core_put(&core, pfn, BLOCK, 0, &bad), -EEXIST);
	assert_int_equal(bad, pfn);
}

static void block_one_frame_is_taken_of_a_whole_one(void **state)
{
	unsigned int nopen = core.nopen;
	__u64 bad;
	int zero;

	(void)state;
	assert_int_equal(falloc_core_take_at(&core, 0x1200, 1, &zero), 0);
	assert_int_equal(core.end[0], BLOCKS - 1);
	assert_int_equal(core.nopen, nopen + BLOCK - 1);
	assert_true(falloc_core_is_valid(&core));

	assert_int_equal(falloc_core_put(&core, 0x1200, 1, 0, &bad), 0);
	assert_true(falloc_core_is_valid(&core));
}

static void block_run_across_three_is_taken_and_put(void **state)
{
	__u64 bad;
	int zero;

	(void)state;
	/* The end of one, all of the next, the start of a third */
	assert_int_equal(falloc_core_take_at(&core, 0x13ff, BLOCK + 2, &zero),
			 0);
	assert_int_equal(core.end[0], BLOCKS - 3);
	assert_true(falloc_core_is_valid(&core));
	assert_int_equal(falloc_core_take_at(&core, 0x1400, BLOCK, &zero),
			 -ENOMEM);

	assert_int_equal(falloc_core_put(&core, 0x13ff, BLOCK + 2, 0, &bad), 0);
	assert_int_equal(core.nfree, FRAMES);
	assert_true(falloc_core_is_valid(&core));
}

static void block_huge_page_keeps_to_limits(void **state)
{
	__u64 pfn;
	int zero;

	(void)state;
	assert_int_equal(falloc_core_take_run(&core, BLOCK, BLOCK, 0x8000,
					      0x8200, &pfn, &zero),
			 0);
	assert_int_equal(pfn, 0x8000);
	assert_int_equal(falloc_core_take_run(&core, BLOCK, BLOCK, 0x8000,
					      0x8400, &pfn, &zero),
			 -ENOMEM);
	assert_true(falloc_core_is_valid(&core));
}

/* There is no choice but of what is open until that is little */
static void block_opens_only_when_choice_is_low(void **state)
{
	unsigned int nopen, whole;

	(void)state;
	while (core.nfree > CHOICE) {
		nopen = core.nopen;
		whole = core.end[0];
		take();
		assert_true(core.nopen + 1 >= CHOICE);
		if (nopen >= CHOICE)
			assert_int_equal(core.end[0], whole);
		assert_true(core.nopen < CHOICE + 2 * BLOCK);
	}
	assert_true(falloc_core_is_valid(&core));
	while (core.nfree)
		take();
	assert_int_equal(used_cnt, FRAMES);
}

/* Number of blocks that are in another state than before */
static unsigned int changes(void)
{
	static __u16 before[64];
	unsigned int b, cnt = 0;

	for (b = 0; b < core.nblocks; b++) {
		cnt += before[b] != core.block[b].state;
		before[b] = core.block[b].state;
	}
	return cnt;
}

/* What was taken last is put first: it is in an open block most likely, where
 * it counts
 */
static void back_or_forth(int taking)
{
	if (!taking)
		put(used[--used_cnt], 1, 0);
	else if (core.nfree)
		take();
}

/* Takes or puts until a block changes, but not for ever */
static void seek(int taking)
{
	unsigned int i;

	for (i = 0; i < 2 * BLOCK && !changes(); i++)
		back_or_forth(taking);
}

/* Goes back and forth in steps of this length, beginning just after a block
 * has opened or closed
 */
static void seesaw(unsigned int far, int taking)
{
	unsigned int ops = far * 20 + 2000;
	unsigned int cnt = 0;
	unsigned int i;

	seek(taking);
	for (i = 0; i < ops; i++) {
		back_or_forth((int)(i / far % 2) == taking);
		cnt += changes();
	}
	assert_true(cnt <= ops / (BLOCK / 2) + 1);
}

static void assert_changes_are_rare(unsigned int in_use)
{
	unsigned int far;

	for (far = 1; far < 2000; far += far / 4 + 1) {
		while (used_cnt < in_use)
			take();
		while (used_cnt > in_use)
			put_random(0);
		(void)changes();
		seesaw(far, 1);
		seesaw(far, 0);
	}
}

static void block_changes_cost_a_constant_share(void **state)
{
	(void)state;
	/* Blocks with many free frames, with few, with half */
	assert_changes_are_rare(2000);
	assert_changes_are_rare(FRAMES - CHOICE - 2 * BLOCK);
	assert_changes_are_rare(FRAMES / 2);
}

/* A frame of a block in use costs no more than another one */
static void block_with_few_free_frames_stays_open(void **state)
{
	__u64 pfn = 0x1200;
	__u64 bad;
	int zero;

	(void)state;
	for (; core.nfree;)
		take();
	/* Never all frames of a block: idle ones are closed first */
	for (; core.nopen < CHOICE + 2 * BLOCK - 1; pfn++)
		if (pfn % BLOCK)
			put(pfn, 1, 0);
	(void)changes();
	for (pfn = ALIGN_UP(pfn + BLOCK, (__u64)BLOCK); pfn < 0x3200;
	     pfn += BLOCK) {
		put(pfn, 1, 0);
		assert_int_equal(changes(), 0);
		assert_int_equal(falloc_core_put(&core, pfn, 1, 0, &bad),
				 -EEXIST);
	}
	assert_true(core.nopen >= CHOICE + 2 * BLOCK);
	assert_int_equal(falloc_core_take_at(&core, pfn - BLOCK, 1, &zero), 0);
	assert_true(falloc_core_is_valid(&core));
}

static void block_at_rest_is_opened_first(void **state)
{
	__u32 whole;

	(void)state;
	while (used_cnt < FRAMES * 3 / 4)
		take();
	while (used_cnt > FRAMES / 8)
		put_random(0);
	while (core.end[0] < 1) {
		put_random(0);
		take();
	}
	whole = core.end[0];
	assert_true(core.end[1] > whole);
	while (core.end[1] > core.end[0]) {
		take();
		assert_int_equal(core.end[0], whole);
	}
}

static unsigned int huge_cnt(void)
{
	unsigned int cnt = 0;
	__u64 pfn[BLOCKS], bad;
	unsigned int i;
	int zero;

	while (take_huge(&pfn[cnt], &zero) == 0)
		cnt++;
	for (i = 0; i < cnt; i++)
		assert_int_equal(falloc_core_put(&core, pfn[i], BLOCK, 0, &bad),
				 0);
	return cnt;
}

static void block_survives_churn_of_single_frames(void **state)
{
	unsigned int i, n;

	(void)state;
	for (n = 0; n < 4; n++) {
		while (used_cnt < FRAMES / 10)
			take();
		for (i = 0; i < 2 * FRAMES; i++) {
			put_random(0);
			take();
		}
		assert_true(falloc_core_is_valid(&core));
		print_message("%u of %u blocks are free\n", huge_cnt(), BLOCKS);
		/* 1638 in use and 3072 to choose from, fewer than 10 blocks,
		 * and those at rest
		 */
		assert_true(huge_cnt() >= BLOCKS / 2);
	}
}

/* Frames stay where they are, so right after the peak no block is free: each
 * has 25 frames in use, at random. Those that are taken from now on lie
 * together, and when each was put some three times (25 > e^3) blocks are free.
 */
static void block_comes_back_after_a_peak(void **state)
{
	unsigned int i, n, cnt;

	(void)state;
	for (n = 0; n < 4; n++) {
		while (used_cnt < FRAMES / 10 * 9)
			take();
		assert_int_equal(huge_cnt(), 0);
		while (used_cnt > FRAMES / 200 * 9)
			put_random(0);
		for (i = 0; i < 8 * used_cnt; i++) {
			put_random(0);
			take();
		}
		assert_true(falloc_core_is_valid(&core));
		cnt = huge_cnt();
		print_message("%u of %u blocks are free, %u frames in use\n",
			      cnt, BLOCKS, used_cnt);
		assert_true(cnt >= BLOCKS * 3 / 4);
	}
	while (used_cnt)
		put_random(0);
	assert_int_equal(huge_cnt(), BLOCKS);
}

static void block_zero_is_remembered_per_frame(void **state)
{
	__u64 pfn = 0x1200;
	int zero;

	(void)state;
	assert_int_equal(falloc_core_take_at(&core, pfn, BLOCK, &zero), 0);
	assert_int_equal(zero, 0);
	model_take(pfn, BLOCK);
	put(pfn, BLOCK, 1);
	assert_true(falloc_core_is_valid(&core));

	/* Opened by one frame, the others keep what the block said */
	assert_int_equal(falloc_core_take_at(&core, pfn + 7, 1, &zero), 0);
	assert_int_equal(zero, 1);
	model_take(pfn + 7, 1);
	assert_int_equal(falloc_core_take_at(&core, pfn + 8, 3, &zero), 0);
	assert_int_equal(zero, 1);
	model_take(pfn + 8, 3);
	put(pfn + 7, 4, 0);
	assert_int_equal(falloc_core_take_at(&core, pfn + 10, 2, &zero), 0);
	assert_int_equal(zero, 0);
	assert_int_equal(falloc_core_take_at(&core, pfn + 12, 2, &zero), 0);
	assert_int_equal(zero, 1);
	assert_true(falloc_core_is_valid(&core));
}

/* Takes what is wanted if the reference says that it is free */
static void step_take_at(void)
{
	__u64 cnt = roll(8) ? 1 + roll(40) : BLOCK + roll(BLOCK);
	__u64 pfn = pfn_of(roll(FRAMES));
	int known = 1;
	int is_free = 1;
	int zero = 0;
	__u64 i;
	int rc;

	if (!roll(4))
		pfn &= ~(__u64)(BLOCK - 1);
	for (i = 0; i < cnt && known; i++) {
		known = number_of(pfn + i) < FRAMES;
		if (known && !model_is_free(pfn + i)) {
			is_free = 0;
			break;
		}
	}
	rc = falloc_core_take_at(&core, pfn, cnt, &zero);
	if (!known || !is_free) {
		assert_int_equal(rc, known ? -ENOMEM : -EINVAL);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(zero, model_take(pfn, cnt));
	for (i = 0; i < cnt; i++)
		used[used_cnt++] = pfn + i;
}

static void step_take_run(void)
{
	__u64 cnt = 1 + roll(64);
	__u64 align = 1UL << roll(6);
	__u64 min = roll(2) ? 0 : 0x1000;
	__u64 max = roll(2) ? ~0UL : 0x8100;
	__u64 pfn = 0;
	__u64 i;
	int zero;

	if (falloc_core_take_run(&core, cnt, align, min, max, &pfn, &zero))
		return;
	assert_int_equal(pfn % align, 0);
	assert_true(pfn >= min && pfn + cnt <= max);
	assert_int_equal(zero, model_take(pfn, cnt));
	for (i = 0; i < cnt; i++)
		used[used_cnt++] = pfn + i;
}

static void step_take_huge(void)
{
	__u64 pfn;
	unsigned int i;
	int zero;
	int rc = take_huge(&pfn, &zero);

	assert_int_equal(rc, model_blocks() ? 0 : -ENOMEM);
	if (rc)
		return;
	assert_int_equal(zero, model_take(pfn, BLOCK));
	/* Half of them are put as they were taken */
	if (roll(2)) {
		put(pfn, BLOCK, roll(2) != 0);
		return;
	}
	for (i = 0; i < BLOCK; i++)
		used[used_cnt++] = pfn + i;
}

static void step_put_bad(void)
{
	__u64 pfn = pfn_of(roll(FRAMES));
	__u64 bad;

	if (!model_is_free(pfn))
		return;
	assert_int_equal(falloc_core_put(&core, pfn, 1, 0, &bad), -EEXIST);
	assert_int_equal(bad, pfn);
}

static void step(unsigned int n)
{
	unsigned int goal = n / 700 % 2 ? FRAMES * 19 / 20 : FRAMES / 20;
	unsigned int i;

	switch (roll(12)) {
	case 0:
		step_take_at();
		break;
	case 1:
		step_take_run();
		break;
	case 2:
		step_take_huge();
		break;
	case 3:
		step_put_bad();
		break;
	default:
		for (i = 0; i < 64; i++) {
			if (used_cnt > goal && used_cnt)
				put_random(roll(2) != 0);
			else if (core.nfree)
				take();
		}
	}
}

static void block_model_agrees(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 0; n < 2800; n++) {
		step(n);
		assert_int_equal(core.nfree, model_free);
		assert_int_equal(model_free + used_cnt, FRAMES);
		assert_true(falloc_core_is_valid(&core));
	}
	while (used_cnt)
		put_random(1);
	assert_int_equal(core.nfree, FRAMES);
	assert_true(core.nopen < CHOICE + 2 * BLOCK);
	assert_true(falloc_core_is_valid(&core));
}

/* Each round draws a frame and puts it back, from a state in which neither
 * opens or closes a block: so the candidates are the same each time. Two tests
 * are exact: each candidate is drawn, and nothing else ever; a correct
 * implementation misses one with less than 10^-13. Then, a frame that was just
 * put, the last one in list[], is drawn next CHI_DRAWS_EACH times; less than
 * 9 or more than 85 times with 10^-8. Last is chi-square, with a limit 6
 * standard deviations above the mean: 10^-8 again.
 */
#define CHI_DRAWS_EACH 40U

static void block_draws_uniformly_among_open(void **state)
{
	static unsigned int hits[FRAMES];
	unsigned int i, left, nopen;
	unsigned int again = 0;
	__u64 last = 0;
	double chi = 0, diff, limit;
	__u64 pfn, bad;
	int zero;

	(void)state;
	memset(hits, 0, sizeof(hits));
	for (i = 0; i < FRAMES / 2; i++)
		take();
	for (i = 0; i < 100; i++)
		put_random(0);
	nopen = core.nopen;
	left = nopen;
	assert_true(nopen > CHOICE && nopen + 1 < CHOICE + 2 * BLOCK);
	for (i = 0; i < CHI_DRAWS_EACH * nopen; i++) {
		assert_int_equal(falloc_core_take(&core, &pfn, &zero), 0);
		hits[number_of(pfn)]++;
		again += pfn == last;
		last = pfn;
		assert_int_equal(falloc_core_put(&core, pfn, 1, 0, &bad), 0);
		assert_int_equal(core.nopen, nopen);
	}
	for (i = 0; i < FRAMES; i++) {
		if (!hits[i])
			continue;
		left--;
		diff = (double)hits[i] - CHI_DRAWS_EACH;
		chi += diff * diff / CHI_DRAWS_EACH;
	}
	assert_int_equal(left, 0);
	assert_in_range(again, 9, 85);
	limit = nopen - 1 + 6 * sqrt(2.0 * (nopen - 1));
	print_message("chi-square %.1f of %u frames, limit %.1f\n", chi, nopen,
		      limit);
	assert_true(chi < limit);
}

static void block_huge_pages_are_drawn_uniformly(void **state)
{
	unsigned int hits[64] = { 0 };
	double chi = 0, diff;
	unsigned int i, b;
	__u64 pfn, bad;
	int zero;

	(void)state;
	for (i = 0; i < 1000 * BLOCKS; i++) {
		assert_int_equal(take_huge(&pfn, &zero), 0);
		for (b = 0; b < core.nblocks; b++)
			if (core.block[b].state == FALLOC_BLOCK_TAKEN)
				hits[b]++;
		assert_int_equal(falloc_core_put(&core, pfn, BLOCK, 0, &bad),
				 0);
	}
	for (b = 0; b < core.nblocks; b++) {
		if (core.block[b].len < BLOCK)
			continue;
		diff = (double)hits[b] - 1000;
		chi += diff * diff / 1000;
	}
	/* 27 degrees of freedom: quantile 1 - 1e-9 */
	print_message("chi-square %.1f, limit 98\n", chi);
	assert_true(chi < 98);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(block_complete_ones_start_whole),
		UNIT_TEST(block_every_huge_page_is_found),
		UNIT_TEST(block_huge_page_may_be_put_in_pieces),
		UNIT_TEST(block_one_frame_is_taken_of_a_whole_one),
		UNIT_TEST(block_run_across_three_is_taken_and_put),
		UNIT_TEST(block_huge_page_keeps_to_limits),
		UNIT_TEST(block_opens_only_when_choice_is_low),
		UNIT_TEST(block_changes_cost_a_constant_share),
		UNIT_TEST(block_with_few_free_frames_stays_open),
		UNIT_TEST(block_at_rest_is_opened_first),
		UNIT_TEST(block_survives_churn_of_single_frames),
		UNIT_TEST(block_comes_back_after_a_peak),
		UNIT_TEST(block_zero_is_remembered_per_frame),
		UNIT_TEST(block_model_agrees),
		UNIT_TEST(block_draws_uniformly_among_open),
		UNIT_TEST(block_huge_pages_are_drawn_uniformly),
	};

	return cmocka_run_group_tests_name("falloc_block", tests, NULL, NULL);
}
