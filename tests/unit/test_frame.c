/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the frames without paging, where they lie in pieces. These are
 * for ever: the group's setup adds them, each test puts back what it takes.
 *
 * links: tests/unit/unikraft_pool.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "unikraft/draw.h"
#include "unikraft_pool.h"

#define LEN RND_FRAME_LEN

/* As in frame.c */
#define PIECES_MAX 32U

/* Frames of the pieces that all tests have, and of their maps. The last one
 * needs a second frame for its map, for its last 100 frames.
 */
static const struct {
	unsigned int frames;
	unsigned int map;
} piece[] = { { 2, 1 }, { 65, 1 }, { 1000, 1 }, { 32768 + 100, 2 } };

#define FRAMES (1 + 64 + 999 + 32768 + 98U)

/* What is between two pieces, and behind them for one more */
#define GAP  3U
#define MORE 2U
#define ALL  (FRAMES + 5 + ARRAY_SIZE(piece) * GAP + 2UL * PIECES_MAX)

static char *memory;
static __paddr_t got[FRAMES + 1];
static __u64 seed;

__u32 rnd_draw32(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)(seed >> 32);
}

/* Physical addresses start at 0 */
void *rnd_glue_frame(__paddr_t frame)
{
	assert_int_equal(frame % LEN, 0);
	assert_true(frame / LEN < ALL);
	return memory + frame;
}

__sz rnd_glue_regions_total(void)
{
	return 77 * LEN;
}

/* Nobody may call these without paging */
int rnd_glue_frame_get(__paddr_t *frame)
{
	*frame = 0;
	abort();
}

int rnd_glue_frame_get_run(__sz cnt, __paddr_t *first)
{
	(void)cnt;
	*first = 0;
	abort();
}

void rnd_glue_frame_put(__paddr_t frame)
{
	(void)frame;
	abort();
}

__sz rnd_glue_frames_total(void)
{
	abort();
}

__sz rnd_glue_frames_free(void)
{
	abort();
}

/* First frame of a piece */
static unsigned long start_of(unsigned int n)
{
	unsigned long start = GAP;

	while (n--)
		start += piece[n].frames + GAP;
	return start;
}

static int pieces_setup(void **state)
{
	unsigned int i;

	(void)state;
	memory = mmap(NULL, ALL * LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(rnd_frame_free(), 0);
	assert_int_equal(rnd_frame_get(got), -ENOMEM);
	for (i = 0; i < ARRAY_SIZE(piece); i++) {
		/* Junk: nothing may depend on what is in new memory */
		memset(memory + start_of(i) * LEN, 0x5a, piece[i].map * LEN);
		assert_int_equal(rnd_frame_add(start_of(i) * LEN,
					       piece[i].frames * LEN),
				 0);
	}
	return 0;
}

static int pieces_teardown(void **state)
{
	(void)state;
	return munmap(memory, ALL * LEN);
}

static void get_all(void)
{
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		assert_int_equal(rnd_frame_get(&got[i]), 0);
}

static void put_all(void)
{
	unsigned int i;

	for (i = 0; i < FRAMES; i++)
		rnd_frame_put(got[i]);
}

static void assert_is_of_a_piece(__paddr_t frame)
{
	unsigned long n = frame / LEN;
	unsigned int i;

	assert_int_equal(frame % LEN, 0);
	for (i = 0; i < ARRAY_SIZE(piece); i++)
		if (n >= start_of(i) + piece[i].map &&
		    n < start_of(i) + piece[i].frames)
			return;
	fail_msg("frame %lu is not to be given out", n);
}

static void each_frame_is_given_once(void **state)
{
	static __u8 seen[ALL];
	unsigned int i;

	(void)state;
	assert_int_equal(rnd_frame_free(), FRAMES * LEN);
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < FRAMES; i++) {
		assert_int_equal(rnd_frame_get(&got[i]), 0);
		assert_is_of_a_piece(got[i]);
		assert_false(seen[got[i] / LEN]++);
		assert_int_equal(rnd_frame_free(), (FRAMES - 1 - i) * LEN);
	}
	assert_int_equal(rnd_frame_get(&got[FRAMES]), -ENOMEM);

	/* One that comes back is the next one */
	rnd_frame_put(got[1234]);
	assert_int_equal(rnd_frame_free(), LEN);
	assert_int_equal(rnd_frame_get(&got[FRAMES]), 0);
	assert_int_equal(got[FRAMES], got[1234]);
	put_all();
	assert_int_equal(rnd_frame_free(), FRAMES * LEN);
}

/* The last word of a map has bits for frames that there are not, and the
 * search goes round
 */
static void frames_come_from_all_pieces(void **state)
{
	unsigned int first = 0, i, n = 0;
	static __paddr_t few[1000];

	(void)state;
	seed = 4;
	for (i = 0; i < ARRAY_SIZE(few); i++) {
		assert_int_equal(rnd_frame_get(&few[i]), 0);
		n += few[i] / LEN < start_of(3);
		first += few[i] / LEN >= start_of(3) + 32768 / 2;
	}
	/* By their share: 3 % in the three small ones, half in either half */
	assert_in_range(n, 10, 70);
	assert_in_range(first, 400, 570);
	for (i = 0; i < ARRAY_SIZE(few); i++)
		rnd_frame_put(few[i]);
	assert_int_equal(rnd_frame_free(), FRAMES * LEN);
}

