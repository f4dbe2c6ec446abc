/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of an image in pieces: its rules, and the places of functions
 *
 * links: plat/common/loader/image.c plat/common/loader/pieces.c
 *	plat/common/loader/relocate.c plat/common/loader/sha256.c
 *	tests/unit/fixture_image.c tests/unit/fixture_pieces.c
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

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#ifdef RND_TEST_SLOW
#define ROUNDS 20U
#else
#define ROUNDS 300U
#endif

/* Units of the tests, and of the one of uniformity */
#define UNITS_MAX 256U
#define FEW	  5U
#define ORDERS	  120U /* of five */
#define SHUFFLES  120000U
static struct fixture_image f;
static struct image img;
static struct image_error err;
static struct pieces_unit_state units[UNITS_MAX];
static __u32 order[UNITS_MAX];
static __u64 seed;

static int setup(void **state)
{
	(void)state;
	seed = 1;
	do
		fixture_pieces(&f, &seed);
	while (f.pieces->lib_cnt < 2);
	memset(&err, 0, sizeof(err));
	return 0;
}

/* Opens a copy that ends where it ends, and reads its units */
static int read_units(void)
{
	__u8 *copy = malloc(f.len);
	int rc;

	assert_non_null(copy);
	fixture_seal(&f);
	memcpy(copy, f.bytes, f.len);
	rc = image_open(copy, f.len, &img, &err);
	if (!rc) {
		assert_true(img.in_pieces);
		assert_true(img.pieces.unit_cnt <= UNITS_MAX);
		rc = pieces_units_read(&img, units, &err);
	}
	free(copy);
	return rc;
}

static void refused(const char *what, __u64 value)
{
	assert_int_equal(read_units(), -EINVAL);
	assert_string_equal(err.what, what);
	assert_int_equal(err.value, value);
}

static void accepted(void)
{
	if (read_units())
		fail_msg("%s (0x%lx)", err.what, err.value);
}

static struct elf_phdr *table_phdr(void)
{
	return &f.ph[f.elf->phnum - 1];
}

static void table_lies_in_the_file(void **state)
{
	struct elf_phdr *ph = table_phdr();

	(void)state;
	accepted();
	ph->offset++;
	refused("table of pieces beyond the file", ph->offset);
	ph->offset = __U64_MAX;
	refused("table of pieces beyond the file", ph->offset);
	setup(NULL);
	ph->filesz = sizeof(struct pieces_header) - 1;
	refused("table of pieces beyond the file", ph->offset);
	ph->filesz = __U64_MAX;
	refused("table of pieces beyond the file", ph->offset);
}

static void table_has_all_its_arrays(void **state)
{
	struct elf_phdr *ph = table_phdr();

	(void)state;
	ph->filesz--;
	refused("table of pieces cut off", ph->filesz);
	ph->filesz = sizeof(struct pieces_header);
	refused("table of pieces cut off", ph->filesz);
	setup(NULL);
	f.pieces->fixup_cnt = __U32_MAX;
	refused("table of pieces cut off", ph->filesz);
	setup(NULL);
	f.pieces->unit_cnt = __U32_MAX;
	refused("table of pieces cut off", ph->filesz);
	setup(NULL);
	f.pieces->lib_cnt = __U32_MAX;
	refused("table of pieces cut off", ph->filesz);
}

static void table_is_of_the_kind_that_is_known(void **state)
{
	(void)state;
	f.pieces->version = 2;
	refused("table of pieces of another kind", 2);
	setup(NULL);
	f.pieces->lib_cnt = 0;
	refused("table of pieces of another kind", 1);
	setup(NULL);
	f.pieces->unit_cnt = 0;
	refused("table of pieces of another kind", 1);
	setup(NULL);
	f.pieces->seg_cnt++;
	refused("table of pieces of another kind", 1);
	setup(NULL);
	f.ph[f.elf->phnum] = *table_phdr();
	f.elf->phnum++;
	refused("two tables of pieces", table_phdr()->offset);
}

