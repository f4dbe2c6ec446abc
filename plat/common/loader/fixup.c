/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "pieces.h"

/* An entry of a table that is sorted, by its first word */
#define ENTRY_LEN (2 * sizeof(__u64))

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

static __u64 fixup_len(const struct pieces_fixup *fixup)
{
	return fixup->target & PIECES_FIXUP_RELATIVE ? sizeof(__u32) :
						       sizeof(__u64);
}

/* *here: the unit of the last site, which were sorted */
static int fixup_apply(const struct image *img,
		       const struct pieces_unit_state *units,
		       const struct pieces_fixup *fixup, __u32 *here, __u8 *mem,
		       struct image_error *err)
{
	__u32 target = fixup->target & ~PIECES_FIXUP_RELATIVE;
	const struct pieces_unit_state *unit;
	__u8 *at;

	if (target >= img->pieces.unit_cnt)
		return image_bad(err, "fixup with a wrong target", target);
	while (*here + 1 < img->pieces.unit_cnt &&
	       units[*here + 1].start <= fixup->site)
		++*here;
	unit = &units[*here];
	if (!unit_has(unit, fixup->site, fixup_len(fixup)))
		return image_bad(err, "fixup outside a unit", fixup->site);
	at = mem + unit->place + (fixup->site - unit->start);
	if (!(fixup->target & PIECES_FIXUP_RELATIVE)) {
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

/* By the first words, as numbers without a sign */
static int entry_compare(const void *a, const void *b)
{
	__u64 first, second;

	memcpy(&first, a, sizeof(first));
	memcpy(&second, b, sizeof(second));
	return first < second ? -1 : first > second;
}

int pieces_relocate(const struct image *img,
		    const struct pieces_unit_state *units, __u8 *mem,
		    struct image_error *err)
{
	struct pieces_fixup fixup;
	__u32 i, here = 0;
	__u64 end = 0;
	int rc;

	for (i = 0; i < img->pieces.fixup_cnt; i++) {
		memcpy(&fixup, img->fixup + i * sizeof(fixup), sizeof(fixup));
		if (fixup.site < end)
			return image_bad(err, "fixups that are not sorted",
					 fixup.site);
		end = fixup.site + fixup_len(&fixup);
		rc = fixup_apply(img, units, &fixup, &here, mem, err);
		if (rc)
			return rc;
	}
	for (i = 0; i < img->pieces.unit_cnt; i++)
		if (units[i].flags & PIECES_UNIT_SORT)
			qsort(mem + units[i].place, units[i].len / ENTRY_LEN,
			      ENTRY_LEN, entry_compare);
	return 0;
}
