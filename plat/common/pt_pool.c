/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>
#include <uk/plat/tlb.h>
#include <uk/spinlock.h>

#include "bootinfo.h"
#include "pt.h"
#include "pt_pool.h"
#include "random.h"
#include "rng.h"
#include "vector.h"

/* Those of the loader, and as many for what is mapped besides RAM: half a TiB
 * without gaps
 */
#define POOL_BLOCKS (2U * BOOT_BLOCKS_MAX)

/* Numbers of tables that are tried before the free ones are counted, if one of
 * so many is free
 */
#define DRAW_TRIES 16U
#define DRAW_SHARE 8U

/* Tables that change hands under one hold of the lock */
#define PUT_MAX 64U

/* Everything but the order of blocks is under pool_lock; that is under
 * grow_lock, too
 */
static struct {
	struct pt_block block[POOL_BLOCKS];
	unsigned int cnt;
	/** Bits of the number of a table */
	unsigned int width;
	unsigned long free;
	/** (a) Free memory when there was no block; see is_hopeless() */
	__sz hopeless;
	struct plat_rng rng;
} pool;

static struct uk_spinlock pool_lock = UK_SPINLOCK_INITIALIZER();
static struct uk_spinlock grow_lock = UK_SPINLOCK_INITIALIZER();

static struct pt_block *block_of(__paddr_t paddr)
{
	unsigned int i;

	for (i = 0; i < pool.cnt; i++)
		if (paddr - pool.block[i].paddr < PAGE_LARGE_SIZE)
			return &pool.block[i];
	return __NULL;
}

static void width_update(void)
{
	unsigned long tables = pool.cnt * PT_BLOCK_TABLES;

	pool.width = tables ? 64 - (unsigned int)__builtin_clzl(tables - 1) : 0;
}

static void block_add(const struct pt_block *from)
{
	pool.block[pool.cnt++] = *from;
	pool.free += from->free;
	width_update();
}

int pt_pool_take_over(const struct boot_info *info, struct uk_falloc *fa)
{
	const struct pt_block *from = info->block;
	__paddr_t paddr;

	plat_rng_fork(&pool.rng);
	for (; from < &info->block[info->block_cnt]; from++) {
		/* It is a block of frames in use, like those that come later */
		if (fa->falloc_from_range(fa, &paddr, PT_BLOCK_TABLES,
					  FALLOC_FLAG_ALIGNED, from->paddr,
					  from->paddr + PAGE_LARGE_SIZE))
			return -ENOMEM;
		block_add(from);
	}
	return 0;
}

int pt_pool_has(__paddr_t paddr)
{
	return block_of(paddr) != __NULL;
}

unsigned long pt_pool_free(void)
{
	return __atomic_load_n(&pool.free, __ATOMIC_RELAXED);
}

static void free_add(unsigned long cnt)
{
	__atomic_store_n(&pool.free, pool.free + cnt, __ATOMIC_RELAXED);
}

/* Counts to the n-th of the tables that are free below max. Under the lock */
static __paddr_t table_nth(__paddr_t max, unsigned long n)
{
	struct pt_block *b = pool.block;

	if (likely(max == __PADDR_MAX))
		for (; n >= b->free; b++)
			n -= b->free;
	else
		for (; n >= b->free || b->paddr + PAGE_LARGE_SIZE > max; b++)
			if (b->paddr + PAGE_LARGE_SIZE <= max)
				n -= b->free;
	free_add(-1UL);
	return pt_block_take(b, n);
}

/* Numbers of tables, drawn one after the other */
struct pool_draw {
	unsigned long tables;
	unsigned int width;
	/* Bits that are left of a random word */
	unsigned int left;
	__u64 word;
};

/* Draws a number that may be beyond the last one, not by much */
static inline unsigned long number_draw(struct pool_draw *d)
{
	unsigned long n;

	if (d->left < d->width) {
		d->word = plat_rng_u64(&pool.rng);
		d->left = 64;
	}
	n = d->word & ((1UL << d->width) - 1);
	d->word >>= d->width;
	d->left -= d->width;
	return n;
}

/* Draws numbers of tables until one is free: that is any free one, each with
 * the same probability, as if they had been counted. __PADDR_INV: no luck.
 * Under the lock
 */
static inline __paddr_t table_try(struct pool_draw *d)
{
	unsigned int tries = DRAW_TRIES;
	struct pt_block *b;
	unsigned long n;

	if (unlikely(pool.free * DRAW_SHARE < d->tables))
		return __PADDR_INV;
	while (tries--) {
		n = number_draw(d);
		b = &pool.block[n / PT_BLOCK_TABLES];
		if (n < d->tables && pt_block_has(b, n % PT_BLOCK_TABLES)) {
			free_add(-1UL);
			return pt_block_claim(b, n % PT_BLOCK_TABLES);
		}
	}
	return __PADDR_INV;
}

/* Draws one of all tables that are free; there is one. Under the lock */
static inline __paddr_t table_draw(struct pool_draw *d)
{
	__paddr_t paddr = table_try(d);

	if (likely(paddr != __PADDR_INV))
		return paddr;
	return table_nth(__PADDR_MAX,
			 plat_rng_uniform32(&pool.rng, (__u32)pool.free));
}

__paddr_t pt_pool_take(__paddr_t max)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pool_lock), free = 0;
	__paddr_t paddr = __PADDR_INV;
	unsigned int i;

	plat_rng_follow(&pool.rng);
	for (i = 0; i < pool.cnt; i++)
		if (pool.block[i].paddr + PAGE_LARGE_SIZE <= max)
			free += pool.block[i].free;
	if (free)
		paddr = table_nth(max,
				  plat_rng_uniform32(&pool.rng, (__u32)free));
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return paddr;
}

