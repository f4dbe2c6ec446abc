/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_PLAT_PAGING_H__
#define __STANDIN_UK_PLAT_PAGING_H__

/* Stands for include/uk/plat/paging.h of Unikraft, which refuses to be read
 * without paging.
 */

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/config.h>

#ifndef CONFIG_PAGING
#error "there is no paging"
#endif

struct uk_falloc;
struct ukplat_page_mapx;

struct uk_pagetable {
	__vaddr_t pt_vbase;
	__paddr_t pt_pbase;
	struct uk_falloc *fa;
};

#define PAGE_FLAG_KEEP_FRAMES 0x02

struct uk_pagetable *ukplat_pt_get_active(void);
int ukplat_pt_walk(struct uk_pagetable *pt, __vaddr_t vaddr,
		   unsigned int *level, __vaddr_t *pt_vaddr, __pte_t *pte);
int ukplat_page_mapx(struct uk_pagetable *pt, __vaddr_t vaddr, __paddr_t paddr,
		     unsigned long pages, unsigned long attr,
		     unsigned long flags, struct ukplat_page_mapx *mapx);
int ukplat_page_unmap(struct uk_pagetable *pt, __vaddr_t vaddr,
		      unsigned long pages, unsigned long flags);
int ukplat_page_set_attr(struct uk_pagetable *pt, __vaddr_t vaddr,
			 unsigned long pages, unsigned long new_attr,
			 unsigned long flags);
__vaddr_t ukplat_page_kmap(struct uk_pagetable *pt, __paddr_t paddr,
			   unsigned long pages, unsigned long flags);

#endif /* __STANDIN_UK_PLAT_PAGING_H__ */
