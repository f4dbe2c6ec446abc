/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_ENTROPY_H__
#define __UKPLAT_ENTROPY_H__

/* Where random numbers begin
 *
 * Why
 *   Every random address is worth what its seed is worth. What nobody has
 *   measured or promised must not be claimed.
 *
 * How
 *   Everything that may differ from boot to boot is mixed in, bad sources
 *   too: mixing cannot hurt. Credit is another matter. It is counted in bits:
 *
 *     RDSEED, RDRAND    32 of the 64 bits of a word, health tests passed
 *     seed=             4 a hexadecimal digit, other characters nothing
 *     fw_cfg file,      8 a byte; 4 a digit if it is text of such digits
 *       boot module
 *     timing jitter     nothing, even if its health tests pass
 *
 *   A source that fails a health test is named and gets nothing.
 *
 * Context
 *   One CPU, interrupts off, from the first C statement on: no lock, no
 *   memory, nothing is called through a pointer that is stored. A loader may
 *   link this, too. Only entropy_fresh() may be called at any time by any CPU.
 */

#include <uk/arch/types.h>

#include "rng.h"

/* Credit from which on a seed is strong */
#define ENTROPY_STRONG 128U
/* A key has no room for more */
#define ENTROPY_MAX    (8U * PLAT_CHACHA_KEY_LEN)

/* Sources of a seed that got credit */
#define ENTROPY_RDSEED	0x01U
#define ENTROPY_RDRAND	0x02U
#define ENTROPY_CMDLINE 0x04U
#define ENTROPY_FWCFG	0x08U
/* The jitter test has passed */
#define ENTROPY_JITTER	0x10U
/* `debugseed`: everything is fixed */
#define ENTROPY_FIXED	0x20U
#define ENTROPY_MODULE	0x40U

/* Name of the file that fw_cfg may have */
#define ENTROPY_FWCFG_NAME "opt/ukallocrnd/seed"

/**
 * Mixes all there is into a generator, and warns about sources that fail.
 * With `debugseed` on the command line only that and `seed=` are mixed in.
 *
 * @param rng
 *   The generator; what is in it stays in it
 * @param[out] flags
 *   Receives ENTROPY_*
 *
 * @return
 *   Credited bits, at most ENTROPY_MAX
 */
unsigned int entropy_collect(struct plat_rng *rng, unsigned int *flags);

/**
 * Mixes the contents of a file in that somebody made for this boot, and warns
 * if they do not look random.
 *
 * @param name
 *   What the warning calls it
 *
 * @return
 *   Credited bits
 */
unsigned int entropy_file_mix(struct plat_rng *rng, const __u8 *bytes, __sz len,
			      const char *name);

/**
 * Says on the console what is wrong with a seed, if anything is.
 *
 * @param bits
 *   Credited bits
 * @param flags
 *   ENTROPY_*
 *
 * @return
 *   - (0): Go on
 *   - (-EPERM): The seed is weak or fixed, and UKPLAT_ENTROPY_REQUIRE is set
 */
int entropy_judge(unsigned int bits, unsigned int flags);

/**
 * Mixes some fresh words of the processor into a generator, or time stamps if
 * it has none. Any context; the caller owns the generator.
 */
void entropy_fresh(struct plat_rng *rng);

/*
 * The processor, x86/entropy.c
 */

/** ENTROPY_RDSEED and ENTROPY_RDRAND as far as the processor has them. */
unsigned int entropy_cpu_sources(void);

/**
 * Draws a word.
 *
 * @param source
 *   ENTROPY_RDSEED or ENTROPY_RDRAND, which the processor has
 * @param[out] word
 *   Receives the word
 *
 * @return
 *   1, or 0 if the source had nothing
 */
int entropy_cpu_word(unsigned int source, __u64 *word);

/** A time stamp, after something that takes a varying time. */
__u64 entropy_cpu_stamp(void);

#endif /* __UKPLAT_ENTROPY_H__ */
