/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "vma_pool.h"
#include "vmem_priv.h"

#define MAP_FLAGS                                                              \
	(UK_VMA_MAP_POPULATE | UK_VMA_MAP_UNINITIALIZED | UK_VMA_MAP_REPLACE | \
	 UK_VMA_MAP_HINT | UK_VMA_MAP_SIZE(UK_VMA_MAP_SIZE_MASK))

struct uk_vma *vma_insert_busy(const struct uk_vma *model, __vaddr_t vaddr)
{
	struct uk_vas *vas = model->vas;
	struct uk_vma *vma = vma_pool_take(&vas->pool);

	UK_ASSERT(vma);
	*vma = *model;
	vma->start = vaddr;
	vma->end = vaddr + model->end;
	vma->origin = vaddr;
	vma->id = vas->next_id++;
	vma->busy = vmem_cpu();
	/* Nothing is used yet, unless the owner maps pages himself (V3) */
	vma->used_start = model->ops->fault ? vma->end : vma->start;
	vma->used_end = model->ops->fault ? vma->start : vma->end;
	if (likely(vas_try_insert(vas, vma)))
		return vma;
	vma_pool_return(&vas->pool, vma);
	return __NULL;
}

/* Tells whether pages are mapped before the area is there for others */
static __bool is_populated(const struct uk_vma *model)
{
	return model->flags & UK_VMA_MAP_POPULATE && model->ops->populate;
}

/* Receives the VMA if that is busy still, else __NULL: somebody may unmap it as
 * soon as the lock is free
 */
static int map_insert(const struct uk_vma *model, const struct vma_place *place,
		      struct uk_vma **vma, __vaddr_t *vaddr)
{
	struct uk_vas *vas = model->vas;
	unsigned long irqf = vas_lock(vas);
	int rc;

	rc = vma_place_choose(vas, place, vaddr);
	if (!rc)
		rc = vas_pool_want(vas, VMA_PER_MAP, VMA_POOL_RESERVE);
	if (!rc) {
		*vma = vma_insert_busy(model, *vaddr);
		rc = likely(*vma) ? 0 : -EEXIST;
	}
	if (!rc && !is_populated(model)) {
		(*vma)->busy = 0;
		*vma = __NULL;
	}
	vas_unlock(vas, irqf);
	return rc;
}

/* Ends the operation: the area is there for others, or gone */
static void map_end(struct uk_vma *vma, int rc)
{
	struct uk_vas *vas = vma->vas;
	unsigned long irqf = vas_lock(vas);

	vma->busy = 0;
	if (rc) {
		vas_remove(vas, vma);
		vas_pool_trim(vas);
	}
	vas_unlock(vas, irqf);
}

/* Takes the addresses, with what is there if it has to go */
static int map_begin(const struct uk_vma *model, const struct vma_place *place,
		     unsigned int *tries, struct uk_vma **vma, __vaddr_t *vaddr)
{
	int rc;

	do {
		rc = map_insert(model, place, vma, vaddr);
		if (rc == -EEXIST && place->replaces)
			rc = vma_replace(model, place->vaddr, vma);
	} while (vas_reclaim(model->vas, rc, tries));
	return rc;
}

/* The area keeps its addresses between the tries: after a replacement they
 * would be free for an area of somebody else, which a second one would remove
 */
static int map_populate(struct uk_vma *vma, unsigned int *tries)
{
	int rc;

	if (!is_populated(vma))
		return 0;
	do {
		rc = vma->ops->populate(vma);
	} while (vas_reclaim(vma->vas, rc, tries));
	if (!rc)
		vma_note_used(vma, vma->start, vma->end);
	return rc;
}

int uk_vma_map(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
	       unsigned long attr, unsigned long flags, const char *name,
	       const struct uk_vma_ops *ops, const void *args)
{
	struct uk_vma model = {
		.vas = vas,
		.end = len,
		.ops = ops,
		.attr = attr,
		.flags = flags,
		.name = name,
	};
	unsigned int tries = VMEM_RECLAIM_TRIES;
	struct vma_place place;
	struct uk_vma *vma = __NULL;
	__vaddr_t start;
	int rc;

	UK_ASSERT(vas);
	UK_ASSERT(vaddr);
	UK_ASSERT(ops);

	if (flags & ~MAP_FLAGS)
		return -EINVAL;
	rc = vma_place_init(&place, *vaddr, len, flags);
	/* Kinds rely on a length that is possible */
	if (rc == -ENOSPC)
		return -ENOMEM;
	if (!rc)
		rc = vmem_attr_check(attr);
	if (!rc && ops->create)
		rc = ops->create(&model, args);
	if (rc)
		return rc;

	rc = map_begin(&model, &place, &tries, &vma, &start);
	if (rc)
		/* Frames do not help there, so it was told apart until here */
		return rc == -ENOSPC ? -ENOMEM : rc;
	if (vma) {
		rc = map_populate(vma, &tries);
		map_end(vma, rc);
	}
	if (!rc)
		*vaddr = start;
	return rc;
}