static void pieces_have_no_other_relocations(void **state)
{
	static struct elf_dyn dyn[4] = {
		{ ELF_DT_RELR, FIXTURE_BASE },
		{ ELF_DT_RELRSZ, sizeof(__u64) },
		{ ELF_DT_RELRENT, sizeof(__u64) },
	};

	(void)state;
	f.ph[f.elf->phnum++] = (struct elf_phdr){ .type = ELF_PT_DYNAMIC,
						  .vaddr = f.ph[1].vaddr,
						  .filesz = sizeof(dyn) };
	memcpy(fixture_at(&f, f.ph[1].vaddr), dyn, sizeof(dyn));
	refused("relocations of two kinds", 1);
}

static void segments_follow_their_libraries(void **state)
{
	unsigned int last = f.pieces->seg_cnt - 1;

	(void)state;
	f.seg_lib[1].lib = f.pieces->lib_cnt;
	refused("segment of a wrong library", f.pieces->lib_cnt);
	f.seg_lib[1].lib = __U32_MAX;
	refused("segment of a wrong library", __U32_MAX);
	setup(NULL);
	f.seg_lib[0].lib = 1;
	refused("segment of a wrong library", 1);
	setup(NULL);
	f.seg_lib[last].lib--;
	f.seg_lib[last - 1].lib = f.seg_lib[last].lib + 1;
	refused("segment of a wrong library", f.seg_lib[last].lib);
	setup(NULL);
	f.seg_lib[last].lib = f.seg_lib[last - 1].lib =
		f.seg_lib[last - 2].lib = f.seg_lib[last - 3].lib;
	refused("library without segments", f.pieces->lib_cnt - 1);
}

static void names_can_be_printed(void **state)
{
	char *name = f.lib[1].name;

	(void)state;
	memset(name, 'a', sizeof(f.lib[1].name));
	refused("library with a wrong name", 1);
	name[sizeof(f.lib[1].name) - 1] = '\0';
	accepted();
	name[3] = '\n';
	refused("library with a wrong name", 1);
	name[3] = (char)0x9b;
	refused("library with a wrong name", 1);
	name[0] = '\0';
	refused("library with a wrong name", 1);
}

static void units_are_sorted_and_apart(void **state)
{
	(void)state;
	f.unit[1].start = f.unit[0].start + f.unit[0].len - 1;
	refused("unit outside its segment", f.unit[1].start);
	setup(NULL);
	f.unit[2].start = 0;
	refused("unit outside its segment", 0);
	setup(NULL);
	f.unit[0].len = 0;
	refused("unit outside its segment", 0);
}

static void units_lie_in_their_segments(void **state)
{
	struct pieces_unit *last = &f.unit[f.pieces->unit_cnt - 1];

	(void)state;
	last->len = __U32_MAX;
	refused("unit outside its segment", last->start);
	setup(NULL);
	/* Up to the end of the last page, there is memory */
	last->len = ALIGN_UP(last->start + last->len, 0x1000U) - last->start;
	accepted();
	last->len++;
	refused("unit outside its segment", last->start);
	last->len = 1;
	last->start = __U32_MAX;
	refused("unit outside its segment", __U32_MAX);
	setup(NULL);
	f.unit[0].seg = 1;
	refused("unit outside its segment", 0);
	f.unit[0].seg = (__u16)f.pieces->seg_cnt;
	refused("unit of another kind", 0);
	f.unit[0].seg = __U16_MAX;
	refused("unit of another kind", 0);
}

static void kinds_of_units_are_known(void **state)
{
	__u32 i;

	(void)state;
	f.unit[0].flags = 4;
	refused("unit of another kind", 0);
	f.unit[0].flags = PIECES_UNIT_DRAWN;
	refused("unit of another kind", 0);
	setup(NULL);
	f.unit[1].start++;
	f.unit[1].len = 1;
	refused("unit that is not aligned", f.unit[1].start);
	setup(NULL);
	for (i = 0; !(f.unit[i].flags & PIECES_UNIT_SORT);)
		i++;
	f.unit[i].len -= 8;
	refused("table of a wrong length", f.unit[i].len);
}

/* Else the loader would jump to nowhere */
static void a_unit_has_the_first_instruction(void **state)
{
	(void)state;
	f.elf->entry = FIXTURE_BASE + f.unit[0].len - 1;
	accepted();
	f.unit[0].len--;
	refused("first instruction outside a unit", f.unit[0].len);
}

