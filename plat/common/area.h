/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_AREA_H__
#define __UKPLAT_AREA_H__

/* Start of the area table; its use is <uk/plat/memory.h>
 *
 * Concurrency
 *   One lock for the table, below none and above none. Mapping happens
 *   outside of it.
 */

#include "area_table.h"

/** Takes the areas over that the loader has mapped. Boot only. */
void area_take_over(const struct area *from, unsigned int cnt);

/**
 * Names the part of the image that an address is in.
 *
 * @param addr
 *   Any address
 * @param[out] offset
 *   Receives the address as linked minus the lowest one
 *
 * @return
 *   Its name, or __NULL
 */
const char *area_image_find(__vaddr_t addr, __u64 *offset);

#endif /* __UKPLAT_AREA_H__ */
