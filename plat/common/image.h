/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_IMAGE_H__
#define __UKPLAT_IMAGE_H__

/* Borders within the image, set by link.lds.S; all page aligned
 *
 *   __image_start  text  __text_end  constants  __rodata_end
 *      data  __data_end  used during boot only  __image_end
 *
 * In C they are addresses relative to the instruction that uses them:
 * physical ones before boot_jump(), virtual ones after it.
 */

/* Where the image is linked; entries of the relocation table count from
 * there
 */
#define IMAGE_LINK_BASE 0
/* Where the loader puts it */
#define IMAGE_LOAD_BASE 0x100000

/* Alignment of all borders: the page size, in a form the linker reads */
#define IMAGE_ALIGN 0x1000

#ifndef __ASSEMBLY__

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>

UK_CTASSERT(IMAGE_ALIGN == PAGE_SIZE);

/** An entry of the relocation table */
struct image_rela {
	__u64 offset;
	__u64 info;
	__s64 addend;
};

/* Hidden: found without the global offset table, which is among the things
 * that are not relocated yet
 */
#pragma GCC visibility push(hidden)
extern char __image_start[];
extern char __text_end[];
extern char __rodata_end[];
extern char __data_end[];
extern char __image_end[];
extern const struct image_rela __rela_start[];
extern const struct image_rela __rela_end[];
#pragma GCC visibility pop

#endif /* !__ASSEMBLY__ */

#endif /* __UKPLAT_IMAGE_H__ */
