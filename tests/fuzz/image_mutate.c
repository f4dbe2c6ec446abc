/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/essentials.h>

#include "image_mutate.h"
#include "object.h"
#include "../../plat/common/loader/elf.h"
#include "../../plat/common/loader/image.h"
#include "../../plat/common/loader/sha256.h"

#define CHANGES_MAX 8U

static void hot_add(struct image_base *base, const __u8 *at, __u64 len)
{
	struct image_hot *hot = &base->hot[base->hot_cnt];

	if (!at || !len)
		return;
	EXPECT(base->hot_cnt < IMAGE_HOT_MAX);
	hot->at = (__sz)(at - base->bytes);
	hot->len = len;
	EXPECT(hot->at < base->len && len <= base->len - hot->at);
	base->hot_cnt++;
}

static void phdrs_add(struct image_base *base, const struct image *img)
{
	struct elf_header h;
	struct elf_phdr ph;
	unsigned int i;

	memcpy(&h, img->file, sizeof(h));
	hot_add(base, img->file + h.phoff, h.phnum * sizeof(ph));
	for (i = 0; i < h.phnum; i++) {
		memcpy(&ph, img->file + h.phoff + i * sizeof(ph), sizeof(ph));
		if (ph.type == ELF_PT_DYNAMIC || ph.type == PT_PIECES)
			hot_add(base, img->file + ph.offset, ph.filesz);
	}
}

void image_base_init(struct image_base *base, const __u8 *bytes, __sz len)
{
	static struct image img;
	struct image_error err;

	memset(base, 0, sizeof(*base));
	base->bytes = bytes;
	base->len = len;
	if (image_open(bytes, len, &img, &err))
		test_die("image without mistakes: %s", err.what);
	hot_add(base, bytes, sizeof(struct payload_header));
	hot_add(base, img.file, sizeof(struct elf_header));
	phdrs_add(base, &img);
	hot_add(base, img.rela, img.rela_cnt * sizeof(struct elf_rela));
	hot_add(base, img.relr, img.relr_cnt * sizeof(__u64));
	if (!img.in_pieces)
		return;
	hot_add(base, img.seg_lib, img.seg_cnt * sizeof(struct pieces_seg));
	hot_add(base, img.unit,
		img.pieces.unit_cnt * sizeof(struct pieces_unit));
	hot_add(base, img.fixup,
		img.pieces.fixup_cnt * sizeof(struct pieces_fixup));
}

/* Mostly a multiple of 4 in what the loader looks at */
static __sz place_choose(const struct image_base *base, struct input *in)
{
	unsigned int form = input_u8(in);
	const struct image_hot *hot;

	if (form % 8 == 0)
		return (__sz)input_word(in, 3) % base->len;
	hot = &base->hot[form / 8 % base->hot_cnt];
	form = (unsigned int)input_word(in, 2) % (unsigned int)hot->len;
	return hot->at + (input_u8(in) % 4 ? form & ~3U : form);
}

/* Another number at a place, of 1, 2, 4 or 8 bytes */
static void number_change(const struct image_base *base, struct input *in,
			  __u8 *out, __sz len)
{
	__sz at = place_choose(base, in), from = 0, n;
	unsigned int form = input_u8(in);
	__u64 val = 0;

	n = 1UL << form % 4;
	if (at >= len || n > len - at)
		return;
	memcpy(&val, out + at, n);
	switch (form / 4 % 4) {
	case 0:
		val += (__u64)(__s64)(__s8)input_u8(in);
		break;
	case 1:
		val ^= 1UL << input_u8(in) % 64;
		break;
	case 2:
		val = input_any(in);
		break;
	default:
		from = place_choose(base, in);
		if (from < len && n <= len - from)
			memcpy(&val, out + from, n);
	}
	memcpy(out + at, &val, n);
}

/* A range takes the place of another one: headers twice, tables of code */
static void range_copy(const struct image_base *base, struct input *in,
		       __u8 *out, __sz len)
{
	__sz to = place_choose(base, in), from = place_choose(base, in);
	__sz n = input_u8(in);

	if (to < len && from < len && n <= len - MAX(to, from))
		memmove(out + to, out + from, n);
}

static void seal(__u8 *out, __sz len)
{
	struct payload_header h;

	if (len < sizeof(h))
		return;
	memcpy(&h, out, sizeof(h));
	memcpy(h.magic, PAYLOAD_MAGIC, sizeof(h.magic));
	h.version = PAYLOAD_VERSION;
	h.flags = 0;
	h.len = len - sizeof(h);
	sha256(out + sizeof(h), h.len, h.sha256);
	memcpy(out, &h, sizeof(h));
}

__sz image_mutate(const struct image_base *base, struct input *in, __u8 *out,
		  enum image_door *door)
{
	unsigned int how = input_u8(in), cnt = how / 4 % CHANGES_MAX + 1;
	__sz len = base->len;

	memcpy(out, base->bytes, len);
	if (how / 32 == 0)
		len = (__sz)input_word(in, 3) % (len + 1);
	while (cnt--) {
		if (input_u8(in) % 8)
			number_change(base, in, out, len);
		else
			range_copy(base, in, out, len);
	}
	*door = how % 4 < 2 ? IMAGE_DOOR_ELF : IMAGE_DOOR_PAYLOAD;
	if (how % 4 == 2)
		seal(out, len);
	return len;
}
