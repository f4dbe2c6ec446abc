/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the frames that each CPU holds
 *
 * links: plat/common/frame_cache.c plat/common/falloc.c
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
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uk/arch/paging.h>
#include <uk/config.h>
#include <uk/plat/falloc.h>

#include "fake_frames.h"
#include "falloc.h"
#include "frame_cache.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#define LAST_CPU (CONFIG_UKPLAT_LCPU_MAXCOUNT - 1U)

static struct uk_falloc *fa;

static int setup(void **state)
{
	(void)state;
	fa = ukplat_falloc_get();
	fake_frames_init();
	fake_cpu_set(0);
	return 0;
}

/* What a test leaves in caches would be unknown to the next one */
static int teardown(void **state)
{
	(void)state;
	frame_cache_drain();
	assert_int_equal(frame_cache_held(), 0);
	assert_true(falloc_core_is_valid(&falloc_core));
	fake_frames_destroy();
	return 0;
}

/* Frames that are free, wherever they are */
static unsigned int available(void)
{
	assert_int_equal(ukplat_falloc_available() >> PAGE_SHIFT,
			 falloc_core.nfree + frame_cache_held());
	return (unsigned int)(ukplat_falloc_available() >> PAGE_SHIFT);
}

static __paddr_t take(void)
{
	__paddr_t paddr = frame_take();

	assert_int_not_equal(paddr, __PADDR_INV);
	assert_true(fake_is_zero(paddr));
	return paddr;
}

static int without_cpus_setup(void **state)
{
	(void)state;
	fa = ukplat_falloc_get();
	fake_frames_init();
	return 0;
}

static int without_cpus_teardown(void **state)
{
	(void)state;
	assert_true(falloc_core_is_valid(&falloc_core));
	fake_frames_destroy();
	/* For all tests that follow */
	frame_cache_init();
	return 0;
}

/* %gs is 0 here: the first use of it would be the last */
static void cache_is_not_used_before_cpus_exist(void **state)
{
	__paddr_t some[3];
	__paddr_t paddr;

	(void)state;
	paddr = take();
	assert_int_equal(frame_take_many(some, 3), 3);
	assert_true(fake_is_zero(some[2]));
	assert_int_equal(available(), FAKE_FRAMES - 4);
	frame_put(paddr);
	frame_put_many(some, 3);
	frame_cache_drain();
	assert_int_equal(frame_cache_held(), 0);
	assert_int_equal(falloc_core.nfree, FAKE_FRAMES);
}

static void cache_hands_out_all_memory_once(void **state)
{
	static unsigned char seen[FAKE_FRAMES];
	__paddr_t paddr;
	unsigned int i;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < FAKE_FRAMES; i++) {
		/* Frames in the caches of others are not out of reach */
		fake_cpu_set(i % 5);
		paddr = take();
		assert_int_equal(seen[fake_number(paddr)]++, 0);
		fake_fill(paddr, 1);
		assert_int_equal(available(), FAKE_FRAMES - 1 - i);
	}
	assert_int_equal(frame_take(), __PADDR_INV);
	assert_int_equal(frame_take_many(&paddr, 1), 0);
}

static void cache_moves_a_batch_at_a_time(void **state)
{
	__paddr_t some[64];
	__u32 nfree, moves = 0;
	unsigned int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		nfree = falloc_core.nfree;
		some[i] = take();
		if (falloc_core.nfree == nfree)
			continue;
		assert_int_equal(nfree - falloc_core.nfree, FRAME_CACHE_FILL);
		moves++;
	}
	assert_int_equal(moves, 3);
	for (i = 0; i < 64; i++) {
		nfree = falloc_core.nfree;
		fake_fill(some[i], 0);
		frame_put(some[i]);
		assert_true(frame_cache_held() <= FRAME_CACHE_LEN);
		if (falloc_core.nfree == nfree)
			continue;
		assert_int_equal(falloc_core.nfree - nfree, FRAME_CACHE_BATCH);
		moves++;
	}
	assert_int_equal(moves, 5);
	assert_int_equal(available(), FAKE_FRAMES);
}

static void cache_always_offers_a_choice(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		(void)take();
		assert_true(frame_cache_held() + 1 >= 16);
	}
}

