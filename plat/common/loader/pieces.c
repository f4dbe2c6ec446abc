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

/* Segments of one library follow each other, and fit into its window */
static int libs_test(const struct image *img, struct image_error *err)
{
	unsigned int i, lib, last = 0;

	for (i = 0; i < img->seg_cnt; i++) {
		lib = pieces_lib_of(img, i);
		if (lib >= img->pieces.lib_cnt || lib < last || lib > last + 1)
			return image_bad(err, "segment of a wrong library",
					 lib);
		last = lib;
	}
	if (last + 1 != img->pieces.lib_cnt)
		return image_bad(err, "library without segments", last + 1);
	return 0;
}

int pieces_open(struct image *img, const struct elf_phdr *ph,
		struct image_error *err)
{
	struct pieces_header *h = &img->pieces;
	const __u8 *data = img->file + ph->offset;
	__u64 len = ph->filesz;

	if (img->in_pieces)
		return image_bad(err, "two tables of pieces", ph->offset);
	if (ph->offset > img->file_len || img->file_len - ph->offset < len ||
	    len < sizeof(*h))
		return image_bad(err, "table of pieces beyond the file",
				 ph->offset);
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
	if (unit->flags & PIECES_UNIT_SORT &&
	    (unit->len % (2 * sizeof(__u64)) || unit->len > PIECES_SORT_MAX))
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
	return 0;
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

/* Contents of a unit; what the file does not have stays zero */
static void unit_copy(const struct image *img,
		      const struct pieces_unit_state *unit, __u8 *mem)
{
	const struct image_seg *seg = &img->seg[unit->seg];
	__u64 at = unit->start - seg->offset;

	if (at < seg->data_len)
		memcpy(mem + unit->place, seg->data + at,
		       MIN((__u64)unit->len, seg->data_len - at));
}

void pieces_copy(const struct image *img, const struct pieces_unit_state *units,
		 __u8 *mem)
{
	__u32 i;

	image_copy(img, mem);
	for (i = 0; i < img->pieces.unit_cnt; i++)
		if (units[i].place != units[i].start)
			memset(mem + units[i].place, BREAKPOINT,
			       ALIGN_UP(units[i].len, PIECES_ALIGN));
	for (i = 0; i < img->pieces.unit_cnt; i++)
		if (units[i].place != units[i].start)
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

/* The last unit that begins at or before an offset */
static __u32 unit_find(const struct pieces_unit_state *units, __u32 cnt,
		       __u64 offset)
{
	__u32 low = 0, mid;

	while (cnt - low > 1) {
		mid = low + (cnt - low) / 2;
		if (units[mid].start <= offset)
			low = mid;
		else
			cnt = mid;
	}
	return low;
}

static int unit_has(const struct pieces_unit_state *unit, __u64 offset,
		    __u64 len)
{
	return offset >= unit->start && len <= unit->len &&
	       offset - unit->start <= unit->len - len;
}

__u64 pieces_vaddr(const struct image *img,
		   const struct pieces_unit_state *units, __u64 offset)
{
	const struct pieces_unit_state *unit =
		&units[unit_find(units, img->pieces.unit_cnt, offset)];

	if (!unit_has(unit, offset, 1))
		return 0;
	return img->base + offset + unit->distance;
}

static int relative_add(__u8 *at, __u64 delta)
{
	__s64 sum;
	__s32 val;

	memcpy(&val, at, sizeof(val));
	sum = (__s64)(delta + (__u64)(__s64)val);
	val = (__s32)sum;
	memcpy(at, &val, sizeof(val));
	return val == sum ? 0 : -EINVAL;
}

static void absolute_add(__u8 *at, __u64 delta)
{
	__u64 val;

	memcpy(&val, at, sizeof(val));
	val += delta;
	memcpy(at, &val, sizeof(val));
}

/* *here: the unit of the last site, which were sorted */
static int fixup_apply(const struct image *img,
		       const struct pieces_unit_state *units,
		       const struct pieces_fixup *fixup, __u32 *here, __u8 *mem,
		       struct image_error *err)
{
	__u32 target = fixup->target & ~PIECES_FIXUP_RELATIVE;
	int relative = (fixup->target & PIECES_FIXUP_RELATIVE) != 0;
	__u64 len = relative ? sizeof(__u32) : sizeof(__u64);
	const struct pieces_unit_state *unit;
	__u8 *at;

	if (target >= img->pieces.unit_cnt)
		return image_bad(err, "fixup with a wrong target", target);
	while (*here + 1 < img->pieces.unit_cnt &&
	       units[*here + 1].start <= fixup->site)
		++*here;
	unit = &units[*here];
	if (!unit_has(unit, fixup->site, len))
		return image_bad(err, "fixup outside a unit", fixup->site);
	at = mem + unit->place + (fixup->site - unit->start);
	if (!relative) {
		absolute_add(at, units[target].distance);
		return 0;
	}
	if (pieces_lib_of(img, unit->seg) !=
	    pieces_lib_of(img, units[target].seg))
		return image_bad(err, "relative fixup between libraries",
				 fixup->site);
	if (relative_add(at, units[target].distance - unit->distance))
		return image_bad(err, "fixup that does not reach its target",
				 fixup->site);
	return 0;
}

/* Tables are short: insertion is enough, and bounded by what was tested */
static void table_sort(__u8 *table, __u64 len)
{
	__u64 entry[2], other;
	__u64 i, k;

	for (i = 0; i < len; i += sizeof(entry)) {
		memcpy(entry, table + i, sizeof(entry));
		for (k = i; k; k -= sizeof(entry)) {
			memcpy(&other, table + k - sizeof(entry),
			       sizeof(other));
			if (other <= entry[0])
				break;
			memcpy(table + k, table + k - sizeof(entry),
			       sizeof(entry));
		}
		memcpy(table + k, entry, sizeof(entry));
	}
}

int pieces_relocate(const struct image *img,
		    const struct pieces_unit_state *units, __u8 *mem,
		    struct image_error *err)
{
	struct pieces_fixup fixup;
	__u32 i, here = 0, last = 0;
	int rc;

	for (i = 0; i < img->pieces.fixup_cnt; i++) {
		FILE_READ(fixup, img->fixup, i);
		if (fixup.site < last)
			return image_bad(err, "fixups that are not sorted",
					 fixup.site);
		last = fixup.site;
		rc = fixup_apply(img, units, &fixup, &here, mem, err);
		if (rc)
			return rc;
	}
	for (i = 0; i < img->pieces.unit_cnt; i++)
		if (units[i].flags & PIECES_UNIT_SORT)
			table_sort(mem + units[i].place, units[i].len);
	return 0;
}
