/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/falloc.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>

#include "fake_paging.h"

#define FAKE_PAGES 4096U

struct fake_page {
	__vaddr_t vaddr;
	unsigned long attr;
	/* Host memory, or what a dma area shows */
	__paddr_t paddr;
};

struct fake_paging fake;
int (*fake_pagefault)(__vaddr_t addr, unsigned long error_code,
		      const struct __regs *regs);
__thread __u32 fake_cpu = 1;

/* What the fake shares; threads may use it at once */
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

static struct fake_page table[FAKE_PAGES];
static unsigned int table_len;
static __u64 rng;

static int frames_take(unsigned long frames)
{
	if (fake.fail_after != FAKE_NEVER) {
		if (!fake.fail_after)
			return -ENOMEM;
		fake.fail_after--;
	}
	if (fake.frames_free < frames)
		return -ENOMEM;
	fake.frames_free -= frames;
	return 0;
}

static __paddr_t frame_new(void)
{
	void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	assert_non_null(page);
	return (__paddr_t)page;
}

static int fake_falloc(struct uk_falloc *fa, __paddr_t *paddr,
		       unsigned long frames, unsigned long flags)
{
	int rc;

	(void)fa;
	assert_int_equal(frames, 1);
	assert_int_equal(flags, 0);
	pthread_mutex_lock(&fake_lock);
	rc = frames_take(frames);
	pthread_mutex_unlock(&fake_lock);
	if (rc)
		return rc;
	*paddr = frame_new();
	/* What somebody else has left there */
	memset((void *)*paddr, 0x5a, PAGE_SIZE);
	return 0;
}

/* The lock is held */
static void frame_free(__paddr_t paddr)
{
	free((void *)paddr);
	fake.frames_free++;
	assert_true(fake.frames_free <= fake.frames_total);
}

