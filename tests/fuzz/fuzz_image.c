/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Fuzz target: application images
 *
 * The input is a file, or decides how an image that is right is changed: in
 * one piece, or one of sixteen in pieces.
 */

#include <string.h>

#include "image_mutate.h"
#include "object.h"
#include "../unit/fixture_image.h"

#define RAW 0x80U

static struct fixture_image image;
static __u8 mutant[FIXTURE_LEN];

static void base_make(struct image_base *base, unsigned int form)
{
	__u64 seed = form / 2 % 16;

	if (form % 2)
		fixture_pieces(&image, &seed);
	else
		fixture_whole(&image);
	image_base_init(base, image.bytes, image.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct input in = { data, len };
	unsigned int form = input_u8(&in);
	struct image_base base;
	enum image_door door;

	if (form & RAW) {
		door = form % 2 ? IMAGE_DOOR_ELF : IMAGE_DOOR_PAYLOAD;
		(void)image_run(in.data, in.len, door, form);
		return 0;
	}
	base_make(&base, form);
	len = image_mutate(&base, &in, mutant, &door);
	(void)image_run(mutant, len, door, form);
	return 0;
}