static void cache_takes_and_puts_many(void **state)
{
	static const unsigned int sizes[] = { 0, 1, 31, 32, 33, 64, 100, 1000 };
	static __paddr_t some[FAKE_FRAMES + 1];
	unsigned int i, j, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		n = sizes[i];
		assert_int_equal(frame_take_many(some, n), n);
		assert_int_equal(available(), FAKE_FRAMES - n);
		for (j = 0; j < n; j++)
			assert_true(fake_is_zero(some[j]));
		frame_put_many(some, n);
		assert_true(frame_cache_held() <= FRAME_CACHE_LEN);
		assert_int_equal(available(), FAKE_FRAMES);
	}
	assert_int_equal(frame_take_many(some, FAKE_FRAMES + 1), FAKE_FRAMES);
	frame_put_many(some, FAKE_FRAMES);
	assert_int_equal(available(), FAKE_FRAMES);
}

/* Memory is changed behind the allocator's back to see what it clears */
static void cache_clears_only_what_is_not_known_zero(void **state)
{
	static __paddr_t all[FAKE_FRAMES];
	unsigned int i, known = 0;
	__paddr_t paddr;

	(void)state;
	assert_int_equal(frame_take_many(all, FAKE_FRAMES), FAKE_FRAMES);
	/* Half go back as they are, half as zero; then through the core */
	for (i = 0; i < FAKE_FRAMES; i++) {
		if (i % 2)
			uk_ffree(fa, all[i], 1);
		else
			frame_put(all[i]);
	}
	frame_cache_drain();
	for (i = 0; i < FAKE_FRAMES; i++)
		fake_fill(all[i], 1);
	for (i = 0; i < FAKE_FRAMES; i++) {
		paddr = frame_take();
		known += !fake_is_zero(paddr);
	}
	assert_int_equal(known, FAKE_FRAMES / 2);
}

static void assert_report(const char *what, __paddr_t paddr)
{
	char text[sizeof(fake_report)];

	(void)snprintf(text, sizeof(text), "falloc: BUG: %s: paddr=0x%lx\n",
		       what, paddr);
	assert_string_equal(fake_report, text);
}

#define DOUBLE_FREE "double free of a frame"
#define NO_FRAME    "free of a frame that does not exist"

static void cache_reports_double_put(void **state)
{
	__paddr_t paddr;

	(void)state;
	paddr = take();
	frame_put(paddr);
	assert_true(FAKE_STOPS(frame_put(paddr)));
	assert_report(DOUBLE_FREE, paddr);

	/* In the cache of another CPU */
	fake_cpu_set(LAST_CPU);
	memset(fake_report, 0, sizeof(fake_report));
	assert_true(FAKE_STOPS(frame_put_many(&paddr, 1)));
	assert_report(DOUBLE_FREE, paddr);
	memset(fake_report, 0, sizeof(fake_report));
	assert_true(FAKE_STOPS(uk_ffree(fa, paddr, 1)));
	assert_report(DOUBLE_FREE, paddr);

	/* In the core */
	frame_cache_drain();
	memset(fake_report, 0, sizeof(fake_report));
	assert_true(FAKE_STOPS(frame_put(paddr)));
	assert_report(DOUBLE_FREE, paddr);
	assert_true(FAKE_STOPS(uk_ffree(fa, paddr, 1)));
	assert_int_equal(available(), FAKE_FRAMES);
}

static void cache_reports_what_is_no_frame(void **state)
{
	__paddr_t paddr;

	(void)state;
	paddr = take();
	assert_true(FAKE_STOPS(frame_put(paddr + 8)));
	assert_report(NO_FRAME, paddr + 8);
	assert_true(FAKE_STOPS(frame_put(0)));
	assert_report(NO_FRAME, 0);
	assert_true(FAKE_STOPS(uk_ffree(fa, 0x100000000000UL, 1)));
	assert_report(NO_FRAME, 0x100000000000UL);
	frame_put(paddr);
}

static void cache_reports_double_free_of_a_part(void **state)
{
	__paddr_t paddr;

	(void)state;
	paddr = uk_falloc(fa, 4);
	assert_int_not_equal(paddr, __PADDR_INV);
	fake_fill(paddr + 2 * PAGE_SIZE, 0);
	frame_put(paddr + 2 * PAGE_SIZE);
	assert_true(FAKE_STOPS(uk_ffree(fa, paddr, 4)));
	assert_report(DOUBLE_FREE, paddr + 2 * PAGE_SIZE);
}

static void cache_and_falloc_share_frames(void **state)
{
	__paddr_t paddr;

	(void)state;
	paddr = uk_falloc(fa, 1);
	fake_fill(paddr, 0);
	frame_put(paddr);
	paddr = take();
	fake_fill(paddr, 1);
	uk_ffree(fa, paddr, 1);
	assert_int_equal(available(), FAKE_FRAMES);
}

