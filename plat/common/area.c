/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/spinlock.h>

#include "area.h"
#include "image.h"

/* Of one CPU: traps, stack, quarantine, and two for those above us; the rest
 * is for the image, the direct map and devices
 */
#define AREA_MAX   (32 + 5 * CONFIG_UKPLAT_LCPU_MAXCOUNT)
/* The upper half is nearly empty: even two failures in a row are unlikely */
#define AREA_TRIES 64

#define AREA_FIRST (UKARCH_VADDR_UPPER_START + AREA_GAP)
#define AREA_LIMIT (-AREA_GAP)

struct area {
	const char *name;
	__vaddr_t base;
	__sz len;
	/** Unmapping frees the frames */
	int owned;
};

/* Both under the lock */
static struct area areas[AREA_MAX];
static unsigned int area_cnt;
static struct uk_spinlock area_lock = UK_SPINLOCK_INITIALIZER();

void area_rebase(__uptr delta)
{
	unsigned int i;

	for (i = 0; i < area_cnt; i++)
		areas[i].name = (const char *)((__uptr)areas[i].name + delta);
}

static int area_collides(__vaddr_t base, __sz len)
{
	unsigned int i;

	for (i = 0; i < area_cnt; i++)
		if (base < areas[i].base + areas[i].len + AREA_GAP &&
		    areas[i].base < base + len + AREA_GAP)
			return 1;
	return 0;
}

/* Under the lock */
static int area_insert(const char *name, __sz len, __sz align, int owned,
		       __vaddr_t *base)
{
	const __vaddr_t first = ALIGN_UP(AREA_FIRST, align);
	unsigned int tries = AREA_TRIES;
	__u64 places;

	if (area_cnt == AREA_MAX || first > AREA_LIMIT ||
	    AREA_LIMIT - first < len)
		return -ENOSPC;
	places = (AREA_LIMIT - first - len) / align + 1;
	do {
		*base = first + ukplat_random_uniform(places) * align;
		if (!tries--)
			return -ENOSPC;
	} while (area_collides(*base, len));

	areas[area_cnt++] = (struct area){
		.name = name,
		.base = *base,
		.len = len,
		.owned = owned,
	};
	return 0;
}

static int area_create(const char *name, __sz len, __sz align, int owned,
		       __vaddr_t *base)
{
	unsigned long irqf;
	int rc;

	if (!len || len & ~PAGE_MASK || align < PAGE_SIZE || !POWER_OF_2(align))
		return -EINVAL;
	irqf = uk_spin_lock_irqsave(&area_lock);
	rc = area_insert(name, len, align, owned, base);
	uk_spin_unlock_irqrestore(&area_lock, irqf);
	return rc;
}

/* Forgets an area; 0 if there is none */
static int area_remove(__vaddr_t base, struct area *area)
{
	unsigned long irqf;
	unsigned int i;
	int found = 0;

	irqf = uk_spin_lock_irqsave(&area_lock);
	for (i = 0; i < area_cnt && !found; i++) {
		if (areas[i].base != base)
			continue;
		*area = areas[i];
		areas[i] = areas[--area_cnt];
		found = 1;
	}
	uk_spin_unlock_irqrestore(&area_lock, irqf);
	return found;
}

int ukplat_area_reserve(const char *name, __sz len, __sz align, __vaddr_t *base)
{
	return area_create(name, len, align, 1, base);
}

int ukplat_area_map(const char *name, __paddr_t paddr, unsigned long pages,
		    unsigned long attr, __vaddr_t *base)
{
	struct area area;
	int rc;

	if (pages > __SZ_MAX >> PAGE_SHIFT)
		return -EINVAL;
	rc = area_create(name, pages << PAGE_SHIFT, PAGE_SIZE,
			 paddr == __PADDR_ANY, base);
	if (rc)
		return rc;
	rc = ukplat_page_map(ukplat_pt_get_active(), *base, paddr, pages, attr,
			     0);
	if (unlikely(rc))
		(void)area_remove(*base, &area);
	return rc;
}

/* The pages are unmapped before somebody else can get the addresses, so the
 * entry stays until then.
 */
void ukplat_area_destroy(__vaddr_t base)
{
	struct area area = { .len = 0 };
	unsigned long irqf;
	unsigned int i;
	int rc;

	irqf = uk_spin_lock_irqsave(&area_lock);
	for (i = 0; i < area_cnt; i++)
		if (areas[i].base == base)
			area = areas[i];
	uk_spin_unlock_irqrestore(&area_lock, irqf);

	UK_ASSERT(area.len);
	rc = ukplat_page_unmap(ukplat_pt_get_active(), base,
			       area.len >> PAGE_SHIFT,
			       area.owned ? 0 : PAGE_FLAG_KEEP_FRAMES);
	UK_ASSERT(!rc);
	(void)rc;
	(void)area_remove(base, &area);
}

void ukplat_map_foreach(void (*fn)(void *arg, const char *name, __uptr base,
				   __sz len),
			void *arg)
{
	struct area area;
	unsigned long irqf;
	unsigned int i;

	fn(arg, "image text", (__uptr)__image_start,
	   (__sz)(__text_end - __image_start));
	fn(arg, "image rodata", (__uptr)__text_end,
	   (__sz)(__rodata_end - __text_end));
	fn(arg, "image data", (__uptr)__rodata_end,
	   (__sz)(__data_end - __rodata_end));
	fn(arg, "page table root (physical)", ukplat_pt_get_active()->pt_pbase,
	   PAGE_SIZE);
	/* fn prints, and printing under a lock is slow: copy one by one */
	for (i = 0;; i++) {
		irqf = uk_spin_lock_irqsave(&area_lock);
		area.len = 0;
		if (i < area_cnt)
			area = areas[i];
		uk_spin_unlock_irqrestore(&area_lock, irqf);
		if (!area.len)
			return;
		/* Reported by segment above */
		if (area.base == (__vaddr_t)__image_start)
			continue;
		fn(arg, area.name, area.base, area.len);
	}
}
