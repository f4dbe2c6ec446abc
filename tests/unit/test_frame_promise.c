/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of frames that are promised
 *
 * links: plat/common/frame_promise.c plat/common/frame_cache.c
 *        plat/common/falloc.c
 *        plat/common/falloc_core.c plat/common/falloc_block.c
 *        plat/common/falloc_put.c
 *        plat/common/falloc_check.c plat/common/rng.c plat/common/chacha.c
 *        plat/common/vector.c
 *        tests/unit/fake_frames.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/arch/paging.h>
#include <uk/plat/falloc.h>

#include "fake_frames.h"
#include "falloc.h"
#include "frame_cache.h"
#include "frame_promise.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static __paddr_t frames[FAKE_FRAMES];
static struct uk_falloc *fa;

static int setup(void **state)
{
	(void)state;
	fa = ukplat_falloc_get();
	fake_frames_init();
	fake_cpu_set(0);
	frame_cache_init();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	frame_cache_drain();
	assert_true(falloc_core_is_valid(&falloc_core));
	assert_int_equal(falloc_core.promised, 0);
	assert_int_equal(falloc_core.nfree, FAKE_FRAMES);
	fake_frames_destroy();
	return 0;
}

/* Takes all that can be had */
static unsigned int take_all(void)
{
	unsigned int n = frame_take_many(frames, FAKE_FRAMES);

	assert_int_equal(frame_take(), __PADDR_INV);
	return n;
}

static void promised_frames_are_not_available(void **state)
{
	(void)state;
	assert_int_equal(frame_promise(1000), 0);
	assert_int_equal(ukplat_falloc_promised(), 1000 * PAGE_SIZE);
	assert_int_equal(ukplat_falloc_available(),
			 (FAKE_FRAMES - 1000) * PAGE_SIZE);
	assert_int_equal(fa->free_memory, (FAKE_FRAMES - 1000) * PAGE_SIZE);
	assert_int_equal(take_all(), FAKE_FRAMES - 1000);
	assert_true(falloc_core_is_valid(&falloc_core));
	frame_put_many(frames, FAKE_FRAMES - 1000);
	frame_promise_end(400);
	assert_int_equal(take_all(), FAKE_FRAMES - 600);
	frame_put_many(frames, FAKE_FRAMES - 600);
	frame_promise_end(600);
	frame_promise_end(0);
	assert_int_equal(ukplat_falloc_promised(), 0);
}

/* Not one by one, not at a place, not 512 at once */
static void nobody_gets_the_last_frames(void **state)
{
	__paddr_t paddr;
	unsigned int n;

	(void)state;
	assert_int_equal(frame_promise(FAKE_FRAMES), 0);
	assert_int_equal(frame_take(), __PADDR_INV);
	assert_int_equal(frame_take_many(frames, 5), 0);
	assert_int_equal(uk_falloc(fa, 1), __PADDR_INV);
	assert_int_equal(uk_falloc(fa, 2), __PADDR_INV);
	paddr = __PADDR_ANY;
	assert_int_equal(fa->falloc(fa, &paddr, 512, FALLOC_FLAG_ALIGNED),
			 -ENOMEM);
	for (n = 0; n < 2; n++) {
		frames[n] = frame_take_promised();
		assert_true(fake_is_zero(frames[n]));
	}
	frame_put_many(frames, 2);
	frame_cache_drain();
	/* Two are left, whichever */
	paddr = frames[0];
	assert_int_equal(fa->falloc(fa, &paddr, 1, 0), 0);
	uk_ffree(fa, paddr, 1);
	frame_promise_end(FAKE_FRAMES - 512);
	paddr = __PADDR_ANY;
	assert_int_equal(fa->falloc(fa, &paddr, 512, FALLOC_FLAG_ALIGNED), 0);
	uk_ffree(fa, paddr, 512);
	frame_promise_end(510);
}

static void promise_needs_free_frames(void **state)
{
	unsigned int n;

	(void)state;
	assert_int_equal(frame_promise(FAKE_FRAMES + 1), -ENOMEM);
	assert_int_equal(ukplat_falloc_promised(), 0);
	n = take_all();
	assert_int_equal(n, FAKE_FRAMES);
	assert_int_equal(frame_promise(1), -ENOMEM);
	/* They come out of the cache for it */
	frame_put_many(frames, 20);
	assert_true(frame_cache_held() >= 20);
	assert_int_equal(frame_promise(21), -ENOMEM);
	assert_int_equal(frame_promise(20), 0);
	assert_int_equal(frame_cache_held(), 0);
	assert_int_equal(frame_take(), __PADDR_INV);
	frame_promise_end(20);
	frame_put_many(frames + 20, n - 20);
}

/* All memory, each frame once, zeroed though it was full of junk */
static void promises_are_kept_to_the_last_frame(void **state)
{
	static unsigned char seen[FAKE_FRAMES];
	unsigned int i;

	(void)state;
	memset(seen, 0, sizeof(seen));
	assert_int_equal(frame_promise(FAKE_FRAMES), 0);
	for (i = 0; i < FAKE_FRAMES; i++) {
		frames[i] = frame_take_promised();
		assert_true(fake_is_zero(frames[i]));
		assert_false(seen[fake_number(frames[i])]);
		seen[fake_number(frames[i])] = 1;
	}
	assert_int_equal(ukplat_falloc_promised(), 0);
	assert_int_equal(frame_promise(1), -ENOMEM);
	frame_put_many(frames, FAKE_FRAMES);
}

static void promise_can_be_made_to_fail(void **state)
{
	(void)state;
	ukplat_falloc_inject(1);
	assert_int_equal(frame_promise(1), 0);
	assert_int_equal(frame_promise(1), -ENOMEM);
	assert_int_equal(frame_promise(1), 0);
	/* What is promised comes, whatever fails */
	ukplat_falloc_inject(0);
	frames[0] = frame_take_promised();
	ukplat_falloc_inject(UKPLAT_FALLOC_INJECT_OFF);
	frame_put(frames[0]);
	frame_promise_end(1);
}

static void more_promised_than_free_is_invalid(void **state)
{
	(void)state;
	falloc_core.promised = falloc_core.nfree + 1;
	assert_false(falloc_core_is_valid(&falloc_core));
	falloc_core.promised = 0;
	assert_true(falloc_core_is_valid(&falloc_core));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(promised_frames_are_not_available),
		UNIT_TEST(nobody_gets_the_last_frames),
		UNIT_TEST(promise_needs_free_frames),
		UNIT_TEST(promises_are_kept_to_the_last_frame),
		UNIT_TEST(promise_can_be_made_to_fail),
		UNIT_TEST(more_promised_than_free_is_invalid),
	};

	return cmocka_run_group_tests_name("frame_promise", tests, NULL, NULL);
}
