/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of fixups and sorted tables: random images in pieces, beside
 * memory that is computed from the file's table and the places alone
 *
 * links: plat/common/loader/image.c plat/common/loader/pieces.c
 *	plat/common/loader/fixup.c plat/common/loader/relocate.c
 *	plat/common/loader/sha256.c tests/unit/fixture_image.c
 *	tests/unit/fixture_pieces.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/essentials.h>

#include "fixture_draw.h"
#include "fixture_image.h"
#include "pieces.h"
#include "relocate.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#ifdef RND_TEST_SLOW
#define ROUNDS 20U
#else
#define ROUNDS 400U
#endif

#define UNITS_MAX 256U
#define SPAN_MAX  0x40000U
#define FILLER	  0xccU
#define WINDOW	  0xffff900000000000UL

/* Libraries are far apart, segments of one are within reach */
#define LIB_PLACES (1UL << 30)
#define SEG_PLACES (1UL << 16)

static struct fixture_image f;
static struct image img;
static struct image_error err;
static struct pieces_unit_state units[UNITS_MAX];
static __u32 order[UNITS_MAX];
static __u64 vaddr[IMAGE_SEGS_MAX];
static __u64 seed;
static __u8 mem[SPAN_MAX], expected[SPAN_MAX];

static int setup(void **state)
{
	(void)state;
	seed = 1;
	fixture_pieces(&f, &seed);
	memset(&err, 0, sizeof(err));
	return 0;
}

static __u64 roll(__u64 bound)
{
	return fixture_uniform(&seed, bound);
}

/* All but the fixups */
static void load(int shuffle)
{
	__u64 lib = 0;
	unsigned int i;

	fixture_seal(&f);
	assert_int_equal(image_open(f.bytes, f.len, &img, &err), 0);
	assert_true(img.span <= SPAN_MAX);
	assert_true(img.pieces.unit_cnt <= UNITS_MAX);
	assert_int_equal(pieces_units_read(&img, units, &err), 0);
	if (shuffle)
		pieces_shuffle(units, img.pieces.unit_cnt, order,
			       fixture_uniform, &seed);
	for (i = 0; i < img.seg_cnt; i++) {
		if (!i || f.seg_lib[i].lib != f.seg_lib[i - 1].lib)
			lib = WINDOW + (roll(LIB_PLACES) << 12);
		vaddr[i] = lib + (roll(SEG_PLACES) << 12);
	}
	pieces_place(&img, units, vaddr);
	memset(mem, 0, sizeof(mem));
	pieces_copy(&img, units, mem);
}

/* A byte of the image as linked */
static __u8 byte_of(__u32 offset)
{
	const struct elf_phdr *ph = f.ph;
	__u64 at = FIXTURE_BASE + offset;

	for (; ph->type == ELF_PT_LOAD; ph++)
		if (at - ph->vaddr < ph->filesz)
			return *fixture_at(&f, at);
	return 0;
}

/* Index of the unit with an offset */
static __u32 unit_with(__u64 offset)
{
	__u32 i;

	for (i = 0; i < f.pieces->unit_cnt; i++)
		if (offset - f.unit[i].start < f.unit[i].len)
			return i;
	fail_msg("no unit has 0x%lx", offset);
	return 0;
}

/* Where an offset as linked is in memory, and where it runs */
static __u64 mem_of(__u32 unit, __u64 offset)
{
	return units[unit].place + offset - f.unit[unit].start;
}

static __u64 runs_at(__u32 unit, __u64 offset)
{
	__u32 seg = f.unit[unit].seg;

	return vaddr[seg] + mem_of(unit, offset) -
	       (f.ph[seg].vaddr - FIXTURE_BASE);
}

/* The same memory without fixups: as linked, then what moves */
static void expect_contents(void)
{
	__u32 i, k, len;

	memset(expected, 0, sizeof(expected));
	for (i = 0; i < img.span; i++)
		expected[i] = byte_of(i);
	for (i = 0; i < f.pieces->unit_cnt; i++) {
		len = f.unit[i].len;
		if (!(units[i].flags & PIECES_UNIT_DRAWN))
			continue;
		for (k = 0; k < ALIGN_UP(len, PIECES_ALIGN); k++)
			expected[units[i].place + k] =
				k < len ? byte_of(f.unit[i].start + k) : FILLER;
	}
}

/* Where the address led to before, it leads to now */
static void expect_fixup(const struct pieces_fixup *fixup)
{
	int relative = (fixup->target & PIECES_FIXUP_RELATIVE) != 0;
	__u32 target = fixup->target & ~PIECES_FIXUP_RELATIVE;
	__u32 here = unit_with(fixup->site);
	__u8 *at = expected + mem_of(here, fixup->site);
	__u64 val = 0, offset;
	__s32 short_val;

	if (relative) {
		memcpy(&short_val, at, sizeof(short_val));
		offset = (__u64)short_val + fixup->site + 4;
		val = runs_at(target, offset) - runs_at(here, fixup->site) - 4;
	} else {
		memcpy(&val, at, sizeof(val));
		offset = val - FIXTURE_BASE;
		val = runs_at(target, offset);
	}
	assert_int_equal(unit_with(offset), target);
	memcpy(at, &val, relative ? 4 : 8);
}

static int entries_compare(const void *a, const void *b)
{
	__u64 x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	if (x[0] == y[0])
		return (x[1] > y[1]) - (x[1] < y[1]);
	return x[0] > y[0] ? 1 : -1;
}

