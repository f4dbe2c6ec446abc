/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/alloc_impl.h>
#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

#include "../buddy/buddy.h"
#include "floor.h"

/* In hosted builds, which the tests use, the test says which CPU it is */
#if __STDC_HOSTED__
extern unsigned int uk_floor_host_cpu;

static inline unsigned int cpu_idx(void)
{
	return uk_floor_host_cpu;
}
#else
#include <uk/plat/lcpu.h>

static inline unsigned int cpu_idx(void)
{
	return ukplat_lcpu_idx();
}
#endif

#define STEP	  16UL
#define SHORT_MAX 128UL
#define SMALL_MAX 65536UL

/* Classes 1 to 8 in steps of 16, then four for each doubling up to 64 KiB */
#define SHORT_CLASSES (SHORT_MAX / STEP)
#define DOUBLINGS     9UL
#define CLASSES	      (1 + SHORT_CLASSES + 4 * DOUBLINGS)

/* Objects that change hands together: at most so many, and so many bytes */
#define BATCH_MAX     64U
#define BATCH_LEN_MAX 32768U

/* A run of pages that is cut up has so many bytes */
#define RUN_LEN	  65536UL
#define RUN_PAGES (RUN_LEN >> PAGE_SHIFT)

UK_CTASSERT(SHORT_MAX << DOUBLINGS == SMALL_MAX);
/* All runs are of the same length */
UK_CTASSERT(RUN_LEN >= SMALL_MAX);

/** A free object */
struct floor_free {
	struct floor_free *next;
	struct floor_free *batch; /* in the first one of a batch: the next */
};

UK_CTASSERT(sizeof(struct floor_free) <= STEP);

/** Free objects of one class on one CPU */
struct floor_list {
	struct floor_free *head;
	struct floor_free *spare; /* a batch, or __NULL */
	unsigned int cnt;	  /* objects from head on */
	unsigned int batch;	  /* constant */
} __align(32);

/** What all CPUs share of a class */
struct floor_class {
	struct uk_spinlock lock;
	unsigned int batch; /* constant */
	__sz len;	    /* of an object, constant */
	struct floor_free *batches;
	char *fresh, *fresh_end; /* of the newest run */
} __align(64);

struct floor_cpu {
	struct floor_list free[CLASSES];
} __align(64);

struct floor {
	struct uk_alloc *pages; /* constant */
	__uptr base;		/* constant */
	__u8 *page_class;	/* by page from base on */
	__sz page_cnt;		/* constant */
	__u8 class_of[SMALL_MAX / STEP + 1];
	struct floor_class cls[CLASSES];
	struct floor_cpu *cpu[CONFIG_UKPLAT_LCPU_MAXCOUNT]; /* constant */
};

#define CPUS_LEN (CONFIG_UKPLAT_LCPU_MAXCOUNT * sizeof(struct floor_cpu))

UK_CTASSERT(__builtin_offsetof(struct uk_alloc, priv) ==
	    sizeof(struct uk_alloc));

static inline struct floor *floor_of(struct uk_alloc *a)
{
	return (struct floor *)(void *)a->priv;
}

static inline unsigned int class_of_ptr(const struct floor *f, const void *ptr)
{
	return f->page_class[((__uptr)ptr - f->base) >> PAGE_SHIFT];
}

static inline void list_push(struct floor_list *list, void *ptr)
{
	struct floor_free *obj = (struct floor_free *)ptr;

	obj->next = list->head;
	list->head = obj;
	list->cnt++;
}

static inline void *list_pop(struct floor_list *list)
{
	struct floor_free *obj = list->head;

	list->head = obj->next;
	list->cnt--;
	return obj;
}

/* A new run of pages for objects of a class */
static int class_grow(struct floor *f, struct floor_class *c, unsigned int sc)
{
	char *run = (char *)uk_palloc(f->pages, RUN_PAGES);

	if (unlikely(!run))
		return -ENOMEM;
	memset(&f->page_class[((__uptr)run - f->base) >> PAGE_SHIFT], (int)sc,
	       RUN_PAGES);
	c->fresh = run;
	c->fresh_end = run + RUN_LEN;
	return 0;
}

