/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uk/essentials.h>

#include "fixture_draw.h"
#include "fixture_image.h"

#define LIBS_MAX   4U
#define UNITS_MAX  256U
#define FIXUPS_MAX 2048U
#define TABLE_MAX  12U
#define ENTRY_LEN  16U

/* What will be in the table; the arrays follow the contents in the file */
static struct draft {
	struct fixture_image *f;
	__u64 *seed;
	/* Offset where the next segment may begin, and in the last one */
	__u32 next, at;
	unsigned int lib_cnt, seg_cnt, unit_cnt, fixup_cnt;
	struct pieces_seg seg[LIBS_MAX * 3];
	struct pieces_unit unit[UNITS_MAX];
	struct pieces_fixup fixup[FIXUPS_MAX];
} d;

static __u32 roll(__u32 bound)
{
	return (__u32)fixture_uniform(d.seed, bound);
}

static void unit_add(__u32 len, __u16 flags)
{
	if (d.unit_cnt == UNITS_MAX)
		abort();
	d.unit[d.unit_cnt++] = (struct pieces_unit){
		.start = d.at,
		.len = len,
		.seg = (__u16)d.seg_cnt,
		.flags = flags,
	};
	d.at += len;
}

/* Ends a segment that has its units; `more` bytes are not in the file */
static void seg_end(__u32 flags, __u32 more)
{
	__u32 len = d.at - d.next, i;
	__u8 *data;

	fixture_phdr(d.f, ELF_PT_LOAD, flags, FIXTURE_BASE + d.next, len - more,
		     len);
	data = fixture_contents(d.f, len - more);
	for (i = 0; i < len - more; i++)
		data[i] = (__u8)roll(256);
	d.seg[d.seg_cnt++].lib = d.lib_cnt;
	d.next = ALIGN_UP(d.at, 0x1000U) + roll(3) * 0x1000;
	d.at = d.next;
}

/* Functions, between code that stays where it is */
static void text_make(void)
{
	unsigned int n = 2 + roll(30);

	unit_add(32, 0);
	while (n--) {
		d.at = ALIGN_UP(d.at, PIECES_ALIGN);
		unit_add(1 + roll(90), PIECES_UNIT_MOVE);
	}
	if (roll(2))
		unit_add(1 + roll(40), 0);
	seg_end(ELF_PF_R | ELF_PF_X, 0);
}

static void rodata_make(void)
{
	unit_add(8 + roll(300), 0);
	d.at = ALIGN_UP(d.at, 8U);
	unit_add((1 + roll(TABLE_MAX)) * ENTRY_LEN, PIECES_UNIT_SORT);
	seg_end(ELF_PF_R, 0);
}

/* The last unit begins in the file and ends behind it, or is all behind it */
static void data_make(void)
{
	__u32 len = 1 + roll(5000);

	unit_add(8 + roll(300), 0);
	unit_add(len, 0);
	seg_end(ELF_PF_R | ELF_PF_W, 1 + roll(len));
}

static void fixup_add(__u32 site, int relative)
{
	const struct pieces_unit *to;
	__u64 val;
	__u32 i, lib = 0, own;

	for (i = 0; i < d.unit_cnt && d.unit[i].start <= site; i++)
		lib = d.seg[d.unit[i].seg].lib;
	do {
		i = roll(d.unit_cnt);
		to = &d.unit[i];
		own = d.seg[to->seg].lib;
	} while (relative && own != lib);
	val = to->start + roll(to->len);
	if (relative)
		val -= site + 4;
	else
		val += FIXTURE_BASE;
	memcpy(fixture_at(d.f, FIXTURE_BASE + site), &val, relative ? 4 : 8);
	if (d.fixup_cnt == FIXUPS_MAX)
		abort();
	d.fixup[d.fixup_cnt++] = (struct pieces_fixup){
		site, relative ? i | PIECES_FIXUP_RELATIVE : i
	};
}

/* Addresses anywhere in what a unit has in the file */
static void unit_fill(const struct pieces_unit *unit)
{
	const struct elf_phdr *ph = &d.f->ph[unit->seg];
	__u64 file_end = ph->vaddr - FIXTURE_BASE + ph->filesz;
	__u32 site = unit->start, end = unit->start + unit->len;
	int relative;

	if (end > file_end)
		return;
	if (unit->flags & PIECES_UNIT_SORT) {
		for (; site < end; site += ENTRY_LEN)
			fixup_add(site, 0);
		return;
	}
	for (site += roll(9); site + 8 <= end; site += roll(20)) {
		relative = roll(2) != 0;
		fixup_add(site, relative);
		site += relative ? 4 : 8;
	}
}

static void *array_put(const void *array, __sz len)
{
	__u8 *at = d.f->bytes + d.f->len;

	if (len > FIXTURE_LEN - d.f->len)
		abort();
	memcpy(at, array, len);
	d.f->len += len;
	return at;
}

static void table_make(void)
{
	struct pieces_header h = { .version = PIECES_VERSION,
				   .lib_cnt = d.lib_cnt,
				   .seg_cnt = d.seg_cnt,
				   .unit_cnt = d.unit_cnt,
				   .fixup_cnt = d.fixup_cnt };
	struct pieces_lib lib[LIBS_MAX] = { 0 };
	struct elf_phdr *ph = fixture_phdr(d.f, PT_PIECES, 0, 0, 0, 0);
	__sz start = d.f->len;
	unsigned int i;

	for (i = 0; i < d.lib_cnt; i++)
		(void)snprintf(lib[i].name, sizeof(lib[i].name), "lib%u", i);
	ph->offset = start - sizeof(*d.f->head);
	d.f->pieces = array_put(&h, sizeof(h));
	d.f->lib = array_put(lib, d.lib_cnt * sizeof(*lib));
	d.f->seg_lib = array_put(d.seg, d.seg_cnt * sizeof(*d.seg));
	d.f->unit = array_put(d.unit, d.unit_cnt * sizeof(*d.unit));
	d.f->fixup = array_put(d.fixup, d.fixup_cnt * sizeof(*d.fixup));
	ph->filesz = d.f->len - start;
}

void fixture_pieces(struct fixture_image *f, __u64 *seed)
{
	unsigned int i, libs;

	memset(&d, 0, sizeof(d));
	d.f = f;
	d.seed = seed;
	fixture_begin(f);
	f->elf->entry = FIXTURE_BASE;
	for (libs = 1 + roll(LIBS_MAX); d.lib_cnt < libs; d.lib_cnt++) {
		text_make();
		rodata_make();
		data_make();
	}
	for (i = 0; i < d.unit_cnt; i++)
		unit_fill(&d.unit[i]);
	table_make();
	fixture_seal(f);
}
