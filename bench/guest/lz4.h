/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_LZ4_H__
#define __GUESTBENCH_LZ4_H__

/* Reads a block of LZ4, byte by byte
 *
 * How
 *   A block is a row of sequences: some bytes as they are, then a match, a
 *   piece of what came before. The reader keeps the last LZ4_WINDOW bytes,
 *   the farthest that a match may begin, and nothing else.
 *
 * Invariants
 *   Z1. No byte outside of the block is read, whatever it holds.
 *   Z2. A match begins among the bytes that were put out.
 *
 * Source
 *   The LZ4 block format, as its author describes it
 *   (lz4_Block_format.md of the reference implementation).
 */

#include <uk/arch/types.h>

/** Bytes that a match can reach back, rounded up to a power of two */
#define LZ4_WINDOW 65536U

struct lz4 {
	const __u8 *src, *end; /* what is left of the block */
	__sz literals, match;  /* bytes of the current sequence yet to come */
	__u64 pos;	       /* bytes that were put out */
	__u32 offset;	       /* of the match, backwards */
	__u8 token;	       /* of the current sequence */
	__u8 in_sequence;      /* its match was not read yet */
	__u8 window[LZ4_WINDOW];
};

/**
 * Begins to read a block.
 *
 * @param block
 *   The compressed bytes; they must stay until the last call of lz4_byte()
 */
void lz4_init(struct lz4 *z, const void *block, __sz len);

/**
 * Reads the next byte of the contents.
 *
 * @return
 *   - 0 to 255: the byte
 *   - -ENODATA: the contents end here
 *   - -EINVAL: the block is cut off or damaged; further calls are not allowed
 */
int lz4_byte(struct lz4 *z);

#endif /* __GUESTBENCH_LZ4_H__ */
