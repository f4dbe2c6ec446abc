/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_VMEM_H__
#define __STANDIN_UK_VMEM_H__

/* Stands for lib/ukvmem/include/uk/vmem.h of Unikraft. */

#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>

struct uk_vas;
struct uk_vm_fault;

struct uk_vma {
	__vaddr_t start;
	__vaddr_t end;
};

struct uk_vma_ops {
	__vaddr_t (*get_base)(struct uk_vas *vas, void *data,
			      unsigned long flags);
	int (*new)(struct uk_vas *vas, __vaddr_t vaddr, __sz len, void *data,
		   unsigned long attr, unsigned long *flags,
		   struct uk_vma **vma);
	void (*destroy)(struct uk_vma *vma);
	int (*fault)(struct uk_vma *vma, struct uk_vm_fault *fault);
	int (*unmap)(struct uk_vma *vma, __vaddr_t vaddr, __sz len);
	int (*split)(struct uk_vma *vma, __vaddr_t vaddr,
		     struct uk_vma **new_vma);
	int (*merge)(struct uk_vma *vma, struct uk_vma *next);
	int (*set_attr)(struct uk_vma *vma, unsigned long attr);
	int (*advise)(struct uk_vma *vma, __vaddr_t vaddr, __sz len,
		      unsigned long advice);
};

#define UK_VMA_MAP_REPLACE	       0x04
#define UK_VMA_ADV_DONTNEED	       0x01
#define UK_VMA_MAP_SIZE_TO_ORDER(flag) (((flag) >> 5) & 0x3fUL)

struct uk_vas *uk_vas_get_active(void);
const struct uk_vma *uk_vma_find(struct uk_vas *vas, __vaddr_t vaddr);
int uk_vma_map(struct uk_vas *vas, __vaddr_t *vaddr, __sz len,
	       unsigned long attr, unsigned long flags, const char *name,
	       const struct uk_vma_ops *ops, void *args);
int uk_vma_unmap(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		 unsigned long flags);
int uk_vma_set_attr(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		    unsigned long attr, unsigned long flags);
int uk_vma_advise(struct uk_vas *vas, __vaddr_t vaddr, __sz len,
		  unsigned long advice, unsigned long flags);

#endif /* __STANDIN_UK_VMEM_H__ */
