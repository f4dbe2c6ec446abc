/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>
#include <uk/spinlock.h>

#include "bootinfo.h"
#include "pt.h"
#include "pt_pool.h"
#include "pt_pool_priv.h"
#include "random.h"
#include "rng.h"
#include "vector.h"

/* Those of the loader, and as many for what is mapped besides RAM: half a TiB
 * without gaps
 */
#define POOL_BLOCKS (2U * BOOT_BLOCKS_MAX)

/* Words of the maps of all blocks, bytes of that of one */
#define POOL_WORDS    ((unsigned long)POOL_BLOCKS * PT_BLOCK_WORDS)
#define BLOCK_MAP_LEN (PT_BLOCK_WORDS * sizeof(__u64))

/* Numbers of tables that are tried before the free ones are counted, if one of
 * so many is free
 */
#define DRAW_TRIES 16U
#define DRAW_SHARE 8U

/* Tables are drawn from the first blocks, from so many that there are at least
 * OPEN_LEAST free ones to choose from; the last of them is closed again when as
 * many as OPEN_MOST are left without it. So tables that come and go gather, and
 * other blocks become free as a whole, sooner or later.
 */
#define OPEN_LEAST 256UL
#define OPEN_MOST  384UL

/* Tables that change hands under one hold of the lock */
#define PUT_MAX 64U

struct pool_block {
	__paddr_t paddr;
	/** Number of its tables that are free */
	unsigned long free;
};

/* Random bits, used from the low end */
struct pool_bits {
	__u64 word;
	unsigned int left;
};

/* Everything but the order of blocks is under pool_lock; that is under the lock
 * of pt_pool_grow.c, too
 */
static struct {
	struct pool_block block[POOL_BLOCKS];
	/** A bit for each table of each block that is free, by its number; 0
	 * behind the last block
	 */
	__u64 map[POOL_WORDS];
	/** Those of them that are not zero yet, and how many there are */
	__u64 stale[POOL_WORDS];
	unsigned long stale_cnt;
	unsigned int cnt;
	/** Blocks that tables are drawn from, and bits of the number of one of
	 * their tables
	 */
	unsigned int open;
	unsigned int width;
	unsigned long free;
	struct pool_bits bits;
	struct plat_rng rng;
} pool;

static struct uk_spinlock pool_lock = UK_SPINLOCK_INITIALIZER();

/* Any number of `width` bits has its place in the map */
UK_CTASSERT(POWER_OF_2(POOL_WORDS * 64));

/* Number of the block of a table; pool.cnt: it is in none */
static unsigned int block_of(__paddr_t paddr)
{
	unsigned int i;

	for (i = 0; i < pool.cnt; i++)
		if (paddr - pool.block[i].paddr < PAGE_LARGE_SIZE)
			break;
	return i;
}

static __u64 *block_map(unsigned int i)
{
	return &pool.map[i * PT_BLOCK_WORDS];
}

static __u64 *block_stale(unsigned int i)
{
	return &pool.stale[i * PT_BLOCK_WORDS];
}

static void open_set(unsigned int open)
{
	unsigned long tables = open * PT_BLOCK_TABLES;

	pool.open = open;
	pool.width = tables ? 64 - (unsigned int)__builtin_clzl(tables - 1) : 0;
}

/* Opens blocks until so many tables can be drawn, or closes one; returns the
 * number of free tables in open blocks. Under the lock
 */
static unsigned long blocks_open(unsigned long cnt)
{
	unsigned long free = 0, less;
	unsigned int i;

	for (i = 0; i < pool.open; i++)
		free += pool.block[i].free;
	if (unlikely(free < OPEN_LEAST + cnt && i < pool.cnt)) {
		while (free < OPEN_LEAST + cnt && i < pool.cnt)
			free += pool.block[i++].free;
		open_set(i);
	} else if (unlikely(i > 1)) {
		less = free - pool.block[i - 1].free;
		if (less < OPEN_MOST + cnt)
			return free;
		free = less;
		open_set(i - 1);
	}
	return free;
}

static void free_add(unsigned long cnt)
{
	__atomic_store_n(&pool.free, pool.free + cnt, __ATOMIC_RELAXED);
}

static void block_add(const struct pt_block *from)
{
	pool.block[pool.cnt] = (struct pool_block){ from->paddr, from->free };
	memcpy(block_map(pool.cnt), from->map, sizeof(from->map));
	pool.cnt++;
	free_add(from->free);
}