/* Gives an empty list a batch, or what is left of a run */
static int class_take(struct floor *f, struct floor_list *list, unsigned int sc)
{
	struct floor_class *c = &f->cls[sc];

	if (c->batches) {
		list->head = c->batches;
		list->cnt = c->batch;
		c->batches = list->head->batch;
		return 0;
	}
	if (c->fresh + c->len > c->fresh_end && class_grow(f, c, sc))
		return -ENOMEM;
	while (list->cnt < c->batch && c->fresh + c->len <= c->fresh_end) {
		list_push(list, c->fresh);
		c->fresh += c->len;
	}
	return 0;
}

static __noinline void *refill(struct floor *f, struct floor_list *list,
			       unsigned int sc)
{
	int rc = 0;

	if (list->spare) {
		list->head = list->spare;
		list->cnt = list->batch;
		list->spare = __NULL;
	} else {
		uk_spin_lock(&f->cls[sc].lock);
		rc = class_take(f, list, sc);
		uk_spin_unlock(&f->cls[sc].lock);
	}
	if (unlikely(rc)) {
		errno = ENOMEM;
		return __NULL;
	}
	return list_pop(list);
}

/* Frees to a list that is a full batch */
static __noinline void flush(struct floor_class *c, struct floor_list *list,
			     void *ptr)
{
	if (list->spare) {
		uk_spin_lock(&c->lock);
		list->spare->batch = c->batches;
		c->batches = list->spare;
		uk_spin_unlock(&c->lock);
	}
	list->spare = list->head;
	list->head = __NULL;
	list->cnt = 0;
	list_push(list, ptr);
}

static __noinline void *large_malloc(struct uk_alloc *a, __sz size)
{
	struct uk_alloc *pages = floor_of(a)->pages;
	void *ptr = uk_malloc(pages, size);

	uk_alloc_stats_count_alloc(
		a, ptr, ptr ? uk_alloc_usable_size(pages, ptr) : size);
	return ptr;
}

static __noinline void large_free(struct uk_alloc *a, void *ptr)
{
	struct uk_alloc *pages = floor_of(a)->pages;

	uk_alloc_stats_count_free(a, ptr, uk_alloc_usable_size(pages, ptr));
	uk_free(pages, ptr);
}

static void *floor_malloc(struct uk_alloc *a, __sz size)
{
	struct floor *f = floor_of(a);
	struct floor_list *list;
	unsigned int sc;
	void *ptr;

	if (unlikely(size > SMALL_MAX))
		return large_malloc(a, size);
	sc = f->class_of[(size + STEP - 1) / STEP];
	list = &f->cpu[cpu_idx()]->free[sc];
	ptr = likely(list->head) ? list_pop(list) : refill(f, list, sc);
	uk_alloc_stats_count_alloc(a, ptr, f->cls[sc].len);
	return ptr;
}

static void floor_free(struct uk_alloc *a, void *ptr)
{
	struct floor *f = floor_of(a);
	struct floor_list *list;
	unsigned int sc;

	if (unlikely(!ptr))
		return;
	sc = class_of_ptr(f, ptr);
	if (unlikely(!sc)) {
		large_free(a, ptr);
		return;
	}
	uk_alloc_stats_count_free(a, ptr, f->cls[sc].len);
	list = &f->cpu[cpu_idx()]->free[sc];
	if (unlikely(list->cnt == list->batch)) {
		flush(&f->cls[sc], list, ptr);
		return;
	}
	list_push(list, ptr);
}

static __sz floor_usable(struct uk_alloc *a, const void *ptr)
{
	const struct floor *f = floor_of(a);
	unsigned int sc = class_of_ptr(f, ptr);

	return sc ? f->cls[sc].len : uk_alloc_usable_size(f->pages, ptr);
}

/* Pages that are not cut up */
static long floor_pavailmem(struct uk_alloc *a)
{
	return uk_alloc_pavailmem(floor_of(a)->pages);
}