int pt_pool_take_list(struct pt_frames *list, unsigned long cnt)
{
	struct pool_draw d;
	unsigned long irqf;
	int rc = -ENOMEM;

	if (!cnt)
		return 0;
	irqf = uk_spin_lock_irqsave(&pool_lock);
	if (likely(pool.free >= cnt)) {
		d = (struct pool_draw){ .tables = pool.cnt * PT_BLOCK_TABLES,
					.width = pool.width };
		plat_rng_follow(&pool.rng);
		while (cnt--)
			pt_frames_push(list, table_draw(&d));
		rc = 0;
	}
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return rc;
}

/* Under the lock */
static void table_put(__paddr_t paddr)
{
	struct pt_block *b = block_of(paddr);
	unsigned long n;

	UK_ASSERT(b);
	n = (paddr - b->paddr) >> PAGE_SHIFT;
	UK_ASSERT(!pt_block_has(b, n));
	b->map[n / 64] |= 1UL << n % 64;
	b->free++;
}

void pt_pool_put(__paddr_t paddr)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pool_lock);

	table_put(paddr);
	free_add(1);
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
}

void pt_pool_put_list(struct pt_frames *list)
{
	unsigned long irqf, n, i;

	while (list->cnt) {
		n = MIN(list->cnt, PUT_MAX);
		irqf = uk_spin_lock_irqsave(&pool_lock);
		for (i = 0; i < n; i++)
			table_put(pt_frames_pop(list));
		free_add(n);
		uk_spin_unlock_irqrestore(&pool_lock, irqf);
	}
}

/* Moves a block between direct map and window: L1. No CPU remembers it at the
 * old place afterwards.
 */
static void block_move(struct uk_pagetable *pt, __vaddr_t from, __vaddr_t to,
		       __paddr_t paddr)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pt->lock);

	pt_block_unmap(pt, from + paddr);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
	ukplat_tlb_shootdown(from + paddr, PT_BLOCK_TABLES);
	irqf = uk_spin_lock_irqsave(&pt->lock);
	pt_block_map(pt, to + paddr, paddr);
	uk_spin_unlock_irqrestore(&pt->lock, irqf);
}

/* Under grow_lock */
static int pool_grow(struct uk_pagetable *pt)
{
	__paddr_t paddr = __PADDR_ANY;
	struct pt_block block;
	unsigned long irqf;

	if (pool.cnt == POOL_BLOCKS ||
	    pt->fa->falloc(pt->fa, &paddr, PT_BLOCK_TABLES,
			   FALLOC_FLAG_ALIGNED))
		return -ENOMEM;
	vector_fill(ukplat_paddr_to_ptr(paddr),
		    PT_BLOCK_TABLES * VECTOR_PAGE_WORDS, 0);
	block_move(pt, pt_direct_map, pt_window, paddr);
	pt_block_init(&block, paddr);
	irqf = uk_spin_lock_irqsave(&pool_lock);
	block_add(&block);
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return 0;
}

/* There was no block, and not much has come back since. Looking for one again
 * and again would make each mapping look at all frames.
 */
static int is_hopeless(const struct uk_pagetable *pt)
{
	__sz was = __atomic_load_n(&pool.hopeless, __ATOMIC_RELAXED);

	return was && __atomic_load_n(&pt->fa->free_memory, __ATOMIC_RELAXED) <
			      was + PAGE_LARGE_SIZE / 2;
}

int pt_pool_want(struct uk_pagetable *pt, unsigned long tables)
{
	unsigned long irqf;
	int rc = 0;

	if (likely(pt_pool_free() >= tables))
		return 0;
	irqf = uk_spin_lock_irqsave(&grow_lock);
	while (!rc && pt_pool_free() < tables)
		rc = pool_grow(pt);
	__atomic_store_n(&pool.hopeless, rc ? pt->fa->free_memory : 0,
			 __ATOMIC_RELAXED);
	uk_spin_unlock_irqrestore(&grow_lock, irqf);
	return rc;
}

void pt_pool_top_up(struct uk_pagetable *pt)
{
	if (unlikely(pt_pool_free() < PT_POOL_LOW) && !is_hopeless(pt))
		(void)pt_pool_want(pt, PT_POOL_LOW);
}

/* Takes a block without tables out of the pool; __PADDR_INV: there is none */
static __paddr_t block_remove(void)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pool_lock);
	__paddr_t paddr = __PADDR_INV;
	unsigned int i = 0;

	while (i < pool.cnt && pool.block[i].free < PT_BLOCK_TABLES)
		i++;
	if (i < pool.cnt && pool.free >= PT_BLOCK_TABLES + PT_POOL_LOW) {
		paddr = pool.block[i].paddr;
		pool.block[i] = pool.block[--pool.cnt];
		free_add(-PT_BLOCK_TABLES);
		width_update();
	}
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return paddr;
}

void pt_pool_shrink(struct uk_pagetable *pt)
{
	unsigned long irqf;
	__paddr_t paddr;

	do {
		irqf = uk_spin_lock_irqsave(&grow_lock);
		paddr = block_remove();
		if (paddr != __PADDR_INV) {
			block_move(pt, pt_window, pt_direct_map, paddr);
			uk_ffree(pt->fa, paddr, PT_BLOCK_TABLES);
		}
		uk_spin_unlock_irqrestore(&grow_lock, irqf);
	} while (paddr != __PADDR_INV);
}
