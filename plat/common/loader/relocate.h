/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_RELOCATE_H__
#define __UKPLAT_RELOCATE_H__

/* Contents and relocations of an image in one piece
 *
 * Concurrency
 *   None. Pure: touches nothing but its arguments.
 */

#include <uk/arch/types.h>

#include "image.h"

/**
 * Copies the contents of all segments.
 *
 * @param mem
 *   The memory of the image: img->span bytes, zero
 */
void image_copy(const struct image *img, __u8 *mem);

/**
 * Makes all pointers fit for the place where the image runs.
 *
 * @param mem
 *   The memory of the image, with its contents
 * @param vaddr
 *   Address where offset 0 runs
 * @param[out] err
 *   Receives what is wrong
 *
 * @return
 *   - (0): Done
 *   - (-EINVAL): A relocation breaks a rule; the memory is of no use
 */
int image_relocate(const struct image *img, __u8 *mem, __u64 vaddr,
		   struct image_error *err);

#endif /* __UKPLAT_RELOCATE_H__ */
