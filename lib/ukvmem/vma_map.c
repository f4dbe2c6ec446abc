/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/random.h>
#include <uk/spinlock.h>

#include "vma_hole.h"
#include "vma_pool.h"
#include "vma_tree.h"
#include "vmem_priv.h"

UK_CTASSERT(UK_VAS_START > 0 && UK_VAS_START < UK_VAS_END);
UK_CTASSERT(UK_VAS_START % PAGE_SIZE == 0 && UK_VAS_END % PAGE_SIZE == 0);
/* The lower half; its last page stays free, because an instruction or an
 * access that runs over the end of the half faults in another way
 */
UK_CTASSERT(UK_VAS_END <= (1UL << 47) - PAGE_SIZE);

#define MAP_FLAGS (UK_VMA_MAP_POPULATE | UK_VMA_MAP_UNINITIALIZED)

static int map_check(__vaddr_t vaddr, __sz len, unsigned long attr,
		     unsigned long flags)
{
	if (!len || (len & (PAGE_SIZE - 1)) || (flags & ~MAP_FLAGS))
		return -EINVAL;
	if (len > UK_VAS_END - UK_VAS_START)
		return vaddr == __VADDR_ANY ? -ENOMEM : -EINVAL;
	if ((attr & PAGE_ATTR_PROT_WRITE) && (attr & PAGE_ATTR_PROT_EXEC))
		return -EPERM;
	if (vaddr == __VADDR_ANY)
		return 0;
	if (vaddr & (PAGE_SIZE - 1))
		return -EINVAL;
	if (vaddr < UK_VAS_START || vaddr > UK_VAS_END - len)
		return -EINVAL;
	return 0;
}

/* Chooses or checks the place of an area. The lock is held. */
static int map_place(struct uk_vas *vas, const __u64 *words, __sz len,
		     __vaddr_t *vaddr)
{
	const struct vma_hole_req req = {
		.start = UK_VAS_START,
		.end = UK_VAS_END,
		.len = len,
		.align = PAGE_SIZE,
	};
	const struct uk_vma *vma;

	if (*vaddr == __VADDR_ANY)
		return vma_hole_draw(vas->root, &req, words, vaddr);

	vma = vma_tree_above(vas->root, *vaddr);
	return vma && vma->start < *vaddr + len ? -EEXIST : 0;
}

/* Inserts a busy VMA made after a model. The lock is held. */
static int map_insert(const struct uk_vma *model, __vaddr_t vaddr, __sz len,
		      const void *args, struct uk_vma **vma)
{
	struct uk_vas *vas = model->vas;
	struct uk_vma *fresh;
	int rc;

	rc = vas_pool_want(vas, VMA_PER_MAP, VMA_POOL_RESERVE);
	if (rc)
		return rc;

	fresh = vma_pool_take(&vas->pool);
	UK_ASSERT(fresh);
	*fresh = *model;
	fresh->start = vaddr;
	fresh->end = vaddr + len;
	fresh->id = vas->next_id++;
	fresh->busy = 1;
	rc = model->ops->create ? model->ops->create(fresh, args) : 0;
	if (rc) {
		vma_pool_return(&vas->pool, fresh);
		return rc;
	}
	vas_insert(vas, fresh);
	*vma = fresh;
	return 0;
}

/* Ends the operation: the area is there for others, or gone */
static void map_end(struct uk_vma *vma, int rc)
{
	struct uk_vas *vas = vma->vas;
	unsigned long irqf = uk_spin_lock_irqsave(&vas->lock);

	vma->busy = 0;
	if (rc) {
		vas_remove(vas, vma);
		vas_pool_trim(vas);
	}
	uk_spin_unlock_irqrestore(&vas->lock, irqf);
}

int uk_vma_map(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
	       unsigned long attr, unsigned long flags, const char *name,
	       const struct uk_vma_ops *ops, const void *args)
{
	const struct uk_vma model = {
		.vas = vas,
		.ops = ops,
		.attr = attr,
		.flags = flags,
		.name = name,
	};
	__u64 words[VMA_HOLE_WORDS] = { 0 };
	struct uk_vma *vma = __NULL;
	__vaddr_t place;
	unsigned long irqf;
	int rc;

	UK_ASSERT(vas);
	UK_ASSERT(vaddr);
	UK_ASSERT(ops);

	place = *vaddr;
	rc = map_check(place, len, attr, flags);
	if (rc)
		return rc;

	/* The generator may take its time, so not under the lock */
	if (place == __VADDR_ANY)
		ukplat_random_bytes(words, sizeof(words));

	irqf = uk_spin_lock_irqsave(&vas->lock);
	rc = map_place(vas, words, len, &place);
	if (!rc)
		rc = map_insert(&model, place, len, args, &vma);
	uk_spin_unlock_irqrestore(&vas->lock, irqf);
	if (rc)
		return rc;

	rc = ops->populate ? ops->populate(vma) : 0;
	map_end(vma, rc);
	if (!rc)
		*vaddr = place;
	return rc;
}
