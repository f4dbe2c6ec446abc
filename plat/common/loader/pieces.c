/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <string.h>

#include <uk/essentials.h>

#include "elf.h"
#include "image.h"
#include "pieces.h"
#include "relocate.h"

/* INT3 */
#define BREAKPOINT 0xcc

/* One entry of an array in the file, which need not be aligned */
#define FILE_READ(val, array, i)                                               \
	memcpy(&(val), (array) + (__u64)(i) * sizeof(val), sizeof(val))

unsigned int pieces_lib_of(const struct image *img, unsigned int seg)
{
	struct pieces_seg entry;

	FILE_READ(entry, img->seg_lib, seg);
	return entry.lib;
}

const char *pieces_lib_name(const struct image *img, unsigned int lib)
{
	return (const char *)img->lib + lib * sizeof(struct pieces_lib);
}

/* Takes an array off the rest of the table */
static const __u8 *array_take(const __u8 **data, __u64 *len, __u64 cnt,
			      __u64 size)
{
	const __u8 *array = *data;

	if (cnt > *len / size)
		return __NULL;
	*data += cnt * size;
	*len -= cnt * size;
	return array;
}

/* Names are printed */
static int name_is_good(const char *name)
{
	__sz i, len = strnlen(name, sizeof(struct pieces_lib));

	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return 0;
	return len && len < sizeof(struct pieces_lib);
}

/* Segments of one library follow each other, and each library has some */
static int libs_test(const struct image *img, struct image_error *err)
{
	unsigned int i, lib, cnt = 0;

	for (i = 0; i < img->seg_cnt; i++) {
		lib = pieces_lib_of(img, i);
		if (lib >= img->pieces.lib_cnt || lib + 1 < cnt || lib > cnt)
			return image_bad(err, "segment of a wrong library",
					 lib);
		cnt = lib + 1;
	}
	if (cnt != img->pieces.lib_cnt)
		return image_bad(err, "library without segments", cnt);
	for (i = 0; i < cnt; i++)
		if (!name_is_good(pieces_lib_name(img, i)))
			return image_bad(err, "library with a wrong name", i);
	return 0;
}

int pieces_open(struct image *img, const struct elf_phdr *ph,
		struct image_error *err)
{
	struct pieces_header *h = &img->pieces;
	__u64 len = ph->filesz;
	const __u8 *data;

	if (img->in_pieces)
		return image_bad(err, "two tables of pieces", ph->offset);
	if (ph->offset > img->file_len || img->file_len - ph->offset < len ||
	    len < sizeof(*h))
		return image_bad(err, "table of pieces beyond the file",
				 ph->offset);
	data = img->file + ph->offset;
	memcpy(h, data, sizeof(*h));
	data += sizeof(*h);
	len -= sizeof(*h);
	if (h->version != PIECES_VERSION || !h->lib_cnt || !h->unit_cnt ||
	    h->seg_cnt != img->seg_cnt)
		return image_bad(err, "table of pieces of another kind",
				 h->version);
	img->lib =
		array_take(&data, &len, h->lib_cnt, sizeof(struct pieces_lib));
	img->seg_lib =
		array_take(&data, &len, h->seg_cnt, sizeof(struct pieces_seg));
	img->unit = array_take(&data, &len, h->unit_cnt,
			       sizeof(struct pieces_unit));
	img->fixup = array_take(&data, &len, h->fixup_cnt,
				sizeof(struct pieces_fixup));
	if (!img->lib || !img->seg_lib || !img->unit || !img->fixup)
		return image_bad(err, "table of pieces cut off", ph->filesz);
	img->in_pieces = 1;
	return libs_test(img, err);
}

static int unit_test(const struct image *img, const struct pieces_unit *unit,
		     __u64 end, struct image_error *err)
{
	if (unit->seg >= img->seg_cnt ||
	    unit->flags & ~(PIECES_UNIT_MOVE | PIECES_UNIT_SORT))
		return image_bad(err, "unit of another kind", unit->start);
	if (!unit->len || unit->start < end ||
	    !image_seg_has(&img->seg[unit->seg], unit->start, unit->len))
		return image_bad(err, "unit outside its segment", unit->start);
	if (unit->flags & PIECES_UNIT_MOVE && unit->start % PIECES_ALIGN)
		return image_bad(err, "unit that is not aligned", unit->start);
	if (unit->flags & PIECES_UNIT_SORT && unit->len % (2 * sizeof(__u64)))
		return image_bad(err, "table of a wrong length", unit->len);
	return 0;
}

