/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/alloc_impl.h>
#include <uk/arch/types.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/spinlock.h>

#include "buddy.h"

#define PAGE_SHIFT UK_ALLOC_PAGE_SHIFT
#define PAGE_LEN   UK_ALLOC_PAGE_LEN

/* Largest run: 2^40 pages, more than an address space has */
#define BUDDY_ORDERS 41U

/* Lies in the first page of a free run */
struct buddy_run {
	struct buddy_run *next;
	struct buddy_run **link; /* what points here */
};

/* Lies at the start of its memory. Page numbers are addresses / PAGE_LEN. */
struct buddy_region {
	struct buddy_region *next;
	__uptr first; /* number of the first page for users */
	__uptr end;   /* number of the page behind the last one */
	__u8 state[]; /* order + 1 of the free run that starts here, or 0 */
};

struct buddy {
	struct uk_spinlock lock;
	__u64 orders; /* bit k: list k is not empty */
	unsigned long free_pages;
	struct buddy_region *regions;
	struct buddy_run *list[BUDDY_ORDERS];
};

UK_CTASSERT(BUDDY_ORDERS <= 64);

static struct buddy *buddy_of(struct uk_alloc *a)
{
	return (struct buddy *)(void *)a->priv;
}

static __u8 *buddy_state(struct buddy_region *rg, __uptr page)
{
	UK_ASSERT(page >= rg->first && page < rg->end);
	return &rg->state[page - rg->first];
}

static void buddy_insert(struct buddy *b, struct buddy_region *rg, __uptr page,
			 unsigned int order)
{
	struct buddy_run *run = (struct buddy_run *)(page << PAGE_SHIFT);

	run->next = b->list[order];
	run->link = &b->list[order];
	if (run->next)
		run->next->link = &run->next;
	b->list[order] = run;
	b->orders |= 1UL << order;
	*buddy_state(rg, page) = (__u8)(order + 1);
}

static void buddy_remove(struct buddy *b, struct buddy_region *rg, __uptr page,
			 unsigned int order)
{
	struct buddy_run *run = (struct buddy_run *)(page << PAGE_SHIFT);

	UK_ASSERT(*buddy_state(rg, page) == order + 1);

	*run->link = run->next;
	if (run->next)
		run->next->link = run->link;
	if (!b->list[order])
		b->orders &= ~(1UL << order);
	*buddy_state(rg, page) = 0;
}

static struct buddy_region *buddy_find(const struct buddy *b, __uptr page)
{
	struct buddy_region *rg = b->regions;

	while (rg && (page < rg->first || page >= rg->end))
		rg = rg->next;

	return rg;
}

/* Tells whether the buddy of a run is a free run of the same order */
static __bool buddy_is_free(struct buddy_region *rg, __uptr buddy,
			    unsigned int order)
{
	return buddy >= rg->first && buddy < rg->end &&
	       *buddy_state(rg, buddy) == order + 1;
}

/* Frees one run and joins it with its buddies as far as they are free */
static void buddy_free_run(struct buddy *b, struct buddy_region *rg,
			   __uptr page, unsigned int order)
{
	while (order < BUDDY_ORDERS - 1 &&
	       buddy_is_free(rg, page ^ (1UL << order), order)) {
		buddy_remove(b, rg, page ^ (1UL << order), order);
		page &= ~(1UL << order);
		order++;
	}

	buddy_insert(b, rg, page, order);
}

/* Order of the largest aligned run that starts at page and ends at end */
static unsigned int buddy_fit(__uptr page, __uptr end)
{
	unsigned int aligned = (unsigned int)__builtin_ctzl(page);
	unsigned int fits = 63U - (unsigned int)__builtin_clzl(end - page);

	/* An address space is smaller than BUDDY_ORDERS allows */
	return MIN(aligned, fits);
}

/* Frees [page, end) in the largest runs that alignment allows */
static void buddy_free_range(struct buddy *b, struct buddy_region *rg,
			     __uptr page, __uptr end)
{
	b->free_pages += end - page;
	while (page < end) {
		unsigned int order = buddy_fit(page, end);

		buddy_free_run(b, rg, page, order);
		page += 1UL << order;
	}
}

/* Takes a run out of the lists and gives back what the caller did not ask
 * for: the halves that are too much, and the pages behind num_pages.
 */
static void *buddy_take(struct buddy *b, unsigned long num_pages)
{
	struct buddy_region *rg;
	unsigned int order = 0;
	__uptr page;
	__u64 fits;

	if (num_pages > 1)
		order = 64U - (unsigned int)__builtin_clzl(num_pages - 1);
	if (order >= BUDDY_ORDERS)
		return __NULL;

	fits = b->orders & ~((1UL << order) - 1);
	if (!fits)
		return __NULL;

	order = (unsigned int)__builtin_ctzl(fits);
	page = (__uptr)b->list[order] >> PAGE_SHIFT;
	rg = buddy_find(b, page);
	buddy_remove(b, rg, page, order);
	b->free_pages -= 1UL << order;
	buddy_free_range(b, rg, page + num_pages, page + (1UL << order));
	return (void *)(page << PAGE_SHIFT);
}

