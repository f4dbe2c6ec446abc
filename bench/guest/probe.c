/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/falloc.h>
#include <uk/plat/paging.h>

#include "counter.h"
#include "histogram.h"
#include "live.h"
#include "probe.h"

static struct bench_histogram mallocs, frees;
static struct uk_alloc *target;
static __bool is_recording;
static __sz available_min;

/* What a call costs whose callee returns at once, by kind */
static __u64 malloc_empty, free_empty;

__sz bench_probe_available(struct uk_alloc *a)
{
	__sz left = a && a->pavailmem ? (__sz)a->pavailmem(a) * PAGE_SIZE :
					ukplat_page_available();

	/* What is promised is not in use yet, nor is a free page table, even
	 * if others next to it are
	 */
	return left + ukplat_falloc_promised() + ukplat_page_tables_free();
}

static void note(struct bench_histogram *h, __u64 cost, __u64 empty)
{
	if (is_recording)
		bench_histogram_add(h, cost - MIN(cost, empty));
	available_min = MIN(available_min, bench_probe_available(target));
}

/* Memory is there when it is used: one word of each page gets its own value.
 * That is not counted.
 */
static void use(void *ptr, __sz size)
{
	volatile char *at = ptr;
	__sz i;

	for (i = 0; i < size; i += PAGE_SIZE)
		at[i] |= 0;
}

static void note_object(void *ptr, __sz size)
{
	if (!ptr)
		return;
	bench_live_add(ptr, size);
	use(ptr, size);
	available_min = MIN(available_min, bench_probe_available(target));
}

static void *probe_malloc(struct uk_alloc *a __unused, __sz size)
{
	__u64 start = bench_counter(), cost;
	void *ptr = target->malloc(target, size);

	cost = bench_counter() - start;
	note(&mallocs, cost, malloc_empty);
	note_object(ptr, size);
	return ptr;
}

static void *probe_calloc(struct uk_alloc *a __unused, __sz nmemb, __sz size)
{
	__u64 start = bench_counter(), cost;
	void *ptr = target->calloc(target, nmemb, size);

	cost = bench_counter() - start;
	note(&mallocs, cost, malloc_empty);
	note_object(ptr, nmemb * size);
	return ptr;
}

static void *probe_realloc(struct uk_alloc *a __unused, void *old, __sz size)
{
	__u64 start = bench_counter(), cost;
	void *ptr = target->realloc(target, old, size);

	cost = bench_counter() - start;
	note(&mallocs, cost, malloc_empty);
	if (ptr || !size)
		bench_live_remove(old);
	note_object(ptr, size);
	return ptr;
}

static void *probe_memalign(struct uk_alloc *a __unused, __sz align, __sz size)
{
	__u64 start = bench_counter(), cost;
	void *ptr = target->memalign(target, align, size);

	cost = bench_counter() - start;
	note(&mallocs, cost, malloc_empty);
	note_object(ptr, size);
	return ptr;
}

static int probe_posix_memalign(struct uk_alloc *a, void **memptr, __sz align,
				__sz size)
{
	void *ptr = probe_memalign(a, align, size);

	if (!ptr)
		return ENOMEM;
	*memptr = ptr;
	return 0;
}

static void probe_free(struct uk_alloc *a __unused, void *ptr)
{
	__u64 start, cost;

	bench_live_remove(ptr);
	start = bench_counter();
	target->free(target, ptr);
	cost = bench_counter() - start;
	note(&frees, cost, free_empty);
}

static struct uk_alloc probe = {
	.malloc = probe_malloc,
	.calloc = probe_calloc,
	.realloc = probe_realloc,
	.posix_memalign = probe_posix_memalign,
	.memalign = probe_memalign,
	.free = probe_free,
};

static void *empty_malloc(struct uk_alloc *a __unused, __sz size __unused)
{
	return __NULL;
}

static void empty_free(struct uk_alloc *a __unused, void *ptr __unused) {}

static struct uk_alloc empty = { .malloc = empty_malloc, .free = empty_free };

/* Measures the probe itself: the only cost of a histogram is its maximum */
static void calibrate(void)
{
	target = &empty;
	malloc_empty = free_empty = 0;
	bench_probe_record(1);
	probe_free(&probe, probe_malloc(&probe, 0));
	bench_probe_record(0);
	malloc_empty = bench_histogram_rank(&mallocs, 1000);
	free_empty = bench_histogram_rank(&frees, 1000);
}

static void forget(void)
{
	bench_histogram_reset(&mallocs);
	bench_histogram_reset(&frees);
	is_recording = 0;
}

struct uk_alloc *bench_probe_start(struct uk_alloc *a)
{
	bench_live_reset();
	forget();
	calibrate();
	forget();
	target = a;
	available_min = bench_probe_available(a);
	return &probe;
}

void bench_probe_record(__bool on)
{
	is_recording = on;
}

static __u64 costs_get(struct bench_histogram *h, struct bench_costs *c,
		       unsigned long *slow)
{
	__u64 sum;

	bench_histogram_finish(h);
	c->p50 = bench_histogram_rank(h, 500);
	c->p99 = bench_histogram_rank(h, 990);
	c->p999 = bench_histogram_rank(h, 999);
	c->max = bench_histogram_rank(h, 1000);
	*slow += bench_histogram_above(h, BENCH_SLOW_TIMES * c->p50, &sum);
	return sum;
}

void bench_probe_finish(struct bench_probe *r)
{
	unsigned long cnt = mallocs.cnt + frees.cnt, slow = 0;
	__u64 sum;

	is_recording = 0;
	sum = costs_get(&mallocs, &r->malloc, &slow);
	sum += costs_get(&frees, &r->free, &slow);
	r->slow_permille = cnt ? slow * 1000 / cnt : 0;
	r->slow_mean = slow ? sum / slow : 0;
	r->live_peak = bench_live_get()->peak_bytes;
	r->live_objects = bench_live_get()->peak_objects;
	r->available_min = available_min;
	r->lost = mallocs.lost + frees.lost;
}
