/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Statistical test of the bases of all regions, over many heaps
 *
 * links: tests/stat/chance.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uk/allocrnd.h>

#include "chance.h"
#include "config.h"
#include "heap.h"
#include "port.h"
#include "region.h"

#define HEAPS	    400U
#define REGIONS_MAX 192U
#define LARGE_LEN   (1UL << 20)

/* Address bits that every base has: from the page up to half the space. All
 * are even, except the one that tells the halves of a window: regions of half
 * a window begin in its lower half.
 */
#define BIT_FIRST   12U
#define BIT_LAST    45U
#define BIT_OF_HALF (RND_WINDOW_SHIFT - 1U)

struct sample {
	char name[32];
	uint64_t base[HEAPS];
	uint64_t len;
};

static struct sample samples[REGIONS_MAX];
static unsigned int sample_cnt, heap_idx;

/* Several regions of a name (large objects) are kept apart by their order */
static void add_base(void *arg, const char *name, __uptr base, __sz len)
{
	unsigned int *n = arg;
	struct sample *s = &samples[*n];

	assert_true(*n < REGIONS_MAX);
	if (heap_idx == 0) {
		(void)snprintf(s->name, sizeof(s->name), "%s", name);
		s->len = len;
		sample_cnt = *n + 1;
	}
	assert_string_equal(s->name, name);
	s->base[heap_idx] = base;
	(*n)++;
}

/* Heaps without <uk/alloc.h>: the registry would keep the first one for good,
 * and where it is no other one can be
 */
static int group_setup(void **state)
{
	struct rnd_heap *h;
	unsigned int n;

	(void)state;
	for (heap_idx = 0; heap_idx < HEAPS; heap_idx++) {
		h = rnd_heap_create(0);
		assert_non_null(h);
		assert_non_null(
			rnd_malloc_slow(h, LARGE_LEN, RND_KIND_MALLOC, 0));
		n = 0;
		uk_allocrnd_map(&h->dyn->a, add_base, &n);
		assert_int_equal(sample_cnt, n);
		rnd_heap_destroy(h);
	}
	print_message("%u regions of %u heaps\n", sample_cnt, HEAPS);
	return 0;
}

static void skip_without_option(void)
{
	if (!RND_OPT_RANDOM_BASES)
		skip();
}

/* All regions of all heaps, sorted into 64 parts of the address space. A
 * region of a length of its own cannot begin everywhere: the end of the space
 * loses a part of at most 2^-11, which is too little to be seen.
 */
static void bases_lie_everywhere(void **state)
{
	unsigned int counts[64] = { 0 }, i, h;
	__uptr start, end;

	(void)state;
	skip_without_option();
	rnd_port_va_range(&start, &end);
	for (i = 0; i < sample_cnt; i++)
		for (h = 0; h < HEAPS; h++)
			counts[(samples[i].base[h] - start) /
			       ((end - start) / 64 + 1)]++;
	assert_equal_chances("all bases", counts, 64);
}

/* The same for each region alone, with fewer places */
static void base_of_each_region_lies_everywhere(void **state)
{
	unsigned int counts[16], i, h;
	const double limit = chance_chi2_limit(15, sample_cnt);
	double worst = 0;
	__uptr start, end;

	(void)state;
	skip_without_option();
	rnd_port_va_range(&start, &end);
	for (i = 0; i < sample_cnt; i++) {
		double chi2;

		memset(counts, 0, sizeof(counts));
		for (h = 0; h < HEAPS; h++)
			counts[(samples[i].base[h] - start) /
			       ((end - start) / 16 + 1)]++;
		chi2 = chance_chi2(counts, 16);
		if (chi2 >= limit)
			fail_msg("%s: chi2 %.1f", samples[i].name, chi2);
		if (chi2 > worst)
			worst = chi2;
	}
	print_message("largest chi2 %.1f, limit %.1f\n", worst, limit);
}

/* No bit of a base is more often one than zero */
static void bases_have_even_bits(void **state)
{
	unsigned int bit, i, h;
	size_t ones;

	(void)state;
	skip_without_option();
	for (bit = BIT_FIRST; bit <= BIT_LAST; bit++) {
		if (bit == BIT_OF_HALF)
			continue;
		ones = 0;
		for (i = 0; i < sample_cnt; i++)
			for (h = 0; h < HEAPS; h++)
				ones += samples[i].base[h] >> bit & 1;
		assert_even("bit", ones, (size_t)sample_cnt * HEAPS,
			    BIT_LAST - BIT_FIRST);
	}
}

/* Regions do not come in an order: for each pair, either is below the other in
 * half of the heaps
 */
static void bases_have_no_order(void **state)
{
	const size_t pairs = (size_t)sample_cnt * (sample_cnt - 1) / 2;
	unsigned int i, j, h;

	(void)state;
	skip_without_option();
	for (i = 0; i < sample_cnt; i++)
		for (j = i + 1; j < sample_cnt; j++) {
			size_t below = 0;

			for (h = 0; h < HEAPS; h++)
				below += samples[i].base[h] <
					 samples[j].base[h];
			assert_even(samples[i].name, below, HEAPS, pairs);
		}
}

/* One base does not tell another: the distance of each pair is a new one in
 * every heap. Distances have 34 bits, so that with 4371 pairs and 400 heaps
 * one repeats with probability 0.02. With the fixed seed none does.
 */
static void distances_never_repeat(void **state)
{
	static uint64_t distance[HEAPS];
	unsigned int i, j, h;

	(void)state;
	skip_without_option();
	for (i = 0; i < sample_cnt; i++)
		for (j = i + 1; j < sample_cnt; j++) {
			for (h = 0; h < HEAPS; h++)
				distance[h] =
					samples[i].base[h] - samples[j].base[h];
			if (count_different(distance, HEAPS) != HEAPS)
				fail_msg("%s and %s", samples[i].name,
					 samples[j].name);
		}
}

/* Nothing of one heap overlaps */
static void regions_are_disjoint(void **state)
{
	unsigned int i, j, h;

	(void)state;
	for (h = 0; h < HEAPS; h++)
		for (i = 0; i < sample_cnt; i++)
			for (j = 0; j < sample_cnt; j++)
				assert_true(
					i == j ||
					samples[j].base[h] -
							samples[i].base[h] >=
						samples[i].len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bases_lie_everywhere),
		cmocka_unit_test(base_of_each_region_lies_everywhere),
		cmocka_unit_test(bases_have_even_bits),
		cmocka_unit_test(bases_have_no_order),
		cmocka_unit_test(distances_never_repeat),
		cmocka_unit_test(regions_are_disjoint),
	};

	chance_init(argc, argv);
	return cmocka_run_group_tests_name("bases", tests, group_setup, NULL);
}