static int fake_ffree(struct uk_falloc *fa, __paddr_t paddr,
		      unsigned long frames)
{
	(void)fa;
	assert_int_equal(frames, 1);
	pthread_mutex_lock(&fake_lock);
	frame_free(paddr);
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

static struct uk_falloc fake_fa = {
	.falloc = fake_falloc,
	.ffree = fake_ffree,
};

struct uk_pagetable fake_pt = { .fa = &fake_fa };

void fake_reset(__sz frames)
{
	memset(&fake, 0, sizeof(fake));
	fake.frames_free = frames;
	fake.frames_total = frames;
	fake.fail_after = FAKE_NEVER;
	fake.fail_unmap_after = FAKE_NEVER;
	fake.fail_attr_after = FAKE_NEVER;
	fake_pagefault = NULL;
	table_len = 0;
	rng = 0x853c49e6748fea9bUL;
}

void *ukplat_paddr_to_ptr(__paddr_t paddr)
{
	return (void *)paddr;
}

void ukplat_random_bytes(void *buf, __sz len)
{
	__u8 *bytes = buf;

	pthread_mutex_lock(&fake_lock);
	while (len--) {
		rng = rng * 6364136223846793005UL + 1442695040888963407UL;
		*bytes++ = (__u8)(rng >> 56);
	}
	pthread_mutex_unlock(&fake_lock);
}

/* vmem_priv.h leaves it to us */
__u32 vmem_cpu(void);

__u32 vmem_cpu(void)
{
	return fake_cpu;
}

void ukplat_pagefault_hook_set(int (*fn)(__vaddr_t addr,
					 unsigned long error_code,
					 const struct __regs *regs))
{
	fake_pagefault = fn;
}

static struct fake_page *page_find(__vaddr_t vaddr)
{
	unsigned int i;

	for (i = 0; i < table_len; i++)
		if (table[i].vaddr == vaddr)
			return &table[i];
	return NULL;
}

int fake_attr(__vaddr_t vaddr)
{
	const struct fake_page *page;
	int attr;

	pthread_mutex_lock(&fake_lock);
	page = page_find(vaddr);
	attr = page ? (int)page->attr : -1;
	pthread_mutex_unlock(&fake_lock);
	return attr;
}

__paddr_t fake_paddr(__vaddr_t vaddr)
{
	const struct fake_page *page;
	__paddr_t paddr;

	pthread_mutex_lock(&fake_lock);
	page = page_find(vaddr);
	paddr = page ? page->paddr : __PADDR_INV;
	pthread_mutex_unlock(&fake_lock);
	return paddr;
}

__sz fake_mapped(void)
{
	return table_len;
}

static void operation_begin(const struct uk_pagetable *pt, __vaddr_t vaddr,
			    unsigned long pages)
{
	void (*hook)(void) = fake.hook;

	assert_ptr_equal(pt, &fake_pt);
	assert_int_equal(vaddr & (PAGE_SIZE - 1), 0);
	assert_int_not_equal(pages, 0);
	if (fake.vas)
		assert_int_equal(fake.vas->lock.locked, 0);
	if (fake.yields)
		(void)sched_yield();
	if (hook) {
		fake.hook = NULL;
		hook();
	}
}

/* Counts a call; true if it is the one that has to fail */
static __bool is_doomed(__sz *after)
{
	if (*after == FAKE_NEVER)
		return 0;
	return (*after)-- == 0;
}

static int pages_add(__vaddr_t vaddr, __paddr_t paddr, unsigned long pages,
		     unsigned long attr)
{
	__bool is_ours = paddr == __PADDR_ANY;
	struct fake_page *page;
	unsigned long i;

	for (i = 0; i < pages; i++)
		if (page_find(vaddr + i * PAGE_SIZE))
			return -EEXIST;
	if (pages > FAKE_PAGES - table_len || (is_ours && frames_take(pages)))
		return -ENOMEM;
	for (i = 0; i < pages; i++) {
		page = &table[table_len++];
		page->vaddr = vaddr + i * PAGE_SIZE;
		page->attr = attr;
		page->paddr = is_ours ? frame_new() : paddr + i * PAGE_SIZE;
		if (is_ours)
			memset((void *)page->paddr, 0, PAGE_SIZE);
	}
	return 0;
}

static int pages_drop(__vaddr_t vaddr, unsigned long pages, __bool keep)
{
	unsigned int i = 0;

	if (is_doomed(&fake.fail_unmap_after))
		return -EINVAL;
	while (i < table_len) {
		if (table[i].vaddr < vaddr ||
		    table[i].vaddr >= vaddr + pages * PAGE_SIZE) {
			i++;
			continue;
		}
		if (!keep)
			frame_free(table[i].paddr);
		table[i] = table[--table_len];
	}
	return 0;
}

static int pages_change(__vaddr_t vaddr, unsigned long pages,
			unsigned long attr, __bool skips)
{
	struct fake_page *page;
	unsigned long i;

	if (is_doomed(&fake.fail_attr_after))
		return -ENOMEM;
	for (i = 0; i < pages && !skips; i++)
		if (!page_find(vaddr + i * PAGE_SIZE))
			return -EFAULT;
	for (i = 0; i < pages; i++) {
		page = page_find(vaddr + i * PAGE_SIZE);
		if (page)
			page->attr = attr;
	}
	return 0;
}

int ukplat_page_map(struct uk_pagetable *pt, __vaddr_t vaddr, __paddr_t paddr,
		    unsigned long pages, unsigned long attr,
		    unsigned long flags)
{
	int rc;

	operation_begin(pt, vaddr, pages);
	assert_int_equal(flags, 0);
	pthread_mutex_lock(&fake_lock);
	rc = pages_add(vaddr, paddr, pages, attr);
	pthread_mutex_unlock(&fake_lock);
	return rc;
}

int ukplat_page_unmap(struct uk_pagetable *pt, __vaddr_t vaddr,
		      unsigned long pages, unsigned long flags)
{
	int rc;

	operation_begin(pt, vaddr, pages);
	assert_true(!flags || flags == PAGE_FLAG_KEEP_FRAMES ||
		    flags == PAGE_FLAG_RACY);
	pthread_mutex_lock(&fake_lock);
	rc = pages_drop(vaddr, pages, flags == PAGE_FLAG_KEEP_FRAMES);
	pthread_mutex_unlock(&fake_lock);
	return rc;
}

/* No where a test has planned something for the unmapping */
int ukplat_page_is_unused(struct uk_pagetable *pt, __vaddr_t vaddr,
			  unsigned long pages)
{
	unsigned int i, used = 0;

	assert_ptr_equal(pt, &fake_pt);
	if (fake.hook || fake.fail_unmap_after != FAKE_NEVER)
		return 0;
	pthread_mutex_lock(&fake_lock);
	for (i = 0; i < table_len; i++)
		used += table[i].vaddr >= vaddr &&
			table[i].vaddr < vaddr + pages * PAGE_SIZE;
	pthread_mutex_unlock(&fake_lock);
	return !used;
}

int ukplat_page_set_attr(struct uk_pagetable *pt, __vaddr_t vaddr,
			 unsigned long pages, unsigned long new_attr,
			 unsigned long flags)
{
	int rc;

	operation_begin(pt, vaddr, pages);
	assert_int_equal(flags & ~(unsigned long)PAGE_FLAG_SKIP_UNMAPPED, 0);
	pthread_mutex_lock(&fake_lock);
	rc = pages_change(vaddr, pages, new_attr, flags != 0);
	pthread_mutex_unlock(&fake_lock);
	return rc;
}

int ukplat_page_permits(struct uk_pagetable *pt, __vaddr_t vaddr,
			unsigned long error_code)
{
	const struct fake_page *page;
	int permits = 0;

	assert_ptr_equal(pt, &fake_pt);
	pthread_mutex_lock(&fake_lock);
	page = page_find(ALIGN_DOWN(vaddr, PAGE_SIZE));
	if (page && error_code & UKPLAT_PF_WRITE)
		permits = !!(page->attr & PAGE_ATTR_PROT_WRITE);
	else if (page && error_code & UKPLAT_PF_FETCH)
		permits = !!(page->attr & PAGE_ATTR_PROT_EXEC);
	else if (page)
		permits = page->attr != PAGE_ATTR_PROT_NONE;
	pthread_mutex_unlock(&fake_lock);
	return permits;
}

__paddr_t ukplat_page_translate(struct uk_pagetable *pt, __vaddr_t vaddr)
{
	const struct fake_page *page;
	__paddr_t paddr = __PADDR_INV;

	assert_ptr_equal(pt, &fake_pt);
	pthread_mutex_lock(&fake_lock);
	page = page_find(ALIGN_DOWN(vaddr, PAGE_SIZE));
	if (page && page->attr != PAGE_ATTR_PROT_NONE)
		paddr = page->paddr + vaddr % PAGE_SIZE;
	pthread_mutex_unlock(&fake_lock);
	return paddr;
}

int ukplat_page_reclaim(struct uk_pagetable *pt)
{
	int came_back;

	operation_begin(pt, 0, 1);
	pthread_mutex_lock(&fake_lock);
	fake.reclaims++;
	came_back = fake.reclaim_in_vain || fake.reclaimable;
	if (fake.reclaimable) {
		fake.reclaimable--;
		fake.frames_free++;
		fake.frames_total++;
		if (fake.fail_after != FAKE_NEVER)
			fake.fail_after++;
	}
	pthread_mutex_unlock(&fake_lock);
	return came_back;
}
