/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_BOOT_H__
#define __UKPLAT_BOOT_H__

/* Boot of the image, after the loader (bootinfo.h) */

#include <uk/essentials.h>

#include "bootinfo.h"

/**
 * First function of the image. Called by boot.S.
 *
 * @param info
 *   What the loader tells; lies in its memory
 */
void __noreturn ukplat_entry(const struct boot_info *info);

/**
 * Takes the loader's place: copies what it tells, takes over page tables and
 * memory, clears what it left. Ends the boot if that is impossible.
 */
void boot_take_over(const struct boot_info *info);

/** Takes the time: main() follows. */
void time_boot_ends(void);

/** What the order of the image was drawn from; empty if it was not drawn. Set
 * by the linker script.
 */
extern const char ukplat_build_seed[];

/**
 * Sets the control registers of the calling CPU as far as CPUID allows:
 * SMEP, SMAP, UMIP, FSGSBASE, vector registers.
 */
void cpu_features_enable(void);

/** Switches on and initializes the vector registers of another CPU, which got
 * its control registers before.
 */
void cpu_vectors_init(void);

#endif /* __UKPLAT_BOOT_H__ */
