/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_FUZZ_IMAGE_MUTATE_H__
#define __TESTS_FUZZ_IMAGE_MUTATE_H__

/* Images with mistakes, from those without
 *
 * How
 *   Most bytes of an image are code and data, which the loader does not look
 *   at: half of the changes hit headers and tables, whose places are known
 *   from the image without mistakes.
 */

#include "image_run.h"
#include "input.h"

#define IMAGE_HOT_MAX 12U

struct image_base {
	const __u8 *bytes;
	__sz len;
	/* What the loader looks at: ranges of offsets */
	struct image_hot {
		__sz at, len;
	} hot[IMAGE_HOT_MAX];
	unsigned int hot_cnt;
};

/** Finds headers and tables of an image, which must be right. */
void image_base_init(struct image_base *base, const __u8 *bytes, __sz len);

/**
 * Makes an image with up to eight changes.
 *
 * @param in
 *   Decides which
 * @param[out] out
 *   Receives the image; has room for base->len bytes
 * @param[out] door
 *   Receives which function should open it
 *
 * @return
 *   Bytes of the image
 */
__sz image_mutate(const struct image_base *base, struct input *in, __u8 *out,
		  enum image_door *door);

#endif /* __TESTS_FUZZ_IMAGE_MUTATE_H__ */
