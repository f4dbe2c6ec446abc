/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/assert.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>
#include <uk/plat/random.h>
#include <uk/spinlock.h>

#include "area.h"
#include "bootinfo.h"

/* Of one CPU: itself, descriptors, stack, three trap stacks, quarantine, and
 * three for those above us; the rest is for the image, the direct map, devices
 */
#define AREA_MAX (BOOT_AREAS_MAX + 10 * CONFIG_UKPLAT_LCPU_MAXCOUNT)

/* Both under the lock */
static struct area areas[AREA_MAX];
static unsigned int area_cnt;
static struct uk_spinlock area_lock = UK_SPINLOCK_INITIALIZER();

void area_take_over(const struct area *from, unsigned int cnt)
{
	UK_ASSERT(cnt <= BOOT_AREAS_MAX);
	memcpy(areas, from, cnt * sizeof(*from));
	area_cnt = cnt;
}

static __u64 area_uniform(void *arg __unused, __u64 bound)
{
	return ukplat_random_uniform(bound);
}

/* Under the lock */
static int area_insert(const char *name, __sz len, __sz align, int owned,
		       __vaddr_t *base)
{
	area_uniform_fn *uniform = area_uniform;
	int rc;

	if (area_cnt == AREA_MAX)
		return -ENOSPC;
	if (boot_info.flags & BOOT_FIXED)
		uniform = __NULL;
	rc = area_table_place(areas, area_cnt, len, align, uniform, __NULL,
			      base);
	if (rc)
		return rc;
	area_set(&areas[area_cnt], name, *base, len);
	areas[area_cnt++].owned = (__u32)owned;
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

const char *area_image_find(__vaddr_t addr, __u64 *offset)
{
	const struct boot_seg *seg;
	unsigned int i;

	for (i = 0; i < boot_info.seg_cnt; i++) {
		seg = &boot_info.seg[i];
		if (addr - seg->vaddr < seg->len) {
			*offset = addr - seg->vaddr + seg->offset;
			return seg->name;
		}
	}
	return __NULL;
}

/* All that the image's entry of the top level table is for: CPUs have this
 * entry while they sleep, too
 */
int ukplat_lower_used(__vaddr_t *base, __sz *len)
{
	const __sz entry = 1UL << (PAGE_SHIFT + 27);

	*base = ALIGN_DOWN(boot_info.seg[0].vaddr, entry);
	*len = entry;
	return *base < UKARCH_VADDR_LOWER_END;
}

void ukplat_map_foreach(void (*fn)(void *arg, const char *name, __uptr base,
				   __sz len),
			void *arg)
{
	struct area area;
	unsigned long irqf;
	unsigned int i;

	for (i = 0; i < boot_info.seg_cnt; i++)
		fn(arg, boot_info.seg[i].name, boot_info.seg[i].vaddr,
		   boot_info.seg[i].len);
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
		if (!area.image)
			fn(arg, area.name, area.base, area.len);
	}
}