/* A handler in the middle of a refill of random bits, the lock held */
static unsigned int hooked;
static void handler(void)
{
	__paddr_t some[3];
	__paddr_t paddr = take();

	assert_int_equal(frame_take_many(some, 3), 3);
	frame_put(paddr);
	frame_put_many(some, 3);
	frame_cache_reclaim();
	/* Not all can be empty, but this ends */
	frame_cache_drain();
	hooked++;
}

static void cache_may_be_interrupted(void **state)
{
	static __u32 fresh = 10;
	__paddr_t paddr;

	(void)state;
	fake_cpu_set(9);
	(void)take();
	/* A CPU without a seed seeds with its lock held */
	fake_cpu_set(fresh++);
	fake_seed_hook = handler;
	paddr = take();

	assert_int_equal(hooked, 1);
	assert_int_equal(available(), FAKE_FRAMES - 2);
	assert_true(frame_cache_held() > 0);
	frame_put(paddr);
	frame_cache_drain();
	assert_int_equal(falloc_core.nfree, FAKE_FRAMES - 1);
}

/* Takes so many frames and puts them back */
static void go_forth_and_back(unsigned int cnt)
{
	__paddr_t some[FRAME_CACHE_LEN];
	unsigned int i;

	for (i = 0; i < cnt; i++)
		some[i] = take();
	for (i = 0; i < cnt; i++) {
		fake_fill(some[i], 0);
		frame_put(some[i]);
	}
}

#ifdef RND_TEST_SLOW
#define FORTH_STEP 7U
#else
#define FORTH_STEP 1U
#endif

/* Whatever was before: after some rounds the core is left alone */
static void cache_serves_who_goes_back_and_forth(void **state)
{
	unsigned int cnt, before, round;
	__u32 nfree;

	(void)state;
	for (cnt = 1; cnt <= FRAME_CACHE_LEN - FRAME_CACHE_LOW;
	     cnt += FORTH_STEP) {
		for (before = 0; before < FRAME_CACHE_LEN;
		     before += FORTH_STEP) {
			frame_cache_drain();
			go_forth_and_back(before);
			for (round = 0; round < 18; round++)
				go_forth_and_back(cnt);
			nfree = falloc_core.nfree;
			go_forth_and_back(cnt);
			assert_int_equal(falloc_core.nfree, nfree);
		}
	}
}

static void cache_drain_reaches_all_cpus(void **state)
{
	__u32 i;

	(void)state;
	for (i = 0; i <= LAST_CPU; i++) {
		fake_cpu_set(i);
		frame_put(take());
	}
	assert_int_equal(frame_cache_held(), (LAST_CPU + 1) * FRAME_CACHE_FILL);
	fake_cpu_set(1);
	frame_cache_drain();
	assert_int_equal(frame_cache_held(), 0);
	assert_int_equal(falloc_core.nfree, FAKE_FRAMES);
}

static void cache_yields_to_runs_and_fixed_frames(void **state)
{
	__paddr_t all[FRAME_CACHE_BATCH];
	__paddr_t paddr;
	unsigned int i;

	(void)state;
	assert_int_equal(frame_take_many(all, ARRAY_SIZE(all)),
			 ARRAY_SIZE(all));
	frame_put_many(all, ARRAY_SIZE(all));
	/* At least one of these is in the cache still */
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		paddr = all[i];
		assert_int_equal(fa->falloc(fa, &paddr, 1, 0), 0);
		assert_int_equal(paddr, all[i]);
	}
	assert_int_equal(fa->falloc(fa, &paddr, 1, 0), -ENOMEM);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		uk_ffree(fa, all[i], 1);
}

/* Each fails for one seed in 10^9 if the implementation is correct. The frame
 * that was just put is the last one in the cache.
 */
#define CHI_DRAWS_EACH 1000U
#define CHI_LIMIT      114.0
#define AGAIN_MIN      (CHI_DRAWS_EACH - 200U)
#define AGAIN_MAX      (CHI_DRAWS_EACH + 200U)