int pieces_units_read(const struct image *img, struct pieces_unit_state *units,
		      struct image_error *err)
{
	struct pieces_unit unit;
	__u64 end = 0;
	__u32 i;
	int rc;

	for (i = 0; i < img->pieces.unit_cnt; i++) {
		FILE_READ(unit, img->unit, i);
		rc = unit_test(img, &unit, end, err);
		if (rc)
			return rc;
		units[i] = (struct pieces_unit_state){
			.place = unit.start,
			.start = unit.start,
			.len = unit.len,
			.seg = unit.seg,
			.flags = unit.flags,
		};
		end = (__u64)unit.start + unit.len;
	}
	for (i = 0; i < img->pieces.unit_cnt; i++)
		if (img->entry - units[i].start < units[i].len)
			return 0;
	return image_bad(err, "first instruction outside a unit", img->entry);
}

/* Number of units from the first one on that may change places: as many as
 * follow each other without a gap
 */
static __u32 run_len(const struct pieces_unit_state *units, __u32 cnt)
{
	__u32 n = 0;

	while (n < cnt && units[n].flags & PIECES_UNIT_MOVE &&
	       (!n || (units[n].seg == units[0].seg &&
		       units[n].start ==
			       ALIGN_UP(units[n - 1].start + units[n - 1].len,
					PIECES_ALIGN))))
		n++;
	return n;
}

/* The lengths do not change, so all of them together need what they needed,
 * but for the last one, whose end need not be aligned: it stays the last
 */
static void run_shuffle(struct pieces_unit_state *units, __u32 n, __u32 *order,
			__u64 (*uniform)(void *arg, __u64 bound), void *arg)
{
	__u32 i, k, at = units[0].start;

	for (i = 0; i < n; i++) {
		k = (__u32)uniform(arg, i + 1UL);
		order[i] = order[k];
		order[k] = i;
	}
	for (i = 0; i < n; i++) {
		units[order[i]].place = at;
		units[order[i]].flags |= PIECES_UNIT_DRAWN;
		at += ALIGN_UP(units[order[i]].len, PIECES_ALIGN);
	}
}

void pieces_shuffle(struct pieces_unit_state *units, __u32 cnt, __u32 *order,
		    __u64 (*uniform)(void *arg, __u64 bound), void *arg)
{
	__u32 i = 0, n;

	while (i < cnt) {
		n = run_len(units + i, cnt - i);
		/* What ends within the alignment stays */
		if (n && units[i + n - 1].len % PIECES_ALIGN)
			n--;
		if (n > 1)
			run_shuffle(units + i, n, order, uniform, arg);
		i += n ? n : 1;
	}
}

/* Contents of a unit at a drawn place, and what is behind it up to the next
 * one; what the file does not have is zero
 */
static void unit_copy(const struct image *img,
		      const struct pieces_unit_state *unit, __u8 *mem)
{
	const struct image_seg *seg = &img->seg[unit->seg];
	__u64 at = unit->start - seg->offset, len = 0;

	mem += unit->place;
	if (at < seg->data_len) {
		len = MIN((__u64)unit->len, seg->data_len - at);
		memcpy(mem, seg->data + at, len);
	}
	memset(mem + len, 0, unit->len - len);
	memset(mem + unit->len, BREAKPOINT,
	       ALIGN_UP(unit->len, PIECES_ALIGN) - unit->len);
}

void pieces_copy(const struct image *img, const struct pieces_unit_state *units,
		 __u8 *mem)
{
	__u32 i;

	image_copy(img, mem);
	for (i = 0; i < img->pieces.unit_cnt; i++)
		if (units[i].flags & PIECES_UNIT_DRAWN)
			unit_copy(img, &units[i], mem);
}

void pieces_place(const struct image *img, struct pieces_unit_state *units,
		  const __u64 *seg_vaddr)
{
	const struct image_seg *seg;
	__u32 i;

	for (i = 0; i < img->pieces.unit_cnt; i++) {
		seg = &img->seg[units[i].seg];
		units[i].distance = seg_vaddr[units[i].seg] - seg->offset +
				    units[i].place -
				    (img->base + units[i].start);
	}
}
