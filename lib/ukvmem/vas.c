/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/falloc.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/spinlock.h>

#include "vma_pool.h"
#include "vma_tree.h"
#include "vmem_priv.h"

UK_CTASSERT(VMA_POOL_PAGE_LEN == PAGE_SIZE);

/* Set once at boot, before other CPUs run */
static struct uk_vas *vas_active;

struct uk_vas *uk_vas_get_active(void)
{
	return vas_active;
}

int uk_vas_set_active(struct uk_vas *vas)
{
	UK_ASSERT(vas);

	vas_active = vas;
	vmem_pagefault_install();
	return 0;
}

int vmem_attr_check(unsigned long attr)
{
	if (attr & ~(unsigned long)VMEM_ATTR_ALL)
		return -EINVAL;
	if ((attr & PAGE_ATTR_PROT_WRITE) && (attr & PAGE_ATTR_PROT_EXEC))
		return -EPERM;
	return 0;
}

void vas_lock_yield(struct uk_vas *vas)
{
	__atomic_store_n(&vas->holder, 0, __ATOMIC_RELAXED);
	uk_spin_unlock(&vas->lock);
	uk_spin_poll();
	__builtin_ia32_pause();
	uk_spin_lock(&vas->lock);
	__atomic_store_n(&vas->holder, vmem_cpu(), __ATOMIC_RELAXED);
}

__bool vas_reclaim_slow(struct uk_vas *vas, unsigned int *tries)
{
	if (!*tries)
		return 0;
	(*tries)--;
	return ukplat_page_reclaim(vas->pt) != 0;
}

static int pool_grow(struct uk_vas *vas)
{
	__paddr_t paddr = uk_falloc(vas->pt->fa, 1);

	if (paddr == __PADDR_INV)
		return -ENOMEM;
	vma_pool_feed(&vas->pool, ukplat_paddr_to_ptr(paddr), paddr);
	return 0;
}

void vas_pool_shrink(struct uk_vas *vas, __sz keep)
{
	struct vma_pool_page *page;

	while ((page = vma_pool_reap(&vas->pool, keep)))
		uk_ffree(vas->pt->fa, page->paddr, 1);
}

int vas_pool_grow(struct uk_vas *vas, __sz objects)
{
	while (vas->pool.free < objects) {
		if (pool_grow(vas)) {
			vas_pool_trim(vas);
			return -ENOMEM;
		}
	}
	return 0;
}

void vas_insert(struct uk_vas *vas, struct uk_vma *vma)
{
	__bool fits = vas_try_insert(vas, vma);

	UK_ASSERT(fits);
}

static void vas_count_out(struct uk_vas *vas, const struct uk_vma *vma)
{
	vas->vma_count--;
	vas->mapped_len -= uk_vma_len(vma);
}

void vas_take_out(struct uk_vas *vas, struct uk_vma *vma)
{
	UK_ASSERT(!vma->faults);

	vma_tree_remove(&vas->root, vma);
	vas_count_out(vas, vma);
}

void vas_remove(struct uk_vas *vas, struct uk_vma *vma)
{
	vas_take_out(vas, vma);
	vma_pool_return(&vas->pool, vma);
}

/* Kinds that may tell know better than V3 */
static __bool vma_is_clear(const struct uk_vma *vma)
{
	__vaddr_t start = vma->start, end = vma->end;

	if (vma->ops->is_clear)
		return vma->ops->is_clear(vma);
	return !vma_clip_used(vma, &start, &end);
}

__bool vas_remove_clear(struct uk_vas *vas, __vaddr_t start, __vaddr_t end)
{
	struct vma_tree_path path;
	struct uk_vma *vma = vma_tree_find(&vas->root, start, &path);

	if (!vma || vma->end != end || vma->busy || vma->faults ||
	    !vma_is_clear(vma))
		return 0;
	vma_tree_remove_found(&path, vma);
	vas_count_out(vas, vma);
	vma_pool_return(&vas->pool, vma);
	vas_pool_trim(vas);
	return 1;
}

int uk_vas_init(struct uk_vas *vas, struct uk_pagetable *pt,
		struct uk_alloc *a __unused)
{
	UK_ASSERT(vas);
	UK_ASSERT(pt);

	memset(vas, 0, sizeof(*vas));
	vas->pt = pt;
	uk_spin_init(&vas->lock);
	vma_pool_init(&vas->pool);
	if (vas_pool_want(vas, VMA_PER_MAP, VMA_POOL_RESERVE)) {
		vas_pool_shrink(vas, 0);
		return -ENOMEM;
	}
	return 0;
}

void uk_vas_destroy(struct uk_vas *vas)
{
	UK_ASSERT(vas);

	if (vas->root) {
		__vaddr_t first = vma_tree_above(vas->root, 0)->start;
		__vaddr_t last = vma_tree_below(vas->root, __VADDR_MAX)->end;
		int rc = uk_vma_unmap(vas, first, last - first, 0);

		UK_ASSERT(!rc);
	}
	vas_pool_shrink(vas, 0);
	UK_ASSERT(!vas->pool.total);
	if (vas_active == vas)
		vas_active = __NULL;
}

const struct uk_vma *uk_vma_find(struct uk_vas *vas, __vaddr_t vaddr)
{
	const struct uk_vma *vma;
	unsigned long irqf;

	UK_ASSERT(vas);

	irqf = vas_lock(vas);
	vma = vma_tree_above(vas->root, vaddr);
	if (vma && vma->start > vaddr)
		vma = __NULL;
	vas_unlock(vas, irqf);
	return vma;
}

int uk_vma_query(struct uk_vas *vas, __vaddr_t vaddr, struct uk_vma_info *info)
{
	const struct uk_vma *vma;
	struct uk_vma_info copy;
	unsigned long irqf;

	UK_ASSERT(vas);
	UK_ASSERT(info);

	irqf = vas_lock(vas);
	vma = vma_tree_above(vas->root, vaddr);
	if (vma) {
		copy.start = vma->start;
		copy.end = vma->end;
		copy.attr = vma->attr;
		copy.name = vma->name;
		copy.ops = vma->ops;
		copy.priv = vma->priv;
		copy.busy = vma->busy != 0;
	}
	vas_unlock(vas, irqf);
	if (!vma)
		return -ENOENT;
	/* Without the lock: the memory may have to be paged in */
	*info = copy;
	return 0;
}
