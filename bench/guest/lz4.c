/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/essentials.h>

#include "lz4.h"

/* The two halves of a token are lengths; this value means that bytes follow
 * which are added, up to the first that is not LEN_ON
 */
#define LEN_MORE 15U
#define LEN_ON	 255U

/* The shortest match, which the token's half does not count */
#define MATCH_MIN 4U

void lz4_init(struct lz4 *z, const void *block, __sz len)
{
	z->src = block;
	z->end = z->src + len;
	z->literals = 0;
	z->match = 0;
	z->pos = 0;
	z->offset = 0;
	z->token = 0;
	z->in_sequence = 0;
}

static int length(struct lz4 *z, unsigned int half, __sz *len)
{
	__u8 more;

	*len = half;
	if (half != LEN_MORE)
		return 0;
	do {
		if (z->src == z->end)
			return -EINVAL;
		more = *z->src++;
		*len += more;
	} while (more == LEN_ON);
	return 0;
}

static int begin_sequence(struct lz4 *z)
{
	/* The last sequence has no match: a block cannot end after one */
	if (z->src == z->end)
		return -EINVAL;
	z->token = *z->src++;
	z->in_sequence = 1;
	return length(z, z->token >> 4, &z->literals);
}

static int begin_match(struct lz4 *z)
{
	int rc;

	if (z->src == z->end)
		return -ENODATA;
	if (z->end - z->src < 2)
		return -EINVAL;
	z->offset = z->src[0] | (__u32)z->src[1] << 8;
	z->src += 2;
	if (!z->offset || z->offset > z->pos)
		return -EINVAL;
	z->in_sequence = 0;
	rc = length(z, z->token & 15U, &z->match);
	z->match += MATCH_MIN;
	return rc;
}

int lz4_byte(struct lz4 *z)
{
	__u8 byte;
	int rc;

	while (!z->literals && !z->match) {
		rc = z->in_sequence ? begin_match(z) : begin_sequence(z);
		if (rc)
			return rc;
	}
	if (z->literals) {
		if (z->src == z->end)
			return -EINVAL;
		byte = *z->src++;
		z->literals--;
	} else {
		byte = z->window[(z->pos - z->offset) % LZ4_WINDOW];
		z->match--;
	}
	z->window[z->pos++ % LZ4_WINDOW] = byte;
	return byte;
}
