/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <uk/essentials.h>

#include "image_run.h"
#include "object.h"
#include "../unit/fixture_draw.h"
#include "../../plat/common/loader/elf.h"
#include "../../plat/common/loader/image.h"
#include "../../plat/common/loader/pieces.h"
#include "../../plat/common/loader/relocate.h"

#define PAGE_LEN 4096UL
/* Longer images are not compared byte by byte */
#define GAPS_MAX 0x100000UL

/* Memory that ends with a page that faults */
struct guarded {
	__u8 *data;
	void *map;
	__sz map_len;
};

static struct guarded guarded_make(__sz len)
{
	__sz pages = ALIGN_UP(len, PAGE_LEN);
	struct guarded g = { .map_len = pages + PAGE_LEN };

	g.map = mmap(NULL, g.map_len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	EXPECT(g.map != MAP_FAILED);
	g.data = (__u8 *)g.map + pages - len;
	EXPECT(!mprotect((__u8 *)g.map + pages, PAGE_LEN, PROT_NONE));
	return g;
}

static void guarded_drop(const struct guarded *g)
{
	EXPECT(!munmap(g->map, g->map_len));
}

static int lies_in_file(const struct image *img, const __u8 *at, __u64 len)
{
	return !len || (at >= img->file &&
			len <= img->file_len - (__u64)(at - img->file));
}

/* I1 to I4, from their words */
static void invariants_check(const struct image *img)
{
	const struct image_seg *seg;
	__u64 end = 0;
	unsigned int i, entries = 0;

	EXPECT(img->seg_cnt && img->seg_cnt <= IMAGE_SEGS_MAX);
	EXPECT(!img->seg[0].offset);
	for (i = 0; i < img->seg_cnt; i++) {
		seg = &img->seg[i];
		EXPECT(seg->offset >= end && seg->len);
		EXPECT(!((seg->offset | seg->len) % PAGE_LEN));
		EXPECT((seg->flags & (ELF_PF_W | ELF_PF_X)) !=
		       (ELF_PF_W | ELF_PF_X));
		EXPECT(seg->data_len <= seg->len);
		EXPECT(lies_in_file(img, seg->data, seg->data_len));
		entries += seg->flags & ELF_PF_X && img->entry >= seg->offset &&
			   img->entry - seg->offset < seg->data_len;
		end = seg->offset + seg->len;
	}
	EXPECT(entries == 1);
	EXPECT(end == img->span && end <= IMAGE_SPAN_MAX);
	EXPECT(lies_in_file(img, img->rela, img->rela_cnt * 24));
	EXPECT(lies_in_file(img, img->relr, img->relr_cnt * 8));
}

/* Memory of no segment is as it was */
static void gaps_check(const struct image *img, const __u8 *mem)
{
	__u64 at = 0;
	unsigned int i;

	for (i = 0; i < img->seg_cnt; i++) {
		for (; at < img->seg[i].offset; at++)
			EXPECT(!mem[at]);
		at += img->seg[i].len;
	}
}

static int whole_run(const struct image *img, __u8 *mem, __u64 *seed,
		     struct image_error *err)
{
	__u64 vaddr = fixture_uniform(seed, 1UL << 35) << 12 | 0xffffUL << 48;

	/* Where it was linked, addresses stay what they are */
	if (fixture_uniform(seed, 2))
		vaddr = img->base;
	image_copy(img, mem);
	return image_relocate(img, mem, vaddr, err);
}

/* As install.c places them: each library within its window */
static void segs_place(const struct image *img, __u64 *vaddr, __u64 *seed)
{
	__u64 window = 0;
	unsigned int i, lib, last = 0;

	for (i = 0; i < img->seg_cnt; i++) {
		lib = pieces_lib_of(img, i);
		if (!i || lib != last)
			window = fixture_uniform(seed, 1UL << 35) << 12;
		vaddr[i] = window +
			   (fixture_uniform(seed, PIECES_WINDOW >> 13) << 12);
		last = lib;
	}
}

/* Places lie in the segment of the unit (U1) */
static void units_check(const struct image *img,
			const struct pieces_unit_state *units)
{
	const struct pieces_unit_state *unit = units;
	const struct image_seg *seg;
	__u32 i;

	for (i = 0; i < img->pieces.unit_cnt; i++, unit++) {
		EXPECT(unit->seg < img->seg_cnt);
		seg = &img->seg[unit->seg];
		EXPECT(unit->place >= seg->offset &&
		       (__u64)unit->place + unit->len <=
			       seg->offset + seg->len);
	}
}

static int pieces_run(const struct image *img, __u8 *mem, __u64 *seed,
		      struct image_error *err)
{
	const __u32 cnt = img->pieces.unit_cnt;
	struct pieces_unit_state *units = malloc(cnt * sizeof(*units));
	__u32 *order = malloc(cnt * sizeof(*order));
	__u64 vaddr[IMAGE_SEGS_MAX];
	int rc;

	EXPECT(units && order);
	rc = pieces_units_read(img, units, err);
	if (!rc) {
		segs_place(img, vaddr, seed);
		if (fixture_uniform(seed, 4))
			pieces_shuffle(units, cnt, order, fixture_uniform,
				       seed);
		units_check(img, units);
		pieces_place(img, units, vaddr);
		pieces_copy(img, units, mem);
		rc = pieces_relocate(img, units, mem, err);
	}
	if (!rc)
		EXPECT(pieces_vaddr(img, units, img->entry));
	free(order);
	free(units);
	return rc;
}

static int image_install(const struct image *img, __u64 *seed,
			 struct image_error *err)
{
	struct guarded mem = guarded_make(img->span);
	int rc;

	if (img->in_pieces)
		rc = pieces_run(img, mem.data, seed, err);
	else
		rc = whole_run(img, mem.data, seed, err);
	if (img->span <= GAPS_MAX)
		gaps_check(img, mem.data);
	guarded_drop(&mem);
	return rc;
}

const char *image_run(const __u8 *data, __sz len, enum image_door door,
		      __u64 seed)
{
	static struct image img;
	struct image_error err = { NULL, 0 };
	struct guarded file;
	__sz skip = 0;
	int rc;

	if (door == IMAGE_DOOR_ELF)
		skip = MIN(len, sizeof(struct payload_header));
	file = guarded_make(len - skip);
	memcpy(file.data, data + skip, len - skip);
	if (door == IMAGE_DOOR_ELF)
		rc = image_open_elf(file.data, len - skip, &img, &err);
	else
		rc = image_open(file.data, len, &img, &err);
	if (!rc) {
		invariants_check(&img);
		rc = image_install(&img, &seed, &err);
	}
	/* Either it is right, or something was said */
	EXPECT(!rc == !err.what);
	guarded_drop(&file);
	return err.what;
}