/*
 * Places
 */

/* Which units may be anywhere: all but the last one of a row, if it does not
 * fill its multiple of PIECES_ALIGN
 */
static void assert_places(const struct pieces_unit_state *before)
{
	static __u8 used[0x100000];
	const struct pieces_unit_state *u;
	__u32 i, k, end;

	memset(used, 0, sizeof(used));
	for (i = 0; i < img.pieces.unit_cnt; i++) {
		u = &units[i];
		assert_int_equal(u->start, before[i].start);
		assert_int_equal(u->len, before[i].len);
		assert_true(image_seg_has(&img.seg[u->seg], u->place, u->len));
		if (!(u->flags & PIECES_UNIT_DRAWN)) {
			assert_int_equal(u->place, u->start);
			end = u->place + u->len;
		} else {
			assert_true(u->flags & PIECES_UNIT_MOVE);
			assert_int_equal(u->place % PIECES_ALIGN, 0);
			end = u->place + ALIGN_UP(u->len, PIECES_ALIGN);
		}
		assert_true(end <= sizeof(used));
		for (k = u->place; k < end; k++)
			assert_int_equal(used[k]++, 0);
	}
}

static void places_do_not_overlap(void **state)
{
	static struct pieces_unit_state before[UNITS_MAX];
	unsigned int i, k, moved = 0, may = 0;

	for (i = 0; i < ROUNDS; i++) {
		setup(state);
		seed = i;
		fixture_pieces(&f, &seed);
		accepted();
		memcpy(before, units, sizeof(units));
		pieces_shuffle(units, img.pieces.unit_cnt, order,
			       fixture_uniform, &seed);
		assert_places(before);
		for (k = 0; k < img.pieces.unit_cnt; k++) {
			may += (units[k].flags & PIECES_UNIT_MOVE) != 0;
			moved += units[k].place != units[k].start;
		}
	}
	/* A few stay by chance, and some at the end of a row */
	print_message("%u of %u functions moved\n", moved, may);
	assert_true(moved > may / 10 * 8);
}

/* Five functions of one length, of which the number of an order is read */
static unsigned int order_of_places(void)
{
	unsigned int i, k, n = 0, rank;

	for (i = 0; i < FEW; i++) {
		rank = 0;
		for (k = i + 1; k < FEW; k++)
			rank += units[k].place < units[i].place;
		n = n * (FEW - i) + rank;
	}
	return n;
}

static void every_order_is_equally_likely(void **state)
{
	static unsigned int counts[ORDERS];
	double chi2;
	unsigned int i, k;

	(void)state;
	print_message("seed %lu\n", seed);
	for (i = 0; i < SHUFFLES; i++) {
		for (k = 0; k < FEW; k++)
			units[k] = (struct pieces_unit_state){
				.start = k * 32,
				.place = k * 32,
				.len = 32,
				.flags = PIECES_UNIT_MOVE,
			};
		pieces_shuffle(units, FEW, order, fixture_uniform, &seed);
		counts[order_of_places()]++;
	}
	chi2 = fixture_chi2(counts, ORDERS);
	print_message("chi2 %.1f, limit %.1f\n", chi2, CHI2_LIMIT_119);
	assert_true(chi2 < CHI2_LIMIT_119);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(table_lies_in_the_file),
		UNIT_TEST(table_has_all_its_arrays),
		UNIT_TEST(table_is_of_the_kind_that_is_known),
		UNIT_TEST(pieces_have_no_other_relocations),
		UNIT_TEST(segments_follow_their_libraries),
		UNIT_TEST(names_can_be_printed),
		UNIT_TEST(units_are_sorted_and_apart),
		UNIT_TEST(units_lie_in_their_segments),
		UNIT_TEST(kinds_of_units_are_known),
		UNIT_TEST(a_unit_has_the_first_instruction),
		UNIT_TEST(places_do_not_overlap),
		UNIT_TEST(every_order_is_equally_likely),
	};

	return cmocka_run_group_tests_name("loader_pieces", tests, NULL, NULL);
}
