/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_RANDOM_PRIV_H__
#define __UKPLAT_RANDOM_PRIV_H__

/* Seeding of the platform's generator; its use is <uk/plat/random.h> */

#include <uk/arch/types.h>

/**
 * Seeds the generator. Prints a warning if the seed is weak.
 *
 * @param key
 *   BOOT_KEY_LEN bytes of the loader
 * @param bits
 *   Entropy in them
 */
void random_init(const __u8 *key, __u32 bits);

/**
 * Draws seed material from the processor.
 *
 * @param[out] words
 *   Receives the words; 0 where there was nothing
 * @param cnt
 *   Number of words
 *
 * @return
 *   1 if a hardware generator delivered all of them
 */
int entropy_hardware(__u64 *words, unsigned int cnt);

/**
 * Measures the jitter of the time stamp counter.
 *
 * @param[out] words
 *   Receives the words
 * @param cnt
 *   Number of words
 */
void entropy_jitter(__u64 *words, unsigned int cnt);

#endif /* __UKPLAT_RANDOM_PRIV_H__ */