/* Objects are at multiples of STEP, runs of pages wherever one likes */
static int floor_posix_memalign(struct uk_alloc *a, void **memptr, __sz align,
				__sz size)
{
	struct uk_alloc *pages = floor_of(a)->pages;
	void *ptr;
	int rc;

	if (!POWER_OF_2(align) || align % sizeof(void *))
		return EINVAL;
	if (align <= STEP) {
		ptr = floor_malloc(a, size);
		if (!ptr)
			return ENOMEM;
		*memptr = ptr;
		return 0;
	}
	rc = uk_posix_memalign(pages, memptr, align, size);
	if (!rc)
		uk_alloc_stats_count_alloc(
			a, *memptr, uk_alloc_usable_size(pages, *memptr));
	return rc;
}

static void classes_init(struct floor *f)
{
	unsigned int sc, cpu;
	__sz unit = 0;

	for (sc = 1; sc < CLASSES; sc++) {
		struct floor_class *c = &f->cls[sc];
		__sz step = sc - SHORT_CLASSES - 1;

		c->len = sc <= SHORT_CLASSES ?
				 sc * STEP :
				 (SHORT_MAX << step / 4) / 4 * (step % 4 + 5);
		c->batch = (unsigned int)MIN(BATCH_MAX, BATCH_LEN_MAX / c->len);
		c->batch = MAX(c->batch, 1U);
		uk_spin_init(&c->lock);
		for (cpu = 0; cpu < ARRAY_SIZE(f->cpu); cpu++)
			f->cpu[cpu]->free[sc].batch = c->batch;
		while (unit <= c->len / STEP)
			f->class_of[unit++] = (__u8)sc;
	}
	UK_ASSERT(unit == ARRAY_SIZE(f->class_of));
}

static void list_reset(struct floor_list *list)
{
	list->head = list->spare = __NULL;
	list->cnt = 0;
}

void uk_floor_reset(struct uk_alloc *a)
{
	struct floor *f = floor_of(a);
	unsigned int sc, cpu;
	__sz i;

	for (sc = 1; sc < CLASSES; sc++) {
		f->cls[sc].batches = __NULL;
		f->cls[sc].fresh = f->cls[sc].fresh_end = __NULL;
		for (cpu = 0; cpu < ARRAY_SIZE(f->cpu); cpu++)
			list_reset(&f->cpu[cpu]->free[sc]);
	}
	for (i = 0; i < f->page_cnt; i++) {
		if (!f->page_class[i])
			continue;
		memset(&f->page_class[i], 0, RUN_PAGES);
		uk_pfree(f->pages, (void *)(f->base + (i << PAGE_SHIFT)),
			 RUN_PAGES);
	}
}

/* The allocator begins where its state will be aligned; behind the state are
 * the tables of the CPUs and that of the pages, then the pages
 */
struct uk_alloc *uk_floor_init(void *base, __sz len)
{
	__uptr state = ALIGN_UP((__uptr)base + sizeof(struct uk_alloc), 64);
	struct uk_alloc *a = (struct uk_alloc *)(state - sizeof(*a));
	__uptr cpus = ALIGN_UP(state + sizeof(struct floor), 64);
	__uptr table = cpus + CPUS_LEN, pages = table + (len >> PAGE_SHIFT);
	struct floor *f = floor_of(a);
	unsigned int i;

	if (pages > (__uptr)base + len)
		return __NULL;
	memset(base, 0, pages - (__uptr)base);
	f->base = (__uptr)base;
	f->page_class = (__u8 *)table;
	f->page_cnt = len >> PAGE_SHIFT;
	for (i = 0; i < ARRAY_SIZE(f->cpu); i++)
		f->cpu[i] = (struct floor_cpu *)cpus + i;
	f->pages = uk_buddy_init((void *)pages, (__uptr)base + len - pages);
	if (!f->pages)
		return __NULL;
	classes_init(f);

	uk_alloc_init_malloc(a, floor_malloc, uk_calloc_compat,
			     uk_realloc_compat, floor_free,
			     floor_posix_memalign, uk_memalign_compat, __NULL,
			     __NULL, __NULL);
	a->usable = floor_usable;
	a->pavailmem = floor_pavailmem;
	return a;
}