int pt_pool_is_full(void)
{
	return pool.cnt == POOL_BLOCKS;
}

void pt_pool_block_add(__paddr_t paddr)
{
	struct pt_block block;
	unsigned long irqf;

	pt_block_init(&block, paddr);
	irqf = uk_spin_lock_irqsave(&pool_lock);
	memset(block_stale(pool.cnt), 0xff, BLOCK_MAP_LEN);
	pool.stale_cnt += PT_BLOCK_TABLES;
	block_add(&block);
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
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
	return block_of(paddr) < pool.cnt;
}

unsigned long pt_pool_free(void)
{
	return __atomic_load_n(&pool.free, __ATOMIC_RELAXED);
}

/* Bits that another machine may have, too, are not used */
static inline void pool_follow(void)
{
	__u32 epoch = pool.rng.epoch;

	plat_rng_follow(&pool.rng);
	if (unlikely(pool.rng.epoch != epoch))
		pool.bits.left = 0;
}

/* Clears table number n if it is stale */
static void __noinline table_refresh(__paddr_t paddr, unsigned long n)
{
	if (!(pool.stale[n / 64] >> n % 64 & 1))
		return;
	pool.stale[n / 64] &= ~(1UL << n % 64);
	pool.stale_cnt--;
	vector_page_clear(pt_table(paddr));
}

/* Takes table number n, which is free, but from pool.free. Under the lock */
static inline __paddr_t table_claim(unsigned long n)
{
	struct pool_block *b = &pool.block[n / PT_BLOCK_TABLES];
	__paddr_t paddr = b->paddr + (n % PT_BLOCK_TABLES << PAGE_SHIFT);

	pool.map[n / 64] &= ~(1UL << n % 64);
	b->free--;
	if (unlikely(pool.stale_cnt))
		table_refresh(paddr, n);
	return paddr;
}

/* Counts to the n-th of the tables that are free below max, and claims it */
static __paddr_t table_nth(__paddr_t max, unsigned long n)
{
	const struct pool_block *b = pool.block;
	unsigned int i;

	if (likely(max == __PADDR_MAX))
		for (; n >= b->free; b++)
			n -= b->free;
	else
		for (; n >= b->free || b->paddr + PAGE_LARGE_SIZE > max; b++)
			if (b->paddr + PAGE_LARGE_SIZE <= max)
				n -= b->free;
	i = (unsigned int)(b - pool.block);
	return table_claim(i * PT_BLOCK_TABLES +
			   pt_block_select(block_map(i), n));
}

static inline unsigned long number_draw(struct pool_bits *bits,
					unsigned int width)
{
	unsigned long n;

	if (bits->left < width) {
		bits->word = plat_rng_u64(&pool.rng);
		bits->left = 64;
	}
	n = bits->word & ((1UL << width) - 1);
	bits->word >>= width;
	bits->left -= width;
	return n;
}

/* Draws numbers of tables, and claims those that are free: that is any free
 * one of open blocks, each with the same probability, as if they had been
 * counted. Returns how many there still are to claim, if there was no luck.
 * Under the lock
 */
static unsigned long tables_try(struct pt_frames *list, unsigned long cnt)
{
	unsigned long tries = cnt * DRAW_TRIES, n, got = 0;
	struct pool_bits bits = pool.bits;
	const unsigned long end = pool.open * PT_BLOCK_TABLES;
	const unsigned int width = pool.width;
	__paddr_t head = list->head, paddr;

	while (tries--) {
		n = number_draw(&bits, width);
		if (n >= end || !(pool.map[n / 64] >> n % 64 & 1))
			continue;
		paddr = table_claim(n);
		*pt_table(paddr) = head;
		head = paddr;
		if (++got == cnt)
			break;
	}
	list->head = head;
	list->cnt += got;
	pool.bits = bits;
	free_add(-got);
	return cnt - got;
}

__paddr_t pt_pool_take(__paddr_t max)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pool_lock), free = 0;
	__paddr_t paddr = __PADDR_INV;
	unsigned int i;

	pool_follow();
	for (i = 0; i < pool.cnt; i++)
		if (pool.block[i].paddr + PAGE_LARGE_SIZE <= max)
			free += pool.block[i].free;
	if (free) {
		paddr = table_nth(max,
				  plat_rng_uniform32(&pool.rng, (__u32)free));
		free_add(-1UL);
	}
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return paddr;
}