static void *buddy_palloc(struct uk_alloc *a, unsigned long num_pages)
{
	struct buddy *b = buddy_of(a);
	void *ptr = __NULL;

	if (likely(num_pages)) {
		unsigned long flags;

		flags = uk_spin_lock_irqsave(&b->lock);
		ptr = buddy_take(b, num_pages);
		uk_spin_unlock_irqrestore(&b->lock, flags);
	}

	uk_alloc_stats_count_palloc(a, ptr, num_pages);
	if (unlikely(!ptr))
		errno = ENOMEM;
	return ptr;
}

static void buddy_pfree(struct uk_alloc *a, void *ptr, unsigned long num_pages)
{
	struct buddy *b = buddy_of(a);
	__uptr page = (__uptr)ptr >> PAGE_SHIFT;
	struct buddy_region *rg;
	unsigned long flags;

	UK_ASSERT(!((__uptr)ptr & (PAGE_LEN - 1)));

	flags = uk_spin_lock_irqsave(&b->lock);
	rg = buddy_find(b, page);
	UK_ASSERT(rg && num_pages <= rg->end - page);
	buddy_free_range(b, rg, page, page + num_pages);
	uk_spin_unlock_irqrestore(&b->lock, flags);

	uk_alloc_stats_count_pfree(a, ptr, num_pages);
}

static long buddy_pmaxalloc(struct uk_alloc *a)
{
	__u64 orders = __atomic_load_n(&buddy_of(a)->orders, __ATOMIC_RELAXED);

	return orders ? 1L << (63 - __builtin_clzl(orders)) : 0;
}

static long buddy_pavailmem(struct uk_alloc *a)
{
	return (long)__atomic_load_n(&buddy_of(a)->free_pages,
				     __ATOMIC_RELAXED);
}

static int buddy_addmem(struct uk_alloc *a, void *base, __sz len)
{
	struct buddy *b = buddy_of(a);
	__uptr start = ALIGN_UP((__uptr)base, sizeof(__uptr));
	__uptr end = ALIGN_DOWN((__uptr)base + len, PAGE_LEN);
	struct buddy_region *rg = (struct buddy_region *)start;
	unsigned long flags;
	__uptr first;

	/* A table for all pages, those that the table itself takes included */
	first = ALIGN_UP(start + sizeof(*rg) + (len >> PAGE_SHIFT) + 1,
			 PAGE_LEN);
	if (!start || first < start || first >= end)
		return -ENOMEM;

	memset(rg, 0, first - start);
	rg->first = first >> PAGE_SHIFT;
	rg->end = end >> PAGE_SHIFT;

	flags = uk_spin_lock_irqsave(&b->lock);
	rg->next = b->regions;
	b->regions = rg;
	buddy_free_range(b, rg, rg->first, rg->end);
	uk_spin_unlock_irqrestore(&b->lock, flags);
	return 0;
}

struct uk_alloc *uk_buddy_init(void *base, __sz len)
{
	const __sz head = sizeof(struct uk_alloc) + sizeof(struct buddy);
	__uptr start = ALIGN_UP((__uptr)base, sizeof(__uptr));
	struct uk_alloc *a = (struct uk_alloc *)start;
	__sz skip = start - (__uptr)base + head;

	if (len <= skip)
		return __NULL;

	memset(a, 0, head);
	if (buddy_addmem(a, (char *)start + head, len - skip))
		return __NULL;

	uk_alloc_init_palloc(a, buddy_palloc, buddy_pfree, buddy_pmaxalloc,
			     buddy_pavailmem, buddy_addmem);
	return a;
}

/* B1 and B2 for one run of a list */
static int buddy_run_is_valid(const struct buddy *b, __uptr page,
			      unsigned int order)
{
	struct buddy_region *rg = buddy_find(b, page);
	__uptr i;

	if (!rg || page & ((1UL << order) - 1) ||
	    page + (1UL << order) > rg->end ||
	    *buddy_state(rg, page) != order + 1)
		return 0;

	for (i = 1; i < 1UL << order; i++)
		if (*buddy_state(rg, page + i))
			return 0;

	return !buddy_is_free(rg, page ^ (1UL << order), order);
}

int uk_buddy_is_valid(struct uk_alloc *a)
{
	struct buddy *b = buddy_of(a);
	const struct buddy_run *run;
	unsigned long flags, pages = 0;
	unsigned int order;
	int ok = 1;

	flags = uk_spin_lock_irqsave(&b->lock);
	for (order = 0; order < BUDDY_ORDERS; order++) {
		ok &= !b->list[order] == !(b->orders >> order & 1);
		for (run = b->list[order]; run; run = run->next) {
			ok &= buddy_run_is_valid(b, (__uptr)run >> PAGE_SHIFT,
						 order);
			pages += 1UL << order;
		}
	}
	ok &= pages == b->free_pages;
	uk_spin_unlock_irqrestore(&b->lock, flags);
	return ok;
}
