/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "chacha.h"

#define WORDS (PLAT_CHACHA_BLOCK_LEN / sizeof(__u32))

/* A row of the matrix is a register, so that each instruction does all four
 * columns; diagonals become columns when three of the rows are rotated. The
 * registers may belong to what was interrupted, and are put back.
 */
/* clang-format off */
#define ROTL(reg, left, right)                                                 \
	"movdqa " reg ", %%xmm4\n"                                             \
	"pslld $" left ", " reg "\n"                                           \
	"psrld $" right ", %%xmm4\n"                                           \
	"por %%xmm4, " reg "\n"
#define ADD_XOR(a, b, d)                                                       \
	"paddd " b ", " a "\n"                                                 \
	"pxor " a ", " d "\n"
#define QUARTER_ROUNDS                                                         \
	ADD_XOR("%%xmm0", "%%xmm1", "%%xmm3")                                  \
	/* By 16 bits: words of 16 change places */                            \
	"pshuflw $0xb1, %%xmm3, %%xmm3\n"                                      \
	"pshufhw $0xb1, %%xmm3, %%xmm3\n"                                      \
	ADD_XOR("%%xmm2", "%%xmm3", "%%xmm1")                                  \
	ROTL("%%xmm1", "12", "20")                                             \
	ADD_XOR("%%xmm0", "%%xmm1", "%%xmm3")                                  \
	ROTL("%%xmm3", "8", "24")                                              \
	ADD_XOR("%%xmm2", "%%xmm3", "%%xmm1")                                  \
	ROTL("%%xmm1", "7", "25")
/* Row r by so many words to the left, as the lowest digits of base 4 say */
#define ROWS_TURN(one, two, three)                                             \
	"pshufd $" one ", %%xmm1, %%xmm1\n"                                    \
	"pshufd $" two ", %%xmm2, %%xmm2\n"                                    \
	"pshufd $" three ", %%xmm3, %%xmm3\n"
/* clang-format on */

/* out = in + what the rounds make of in */
/* Assembly writes to it */
/* NOLINTBEGIN(readability-non-const-parameter) */
static void block_compute(const __u32 in[WORDS], unsigned int rounds,
			  __u8 out[PLAT_CHACHA_BLOCK_LEN])
{
	__u8 saved[5 * 16];

	__asm__ __volatile__(
		"movups %%xmm0, (%[saved])\n"
		"movups %%xmm1, 16(%[saved])\n"
		"movups %%xmm2, 32(%[saved])\n"
		"movups %%xmm3, 48(%[saved])\n"
		"movups %%xmm4, 64(%[saved])\n"
		"movdqa (%[in]), %%xmm0\n"
		"movdqa 16(%[in]), %%xmm1\n"
		"movdqa 32(%[in]), %%xmm2\n"
		"movdqa 48(%[in]), %%xmm3\n"
		"1:\n" QUARTER_ROUNDS ROWS_TURN("0x39", "0x4e", "0x93")
			QUARTER_ROUNDS ROWS_TURN(
				"0x93", "0x4e",
				"0x39") "subl $2, %[rounds]\n"
					"jnz 1b\n"
					"paddd (%[in]), %%xmm0\n"
					"paddd 16(%[in]), %%xmm1\n"
					"paddd 32(%[in]), %%xmm2\n"
					"paddd 48(%[in]), %%xmm3\n"
					"movups %%xmm0, (%[out])\n"
					"movups %%xmm1, 16(%[out])\n"
					"movups %%xmm2, 32(%[out])\n"
					"movups %%xmm3, 48(%[out])\n"
					"movups (%[saved]), %%xmm0\n"
					"movups 16(%[saved]), %%xmm1\n"
					"movups 32(%[saved]), %%xmm2\n"
					"movups 48(%[saved]), %%xmm3\n"
					"movups 64(%[saved]), %%xmm4\n"
		: [rounds] "+r"(rounds)
		: [in] "r"(in), [out] "r"(out), [saved] "r"(saved)
		: "cc", "memory");
}
/* NOLINTEND(readability-non-const-parameter) */

void plat_chacha_block(const __u8 *key, __u64 counter, unsigned int rounds,
		       __u8 *out)
{
	/* "expand 32-byte k" */
	__u32 in[WORDS] __align(16) = { 0x61707865, 0x3320646e, 0x79622d32,
					0x6b206574 };

	__builtin_memcpy(&in[4], key, PLAT_CHACHA_KEY_LEN);
	in[12] = (__u32)counter;
	in[13] = (__u32)(counter >> 32);
	block_compute(in, rounds, out);
}