/* Draws so many tables; as many are free. Under the lock */
static inline void tables_draw(struct pt_frames *list, unsigned long cnt)
{
	unsigned long free = blocks_open(cnt), left = cnt;

	if (likely((free - cnt) * DRAW_SHARE >= pool.open * PT_BLOCK_TABLES))
		left = tables_try(list, cnt);
	for (free -= cnt - left; unlikely(left); left--, free--) {
		pt_frames_push(
			list,
			table_nth(__PADDR_MAX,
				  plat_rng_uniform32(&pool.rng, (__u32)free)));
		free_add(-1UL);
	}
}

int pt_pool_take_list(struct pt_frames *list, unsigned long cnt)
{
	unsigned long irqf;
	int rc = -ENOMEM;

	if (!cnt)
		return 0;
	irqf = uk_spin_lock_irqsave(&pool_lock);
	if (likely(pool.free >= cnt)) {
		pool_follow();
		tables_draw(list, cnt);
		rc = 0;
	}
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return rc;
}

/* Under the lock */
static inline void table_put(__paddr_t paddr)
{
	unsigned int i = block_of(paddr);
	struct pool_block *b = &pool.block[i];
	__u64 *word, bit;
	unsigned long n;

	UK_ASSERT(i < pool.cnt);
	n = (paddr - b->paddr) >> PAGE_SHIFT;
	word = block_map(i) + n / 64;
	bit = 1UL << n % 64;
	UK_ASSERT(!(*word & bit));
	*word |= bit;
	b->free++;
}

/* Of a list. Under the lock */
static void tables_put(struct pt_frames *list, unsigned long cnt)
{
	/* Not in memory in between */
	__paddr_t paddr = list->head, next;
	unsigned long i;

	for (i = 0; i < cnt; i++, paddr = next) {
		next = *pt_table(paddr);
		*pt_table(paddr) = 0;
		table_put(paddr);
	}
	list->head = paddr;
	list->cnt -= cnt;
	free_add(cnt);
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
	unsigned long irqf;

	while (list->cnt) {
		irqf = uk_spin_lock_irqsave(&pool_lock);
		tables_put(list, MIN(list->cnt, PUT_MAX));
		uk_spin_unlock_irqrestore(&pool_lock, irqf);
	}
}

static unsigned long stale_count(unsigned int i)
{
	const __u64 *word = block_stale(i), *end = word + PT_BLOCK_WORDS;
	unsigned long cnt = 0;
	__u64 bits;

	for (; word < end; word++)
		for (bits = *word; bits; bits &= bits - 1)
			cnt++;
	return cnt;
}

/* The last block, whose number is pool.cnt, takes the place of number i */
static void block_drop(unsigned int i)
{
	unsigned int last = pool.cnt;

	pool.stale_cnt -= stale_count(i);
	pool.block[i] = pool.block[last];
	memmove(block_map(i), block_map(last), BLOCK_MAP_LEN);
	memset(block_map(last), 0, BLOCK_MAP_LEN);
	memmove(block_stale(i), block_stale(last), BLOCK_MAP_LEN);
	memset(block_stale(last), 0, BLOCK_MAP_LEN);
}

__paddr_t pt_pool_block_remove(void)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pool_lock);
	__paddr_t paddr = __PADDR_INV;
	unsigned int i = 0;

	while (i < pool.cnt && pool.block[i].free < PT_BLOCK_TABLES)
		i++;
	if (i < pool.cnt && pool.free >= PT_BLOCK_TABLES + PT_POOL_LOW) {
		paddr = pool.block[i].paddr;
		pool.cnt--;
		block_drop(i);
		free_add(-PT_BLOCK_TABLES);
		open_set(MIN(pool.open, pool.cnt));
	}
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return paddr;
}

unsigned long pt_pool_spare(void)
{
	unsigned long irqf = uk_spin_lock_irqsave(&pool_lock);
	unsigned long blocks = 0, most = 0;
	unsigned int i;

	for (i = 0; i < pool.cnt; i++)
		blocks += pool.block[i].free == PT_BLOCK_TABLES;
	if (pool.free > PT_POOL_LOW)
		most = (pool.free - PT_POOL_LOW) / PT_BLOCK_TABLES;
	uk_spin_unlock_irqrestore(&pool_lock, irqf);
	return MIN(blocks, most) * PT_BLOCK_TABLES;
}
