/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_INSTALL_H__
#define __UKPLAT_INSTALL_H__

/* The image goes to its places
 *
 * Concurrency
 *   Boot CPU.
 */

#include <uk/arch/types.h>

#include "image.h"

/**
 * Places, copies, relocates and maps an image; fills the segments of
 * boot_info. Ends the boot with a message if the image is bad.
 *
 * @return
 *   Address of its first instruction
 */
__vaddr_t install_image(const struct image *img);

/** Ends the boot because of an image. */
void __noreturn install_bad(const struct image_error *err);

#endif /* __UKPLAT_INSTALL_H__ */