/* Sorted by the first word; entries that agree in it may be in any order */
static void expect_table(__u32 unit)
{
	__u8 *table = mem + units[unit].place;
	__u64 cnt = f.unit[unit].len / 16, i, word, last = 0;

	for (i = 0; i < cnt; i++) {
		memcpy(&word, table + i * 16, sizeof(word));
		assert_true(word >= last);
		last = word;
	}
	qsort(table, cnt, 16, entries_compare);
	qsort(expected + units[unit].place, cnt, 16, entries_compare);
}

static void addresses_lead_where_they_led(void **state)
{
	unsigned int round;
	__u32 i;

	for (round = 0; round < ROUNDS; round++) {
		setup(state);
		seed = round;
		fixture_pieces(&f, &seed);
		load(round % 4 != 0);
		expect_contents();
		assert_memory_equal(mem, expected, sizeof(mem));
		if (pieces_relocate(&img, units, mem, &err))
			fail_msg("%s (0x%lx)", err.what, err.value);
		for (i = 0; i < f.pieces->fixup_cnt; i++)
			expect_fixup(&f.fixup[i]);
		for (i = 0; i < f.pieces->unit_cnt; i++)
			if (f.unit[i].flags & PIECES_UNIT_SORT)
				expect_table(i);
		assert_memory_equal(mem, expected, sizeof(mem));
	}
}

static void address_of_an_offset_is_that_of_its_unit(void **state)
{
	__u32 i, last = 0;

	(void)state;
	load(1);
	for (i = 0; i < f.pieces->unit_cnt; i++) {
		last = f.unit[i].start + f.unit[i].len - 1;
		assert_int_equal(pieces_vaddr(&img, units, f.unit[i].start),
				 runs_at(i, f.unit[i].start));
		assert_int_equal(pieces_vaddr(&img, units, last),
				 runs_at(i, last));
	}
	assert_int_equal(pieces_vaddr(&img, units, last + 1UL), 0);
	assert_int_equal(pieces_vaddr(&img, units, __U64_MAX), 0);
}

static void refused(const char *what, __u64 value)
{
	load(0);
	assert_int_equal(pieces_relocate(&img, units, mem, &err), -EINVAL);
	assert_string_equal(err.what, what);
	assert_int_equal(err.value, value);
}

static void fixups_are_sorted_and_apart(void **state)
{
	(void)state;
	f.fixup[1].site = f.fixup[0].site;
	refused("fixups that are not sorted", f.fixup[1].site);
	f.fixup[1].site = f.fixup[0].site + 3;
	refused("fixups that are not sorted", f.fixup[1].site);
	f.fixup[1].site = 0;
	refused("fixups that are not sorted", 0);
}

static void fixups_have_a_target(void **state)
{
	(void)state;
	f.fixup[0].target = f.pieces->unit_cnt;
	refused("fixup with a wrong target", f.pieces->unit_cnt);
	f.fixup[0].target = __U32_MAX;
	refused("fixup with a wrong target", __U32_MAX >> 1);
}

static void fixups_lie_in_a_unit(void **state)
{
	struct pieces_fixup *last = &f.fixup[f.pieces->fixup_cnt - 1];
	const struct pieces_unit *unit = &f.unit[f.pieces->unit_cnt - 1];

	(void)state;
	last->target = 0;
	last->site = unit->start + unit->len - 7;
	refused("fixup outside a unit", last->site);
	last->site = __U32_MAX;
	refused("fixup outside a unit", last->site);
	/* Between two units, and across their border */
	f.pieces->fixup_cnt = 1;
	f.fixup[0].target = 0;
	f.fixup[0].site = f.unit[0].start + f.unit[0].len - 4;
	refused("fixup outside a unit", f.fixup[0].site);
	f.unit[0].start += 16;
	f.elf->entry += 16;
	f.unit[0].len -= 16;
	f.fixup[0].site = 8;
	refused("fixup outside a unit", 8);
}

static void relative_fixups_stay_in_their_library(void **state)
{
	__u32 other;

	(void)state;
	while (f.pieces->lib_cnt < 2)
		fixture_pieces(&f, &seed);
	other = f.pieces->unit_cnt - 1;
	f.fixup[0].target = other | PIECES_FIXUP_RELATIVE;
	refused("relative fixup between libraries", f.fixup[0].site);
}

static void relative_fixups_reach_their_target(void **state)
{
	const __s32 far = 0x7fffffff;
	__u32 i;

	(void)state;
	for (i = 0; f.unit[i].seg != 1;)
		i++;
	f.fixup[0].target = i | PIECES_FIXUP_RELATIVE;
	f.pieces->fixup_cnt = 1;
	memcpy(fixture_at(&f, FIXTURE_BASE + f.fixup[0].site), &far,
	       sizeof(far));
	load(0);
	vaddr[1] = vaddr[0] + 0x10000000;
	pieces_place(&img, units, vaddr);
	assert_int_equal(pieces_relocate(&img, units, mem, &err), -EINVAL);
	assert_string_equal(err.what, "fixup that does not reach its target");
	assert_int_equal(err.value, f.fixup[0].site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(addresses_lead_where_they_led),
		UNIT_TEST(address_of_an_offset_is_that_of_its_unit),
		UNIT_TEST(fixups_are_sorted_and_apart),
		UNIT_TEST(fixups_have_a_target),
		UNIT_TEST(fixups_lie_in_a_unit),
		UNIT_TEST(relative_fixups_stay_in_their_library),
		UNIT_TEST(relative_fixups_reach_their_target),
	};

	return cmocka_run_group_tests_name("loader_fixup", tests, NULL, NULL);
}
