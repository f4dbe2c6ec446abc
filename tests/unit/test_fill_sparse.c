/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of fill.c as ports have it that know which pages have frames: the
 * others are not touched, here they cannot be
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "port.h"

#undef RND_PORT_LENDS_SSE
#define RND_PORT_LENDS_SSE   1
#define rnd_port_lends_avx() lends_avx
#undef RND_PORT_KNOWS_BACKED
#define RND_PORT_KNOWS_BACKED 1

/* In one round of two, where the processor has them */
static int lends_avx;

/* With these macros */
/* NOLINTNEXTLINE(bugprone-suspicious-include) */
#include "../../lib/ukallocrnd/fill.c"
#include "wide_registers.h"

/* Pages of the memory; of the slots, which begin and end between them */
#define PAGES  62UL
#define BORDER 2048UL

static char *memory;
static __u8 backed[PAGES];
static unsigned long asked;
static __u64 seed = 0x853c49e6748fea9bUL;

static __u32 roll(__u32 bound)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((seed >> 32) * bound >> 32);
}

__u64 rnd_port_backed_bits(__uptr addr, __sz pages)
{
	__sz first = (addr - (__uptr)memory) / RND_PAGE_LEN, i;
	__u64 bits = 0;

	assert_int_equal(addr % RND_PAGE_LEN, 0);
	assert_in_range(pages, 1, 64);
	assert_true(first + pages <= PAGES);
	for (i = 0; i < pages; i++)
		bits |= (__u64)backed[first + i] << i;
	asked++;
	return bits;
}

static int setup(void **state)
{
	(void)state;
	memory = mmap(NULL, PAGES * RND_PAGE_LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(memory, PAGES * RND_PAGE_LEN);
}

/* Each page at random has a frame, `many` of 8 */
static void pages_draw(__u32 many)
{
	unsigned long i;

	for (i = 0; i < PAGES; i++) {
		backed[i] = roll(8) < many;
		assert_int_equal(mprotect(memory + i * RND_PAGE_LEN,
					  RND_PAGE_LEN,
					  backed[i] ? PROT_READ | PROT_WRITE :
						      PROT_NONE),
				 0);
		if (backed[i])
			memset(memory + i * RND_PAGE_LEN, 0x5a, RND_PAGE_LEN);
	}
}

/* All bytes with frames: zero inside of [from, to), as they were outside */
static void compare(__sz from, __sz to)
{
	__sz i;

	for (i = 0; i < PAGES * RND_PAGE_LEN; i++)
		if (backed[i / RND_PAGE_LEN])
			assert_int_equal(memory[i],
					 i >= from && i < to ? 0 : 0x5a);
}

static void slot_draw(__sz *from, __sz *to)
{
	const __sz unit = RND_FILL_UNIT;

	*from = roll(3) * BORDER / 2 + roll(20) * unit;
	*to = *from + RND_FILL_SPARSE_MIN +
	      roll(PAGES * RND_PAGE_LEN / unit) * unit;
	*to = MIN(*to, PAGES * RND_PAGE_LEN);
}

static void zero_touches_only_pages_with_frames(void **state)
{
	unsigned int round;
	__sz from, to;

	(void)state;
	for (round = 0; round < 300; round++) {
		lends_avx = round & 1 && has_wide_registers();
		pages_draw(round % 9);
		slot_draw(&from, &to);
		rnd_fill_zero_long(memory + from, to - from);
		compare(from, to);
		assert_true(rnd_fill_is_zero_long(memory + from, to - from));
	}
	/* Once by each */
	assert_int_equal(asked, 600);
}

/* A byte anywhere in pages with frames is seen; none beside the slot is */
static void dirt_is_seen_wherever_it_is(void **state)
{
	unsigned int round, seen = 0;
	__sz from, to, at;

	(void)state;
	for (round = 0; round < 3000; round++) {
		if (round % 20 == 0)
			pages_draw(1 + round / 20 % 8);
		lends_avx = round / 3 & 1 && has_wide_registers();
		slot_draw(&from, &to);
		rnd_fill_zero_long(memory + from, to - from);
		at = from + roll((__u32)(to - from));
		if (round % 3 == 0)
			at = round & 1 ? from : to - 1;
		if (!backed[at / RND_PAGE_LEN])
			continue;
		memory[at] = 1;
		assert_false(rnd_fill_is_zero_long(memory + from, to - from));
		memory[at] = 0x5a;
		seen++;
	}
	assert_true(seen > 1000);
}

/* Shorter ones are not asked about */
static void short_slots_are_cleared_as_ever(void **state)
{
	__sz len = RND_FILL_SPARSE_MIN - RND_FILL_UNIT;

	(void)state;
	asked = 0;
	pages_draw(8);
	assert_false(rnd_fill_is_zero_long(memory + BORDER, len));
	rnd_fill_zero_long(memory + BORDER, len);
	compare(BORDER, BORDER + len);
	assert_true(rnd_fill_is_zero_long(memory + BORDER, len));
	assert_int_equal(asked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_touches_only_pages_with_frames),
		cmocka_unit_test(dirt_is_seen_wherever_it_is),
		cmocka_unit_test(short_slots_are_cleared_as_ever),
	};

	return cmocka_run_group_tests_name("fill_sparse", tests, setup,
					   teardown);
}
