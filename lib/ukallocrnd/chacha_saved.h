/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_CHACHA_SAVED_H__
#define __UKALLOCRND_CHACHA_SAVED_H__

/* A block of ChaCha with vector registers that belong to somebody else
 *
 * A kernel is compiled without vector registers, because interrupts do not save
 * them. Where they exist and are switched on, a block may use five of them and
 * put them back: a third of the instructions of one without.
 *
 * A row of the matrix is a register, so that a quarter round does all columns;
 * diagonals become columns when the rows are rotated.
 */

#include <uk/arch/types.h>

#include "chacha.h"

/* The assembler's own macros, defined and forgotten in each use */
#define CHACHA_MACROS                                                          \
	".macro rotate reg, left, right\n"                                     \
	"movdqa \\reg, %%xmm4\n"                                               \
	"pslld \\left, \\reg\n"                                                \
	"psrld \\right, %%xmm4\n"                                              \
	"por %%xmm4, \\reg\n"                                                  \
	".endm\n"                                                              \
	".macro columns\n"                                                     \
	"paddd %%xmm1, %%xmm0\n"                                               \
	"pxor %%xmm0, %%xmm3\n"                                                \
	"pshuflw $0xb1, %%xmm3, %%xmm3\n"                                      \
	"pshufhw $0xb1, %%xmm3, %%xmm3\n"                                      \
	"paddd %%xmm3, %%xmm2\n"                                               \
	"pxor %%xmm2, %%xmm1\n"                                                \
	"rotate %%xmm1, $12, $20\n"                                            \
	"paddd %%xmm1, %%xmm0\n"                                               \
	"pxor %%xmm0, %%xmm3\n"                                                \
	"rotate %%xmm3, $8, $24\n"                                             \
	"paddd %%xmm3, %%xmm2\n"                                               \
	"pxor %%xmm2, %%xmm1\n"                                                \
	"rotate %%xmm1, $7, $25\n"                                             \
	".endm\n"                                                              \
	".macro turn one, two, three\n"                                        \
	"pshufd \\one, %%xmm1, %%xmm1\n"                                       \
	"pshufd \\two, %%xmm2, %%xmm2\n"                                       \
	"pshufd \\three, %%xmm3, %%xmm3\n"                                     \
	".endm\n"                                                              \
	".macro add_row offset, reg\n"                                         \
	"movups \\offset(%[in]), %%xmm4\n"                                     \
	"paddd \\reg, %%xmm4\n"                                                \
	"movups %%xmm4, \\offset(%[dst])\n"                                    \
	".endm\n"

#define CHACHA_MACROS_END                                                      \
	".purgem rotate\n"                                                     \
	".purgem columns\n"                                                    \
	".purgem turn\n"                                                       \
	".purgem add_row\n"

/**
 * Computes a block, as rnd_chacha_core() does. No vector register has another
 * value afterwards.
 */
/* Assembly writes through dst */
/* NOLINTBEGIN(readability-non-const-parameter) */
static inline void rnd_chacha_core_saved(const __u32 in[RND_CHACHA_WORDS],
					 unsigned int rounds, __u8 *dst)
{
	__u8 saved[5 * 16];

	__asm__ __volatile__(CHACHA_MACROS
			     "movups %%xmm0, (%[saved])\n"
			     "movups %%xmm1, 16(%[saved])\n"
			     "movups %%xmm2, 32(%[saved])\n"
			     "movups %%xmm3, 48(%[saved])\n"
			     "movups %%xmm4, 64(%[saved])\n"
			     "movups (%[in]), %%xmm0\n"
			     "movups 16(%[in]), %%xmm1\n"
			     "movups 32(%[in]), %%xmm2\n"
			     "movups 48(%[in]), %%xmm3\n"
			     "1:\n"
			     "columns\n"
			     "turn $0x39, $0x4e, $0x93\n"
			     "columns\n"
			     "turn $0x93, $0x4e, $0x39\n"
			     "subl $2, %[rounds]\n"
			     "jnz 1b\n"
			     "add_row 0, %%xmm0\n"
			     "add_row 16, %%xmm1\n"
			     "add_row 32, %%xmm2\n"
			     "add_row 48, %%xmm3\n"
			     "movups (%[saved]), %%xmm0\n"
			     "movups 16(%[saved]), %%xmm1\n"
			     "movups 32(%[saved]), %%xmm2\n"
			     "movups 48(%[saved]), %%xmm3\n"
			     "movups 64(%[saved]), %%xmm4\n" CHACHA_MACROS_END
			     : [rounds] "+r"(rounds)
			     : [in] "r"(in), [dst] "r"(dst), [saved] "r"(saved)
			     : "cc", "memory");
}
/* NOLINTEND(readability-non-const-parameter) */

#endif /* __UKALLOCRND_CHACHA_SAVED_H__ */
