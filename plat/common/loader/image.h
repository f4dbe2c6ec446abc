/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_IMAGE_H__
#define __UKPLAT_IMAGE_H__

/* The application image: what the file says, tested
 *
 * Why
 *   The file comes from outside. Nothing in it may make the loader read or
 *   write anywhere else, or run for ever, and an image that would break the
 *   rules of the guest must not run.
 *
 * How
 *   image_open() tests header, digest and all program headers, and remembers
 *   numbers that are safe: all later steps use only these. What it finds is
 *   said in one sentence, with the number that is wrong.
 *
 * Invariants of an image that was opened
 *   I1 Segments are sorted, do not overlap, begin and end with a page, have
 *      at least a byte; none is writable and executable. The last one ends at
 *      `span`, the first one begins at offset 0.
 *   I2 The contents of each segment lie in the file.
 *   I3 The first instruction lies in the contents of an executable segment.
 *   I4 Tables of relocations lie in the contents of one segment; those of
 *      pieces lie in the file.
 *
 * Concurrency
 *   None. Pure: touches nothing but its arguments.
 */

#include <uk/arch/types.h>

#include "payload.h"

/* Libraries times three, and room */
#define IMAGE_SEGS_MAX 48U
/* Memory of an image, a number of 32 bits without its highest bit */
#define IMAGE_SPAN_MAX 0x10000000UL

struct image_seg {
	/** Address as linked minus the lowest one */
	__u64 offset;
	/** Bytes in memory, whole pages */
	__u64 len;
	/** Contents: the rest is zero */
	const __u8 *data;
	__u64 data_len;
	/** ELF_PF_* */
	__u32 flags;
};

struct image {
	const __u8 *file;
	__u64 file_len;
	/** Lowest address as linked */
	__u64 base;
	/** Bytes from the lowest to the highest address */
	__u64 span;
	/** Offset of the first instruction */
	__u64 entry;
	unsigned int seg_cnt;
	struct image_seg seg[IMAGE_SEGS_MAX];

	/** Relocations of an image in one piece */
	const __u8 *rela;
	__u64 rela_cnt;
	const __u8 *relr;
	__u64 relr_cnt;

	/** The image is in pieces; arrays as in payload.h, unaligned */
	int in_pieces;
	struct pieces_header pieces;
	const __u8 *lib;
	const __u8 *seg_lib;
	const __u8 *unit;
	const __u8 *fixup;
};

/** What is wrong with an image */
struct image_error {
	/** End of the sentence "bad image: " */
	const char *what;
	/** The number it is about */
	__u64 value;
};

/** Notes what is wrong. Always -EINVAL. */
int image_bad(struct image_error *err, const char *what, __u64 value);

/**
 * Tests a payload and opens the image in it.
 *
 * @param data
 *   The payload: struct payload_header and what follows it; stays in use
 * @param len
 *   Bytes that may be read there
 * @param[out] img
 *   Receives the image
 * @param[out] err
 *   Receives what is wrong
 *
 * @return
 *   - (0): Opened
 *   - (-EINVAL): Not a payload, damaged, or it breaks a rule
 */
int image_open(const __u8 *data, __sz len, struct image *img,
	       struct image_error *err);

/** As image_open(), without header and digest: an ELF file alone. */
int image_open_elf(const __u8 *file, __u64 len, struct image *img,
		   struct image_error *err);

/** Number of the segment with an offset, or seg_cnt. */
unsigned int image_seg_find(const struct image *img, __u64 offset);

/** Tells whether a range lies within one segment. */
int image_seg_has(const struct image_seg *seg, __u64 offset, __u64 len);

#endif /* __UKPLAT_IMAGE_H__ */
