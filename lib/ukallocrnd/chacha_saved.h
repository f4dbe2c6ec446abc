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
#include "saved.h"

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

/* What the second block adds to the last row, and how bytes move in rotations
 * by whole ones
 */
struct chacha_wide {
	__u32 second[8];
	__u8 left16[32], left8[32];
};

#define CHACHA_LEFT16 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
#define CHACHA_LEFT8  3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14

/* clang-format off */
#define CHACHA_WIDE_MACROS                                                     \
	".macro rotate reg, left, right\n"                                     \
	"vpslld \\left, \\reg, %%ymm4\n"                                       \
	"vpsrld \\right, \\reg, \\reg\n"                                      \
	"vpor %%ymm4, \\reg, \\reg\n"                                         \
	".endm\n"                                                              \
	".macro columns\n"                                                     \
	"vpaddd %%ymm1, %%ymm0, %%ymm0\n"                                      \
	"vpxor %%ymm0, %%ymm3, %%ymm3\n"                                       \
	"vpshufb 32(%[wide]), %%ymm3, %%ymm3\n"                                \
	"vpaddd %%ymm3, %%ymm2, %%ymm2\n"                                      \
	"vpxor %%ymm2, %%ymm1, %%ymm1\n"                                       \
	"rotate %%ymm1, $12, $20\n"                                            \
	"vpaddd %%ymm1, %%ymm0, %%ymm0\n"                                      \
	"vpxor %%ymm0, %%ymm3, %%ymm3\n"                                       \
	"vpshufb 64(%[wide]), %%ymm3, %%ymm3\n"                                \
	"vpaddd %%ymm3, %%ymm2, %%ymm2\n"                                      \
	"vpxor %%ymm2, %%ymm1, %%ymm1\n"                                       \
	"rotate %%ymm1, $7, $25\n"                                             \
	".endm\n"                                                              \
	".macro turn one, two, three\n"                                        \
	"vpshufd \\one, %%ymm1, %%ymm1\n"                                      \
	"vpshufd \\two, %%ymm2, %%ymm2\n"                                      \
	"vpshufd \\three, %%ymm3, %%ymm3\n"                                    \
	".endm\n"                                                              \
	".macro add_row offset, n\n"                                           \
	"vbroadcasti128 \\offset(%[in]), %%ymm4\n"                             \
	"vpaddd %%ymm4, %%ymm\\n, %%ymm\\n\n"                                  \
	".if \\n == 3\n"                                                       \
	"vpaddd (%[wide]), %%ymm3, %%ymm3\n"                                   \
	".endif\n"                                                             \
	"vmovups %%xmm\\n, \\offset(%[dst])\n"                                 \
	"vextracti128 $1, %%ymm\\n, \\offset+64(%[dst])\n"                     \
	".endm\n"
/* clang-format on */

/**
 * Computes two blocks; the lower word of the counter of the first one is not
 * the highest. As rnd_chacha_core_saved(), with registers of 32 bytes: of each
 * the halves are a row of both blocks.
 */
static inline void rnd_chacha_two_wide(const __u32 in[RND_CHACHA_WORDS],
				       unsigned int rounds, __u8 *dst)
{
	static const struct chacha_wide wide = {
		.second = { 0, 0, 0, 0, 1, 0, 0, 0 },
		.left16 = { CHACHA_LEFT16, CHACHA_LEFT16 },
		.left8 = { CHACHA_LEFT8, CHACHA_LEFT8 },
	};
	__u8 saved[5 * 32];

	__asm__ __volatile__(CHACHA_WIDE_MACROS SAVED_WIDE_BEGIN
			     ".irp i,0,1,2,3,4\n"
			     "vmovups %%ymm\\i, \\i*32(%[saved])\n"
			     ".endr\n"
			     ".irp i,0,1,2,3\n"
			     "vbroadcasti128 \\i*16(%[in]), %%ymm\\i\n"
			     ".endr\n"
			     "vpaddd (%[wide]), %%ymm3, %%ymm3\n"
			     "1:\n"
			     "columns\n"
			     "turn $0x39, $0x4e, $0x93\n"
			     "columns\n"
			     "turn $0x93, $0x4e, $0x39\n"
			     "subl $2, %[rounds]\n"
			     "jnz 1b\n"
			     "add_row 0, 0\n"
			     "add_row 16, 1\n"
			     "add_row 32, 2\n"
			     "add_row 48, 3\n"
			     ".irp i,0,1,2,3,4\n"
			     "vmovups \\i*32(%[saved]), %%ymm\\i\n"
			     ".endr\n" SAVED_WIDE_END CHACHA_MACROS_END
			     : [rounds] "+r"(rounds)
			     : [in] "r"(in), [dst] "r"(dst), [saved] "r"(saved),
			       [wide] "r"(&wide)
			     : SAVED_WIDE_CLOBBERS, "cc", "memory");
}
/* NOLINTEND(readability-non-const-parameter) */

#endif /* __UKALLOCRND_CHACHA_SAVED_H__ */