static void cache_draws_uniformly(void **state)
{
	static unsigned int hits[FAKE_FRAMES];
	const unsigned int n = FRAME_CACHE_FILL;
	double chi = 0, diff;
	unsigned int i, again = 0;
	__paddr_t paddr, last = 0;

	(void)state;
	memset(hits, 0, sizeof(hits));
	frame_put(take());
	assert_int_equal(frame_cache_held(), n);
	for (i = 0; i < n * CHI_DRAWS_EACH; i++) {
		paddr = frame_take();
		hits[fake_number(paddr)]++;
		again += paddr == last;
		last = paddr;
		frame_put(paddr);
	}
	for (i = 0; i < FAKE_FRAMES; i++) {
		if (!hits[i])
			continue;
		diff = (double)hits[i] - CHI_DRAWS_EACH;
		chi += diff * diff / CHI_DRAWS_EACH;
	}
	print_message("chi-square %.1f, limit %.1f\n", chi, CHI_LIMIT);
	assert_true(chi < CHI_LIMIT);
	assert_in_range(again, AGAIN_MIN, AGAIN_MAX);
}

#ifdef CONFIG_UKPLAT_FALLOC_INJECT
static void cache_injection_hits_exactly_one(void **state)
{
	__paddr_t some[50];
	unsigned int i, failed = 0;

	(void)state;
	ukplat_falloc_inject(20);
	for (i = 0; i < 100; i++) {
		if (frame_take() != __PADDR_INV)
			continue;
		assert_int_equal(i, 20);
		failed++;
	}
	assert_int_equal(failed, 1);

	ukplat_falloc_inject(40);
	assert_int_equal(frame_take_many(some, 50), 40);
	assert_int_equal(frame_take_many(some, 50), 50);
	ukplat_falloc_inject(32);
	assert_int_equal(frame_take_many(some, 50), 32);
	assert_int_equal(frame_take_many(some, 50), 50);
	ukplat_falloc_inject(0);
	assert_int_equal(frame_take_many(some, 50), 0);

	/* What is in caches does not help */
	ukplat_falloc_inject(1);
	assert_int_not_equal(frame_take(), __PADDR_INV);
	assert_true(frame_cache_held() > 0);
	assert_int_equal(uk_falloc(fa, 1), __PADDR_INV);
	assert_int_not_equal(uk_falloc(fa, 1), __PADDR_INV);

	ukplat_falloc_inject(0);
	ukplat_falloc_inject(UKPLAT_FALLOC_INJECT_OFF);
	assert_int_not_equal(frame_take(), __PADDR_INV);
}
#endif

/* A few stay in the cache, a batch does not; they are cleared when taken */
static void dirty_frames_are_cleared_when_taken(void **state)
{
	__paddr_t some[FRAME_CACHE_BATCH];
	unsigned int cnt, i;

	(void)state;
	for (cnt = 1; cnt <= FRAME_CACHE_BATCH; cnt += FRAME_CACHE_BATCH - 1) {
		assert_int_equal(frame_take_many(some, cnt), cnt);
		for (i = 0; i < cnt; i++)
			fake_fill(some[i], 0x77);
		frame_put_dirty(some, cnt);
		assert_int_equal(available(), FAKE_FRAMES);
	}
	for (i = 0; i < FAKE_FRAMES; i++)
		(void)take();
	assert_int_equal(frame_take(), __PADDR_INV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			cache_is_not_used_before_cpus_exist, without_cpus_setup,
			without_cpus_teardown),
		UNIT_TEST(cache_hands_out_all_memory_once),
		UNIT_TEST(cache_moves_a_batch_at_a_time),
		UNIT_TEST(cache_always_offers_a_choice),
		UNIT_TEST(cache_takes_and_puts_many),
		UNIT_TEST(cache_clears_only_what_is_not_known_zero),
		UNIT_TEST(cache_reports_double_put),
		UNIT_TEST(cache_reports_what_is_no_frame),
		UNIT_TEST(cache_reports_double_free_of_a_part),
		UNIT_TEST(cache_and_falloc_share_frames),
		UNIT_TEST(cache_may_be_interrupted),
		UNIT_TEST(cache_serves_who_goes_back_and_forth),
		UNIT_TEST(cache_drain_reaches_all_cpus),
		UNIT_TEST(cache_yields_to_runs_and_fixed_frames),
		UNIT_TEST(cache_draws_uniformly),
#ifdef CONFIG_UKPLAT_FALLOC_INJECT
		UNIT_TEST(cache_injection_hits_exactly_one),
#endif
		UNIT_TEST(dirty_frames_are_cleared_when_taken),
	};

	return cmocka_run_group_tests_name("frame_cache", tests, NULL, NULL);
}