/* Frames of a piece that are free and follow one another, at most */
static unsigned long longest_run(const __u8 *is_free)
{
	unsigned long best = 0, len, i;
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(piece); n++) {
		len = 0;
		for (i = 0; i < piece[n].frames; i++) {
			len = is_free[start_of(n) + i] ? len + 1 : 0;
			best = len > best ? len : best;
		}
	}
	return best;
}

/* Runs of random lengths, between single frames that come and go */
static void run_is_found_exactly_if_there_is_one(void **state)
{
	static __u8 is_free[ALL];
	unsigned int round, i, cnt;
	__paddr_t first;

	(void)state;
	get_all();
	for (round = 0; round < 300; round++) {
		memset(is_free, 0, sizeof(is_free));
		for (i = 0; i < FRAMES; i++) {
			if (rnd_draw32() % 100 < round % 100) {
				is_free[got[i] / LEN] = 1;
				rnd_frame_put(got[i]);
			}
		}
		cnt = 1 + rnd_draw32() % (1 + round / 4);
		if (rnd_frame_get_run(cnt, &first)) {
			assert_true(longest_run(is_free) < cnt);
		} else {
			for (i = 0; i < cnt; i++)
				assert_true(is_free[first / LEN + i]);
			for (i = 0; i < cnt; i++)
				rnd_frame_put(first + i * LEN);
		}
		while (rnd_frame_free())
			assert_int_equal(rnd_frame_get(&first), 0);
	}
	put_all();
}

static void order_depends_on_the_seed(void **state)
{
	static __paddr_t other[FRAMES];
	unsigned int same = 0, next = 0, i;

	(void)state;
	seed = 1;
	get_all();
	memcpy(other, got, sizeof(other));
	put_all();
	seed = 2;
	get_all();
	for (i = 0; i < FRAMES; i++) {
		same += got[i] == other[i];
		next += i && got[i] == got[i - 1] + LEN;
	}
	put_all();
	print_message("%u frames in the same place, %u neighbours\n", same,
		      next);
	assert_true(same < FRAMES / 100);
	assert_true(next < FRAMES / 100);

	seed = 1;
	get_all();
	assert_memory_equal(got, other, sizeof(other));
	put_all();
}

static void total_is_that_of_the_regions(void **state)
{
	(void)state;
	assert_int_equal(rnd_frame_total(), 77 * LEN);
}

static void misuse_is_asserted(void **state)
{
	__paddr_t frame;

	(void)state;
	assert_int_equal(rnd_frame_get(&frame), 0);
	rnd_frame_put(frame);
	expect_assert_failure(rnd_frame_put(frame));
	/* In front of, between and behind the pieces */
	expect_assert_failure(rnd_frame_put(0));
	expect_assert_failure(rnd_frame_put((start_of(1) - 1) * LEN));
	expect_assert_failure(rnd_frame_put(start_of(4) * LEN));
	expect_assert_failure((void)rnd_frame_add(start_of(4) * LEN, 100));
	expect_assert_failure((void)rnd_frame_add(100, 5 * LEN));
	assert_int_equal(rnd_frame_free(), FRAMES * LEN);
}

/* The last one: these pieces are too many for the others */
static void pieces_are_refused(void **state)
{
	unsigned long at = start_of(ARRAY_SIZE(piece));
	unsigned int i;

	(void)state;
	assert_int_equal(rnd_frame_add(at * LEN, LEN), -EINVAL);
	assert_int_equal(rnd_frame_add(at * LEN, 0), -EINVAL);
	for (i = ARRAY_SIZE(piece); i < PIECES_MAX; i++, at += MORE)
		assert_int_equal(rnd_frame_add(at * LEN, MORE * LEN), 0);
	i -= (unsigned int)ARRAY_SIZE(piece);
	assert_int_equal(rnd_frame_free(), (FRAMES + i) * LEN);
	assert_int_equal(rnd_frame_add(at * LEN, MORE * LEN), -ENOSPC);
	assert_int_equal(rnd_frame_free(), (FRAMES + i) * LEN);
}

static void first_changed_word_is_found(void **state)
{
	static __u64 frame[LEN / 8];
	unsigned int i;

	(void)state;
	memset(frame, 0x5a, sizeof(frame));
	rnd_frame_clear(frame);
	assert_int_equal(rnd_frame_changed(frame), LEN);
	for (i = 0; i < LEN; i++) {
		((__u8 *)frame)[i] = 1;
		assert_int_equal(rnd_frame_changed(frame), i / 8 * 8);
		((__u8 *)frame)[LEN - 1] = 1;
		assert_int_equal(rnd_frame_changed(frame), i / 8 * 8);
		((__u8 *)frame)[i] = 0;
		((__u8 *)frame)[LEN - 1] = 0;
	}
}

/* No byte more, and none less */
static void clearing_ends_with_the_frame(void **state)
{
	static __u8 bytes[3 * LEN] __align(4096);
	unsigned int i;

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	rnd_frame_clear(bytes + LEN);
	for (i = 0; i < 3 * LEN; i++)
		assert_int_equal(bytes[i], i / LEN == 1 ? 0 : 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_frame_is_given_once),
		cmocka_unit_test(frames_come_from_all_pieces),
		cmocka_unit_test(run_is_found_exactly_if_there_is_one),
		cmocka_unit_test(order_depends_on_the_seed),
		cmocka_unit_test(total_is_that_of_the_regions),
		cmocka_unit_test(misuse_is_asserted),
		cmocka_unit_test(first_changed_word_is_found),
		cmocka_unit_test(clearing_ends_with_the_frame),
		cmocka_unit_test(pieces_are_refused),
	};

	return cmocka_run_group_tests_name("frame", tests, pieces_setup,
					   pieces_teardown);
}
