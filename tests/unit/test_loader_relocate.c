/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of relocations of an image in one piece, beside memory that is
 * computed from the list of pointers alone
 *
 * links: plat/common/loader/image.c plat/common/loader/pieces.c
 *	plat/common/loader/relocate.c plat/common/loader/sha256.c
 *	tests/unit/fixture_image.c
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
#include "image.h"
#include "relocate.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

#ifdef RND_TEST_SLOW
#define ROUNDS 20U
#else
#define ROUNDS 500U
#endif

#define WORDS	  (FIXTURE_DATA_LEN / sizeof(__u64))
#define RELR_BITS 63U
#define VADDR	  0xffffa00000123000UL

static struct fixture_image f;
static struct image img;
static struct image_error err;
static __u64 seed;

/* One word more than the image: it is never written */
static __u8 mem[FIXTURE_SPAN + sizeof(__u64)];
static __u8 expected[sizeof(mem)];

static int setup(void **state)
{
	(void)state;
	fixture_whole(&f);
	memset(&err, 0, sizeof(err));
	seed = 1;
	return 0;
}

static __u64 roll(__u64 bound)
{
	return fixture_uniform(&seed, bound);
}

static void *word_at(__u8 *to, __u64 vaddr)
{
	return to + (vaddr - FIXTURE_BASE);
}

static void put(__u8 *to, __u64 vaddr, __u64 val)
{
	memcpy(word_at(to, vaddr), &val, sizeof(val));
}

static int relocate(__u64 vaddr)
{
	fixture_seal(&f);
	assert_int_equal(image_open(f.bytes, f.len, &img, &err), 0);
	memset(mem, 0, sizeof(mem));
	image_copy(&img, mem);
	return image_relocate(&img, mem, vaddr, &err);
}

static void refused(const char *what, __u64 value)
{
	assert_int_equal(relocate(VADDR), -EINVAL);
	assert_string_equal(err.what, what);
	assert_int_equal(err.value, value);
}

static void contents_are_where_they_were_linked(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(relocate(VADDR), 0);
	for (i = 0; i < 3; i++)
		if (i != PH_DATA)
			assert_memory_equal(word_at(mem, f.ph[i].vaddr),
					    (__u8 *)f.elf + f.ph[i].offset,
					    f.ph[i].filesz);
	for (i = FIXTURE_TEXT_LEN; i < FIXTURE_RODATA - FIXTURE_BASE; i++)
		assert_int_equal(mem[i], 0);
}

/* Writes the words of a bitmap of sites as DT_RELR has them */
static unsigned int relr_encode(const __u8 *is_site)
{
	unsigned int n = 0, i = 0, k;
	__u64 bits;

	while (i < WORDS) {
		if (!is_site[i]) {
			i++;
			continue;
		}
		f.relr[n++] = FIXTURE_DATA + i++ * sizeof(__u64);
		for (;; i += RELR_BITS) {
			bits = 0;
			for (k = 0; k < RELR_BITS && i + k < WORDS; k++)
				bits |= (__u64)is_site[i + k] << (k + 1);
			if (!bits)
				break;
			f.relr[n++] = bits | 1;
		}
	}
	return n;
}

/* Any pointers: of each a word knows where it points, and the file says so in
 * one of two ways. Few of them, so that a bitmap is sometimes empty.
 */
static void image_draw(__u64 vaddr, unsigned int many)
{
	__u8 is_site[WORDS] = { 0 };
	unsigned int i, rela = 0;
	__u64 site, to, junk;

	for (i = 0; i < WORDS; i++) {
		site = FIXTURE_DATA + i * sizeof(__u64);
		junk = to = roll(FIXTURE_SPAN + 1);
		if (roll(100) >= many) {
			put(expected, site, junk);
			memcpy(fixture_at(&f, site), &junk, sizeof(junk));
			continue;
		}
		put(expected, site, vaddr + to);
		if (rela < FIXTURE_RELA_MAX && roll(4) == 0) {
			f.rela[rela++] = (struct elf_rela){ site,
							    ELF_R_RELATIVE,
							    FIXTURE_BASE + to };
			continue;
		}
		to += FIXTURE_BASE;
		memcpy(fixture_at(&f, site), &to, sizeof(to));
		is_site[i] = 1;
	}
	f.dyn[DYN_RELASZ].val = rela * sizeof(struct elf_rela);
	f.dyn[DYN_RELRSZ].val = relr_encode(is_site) * sizeof(__u64);
	assert_true(f.dyn[DYN_RELRSZ].val / sizeof(__u64) <= FIXTURE_RELR_MAX);
}

static void pointers_fit_where_the_image_runs(void **state)
{
	unsigned int i, k;
	__u64 vaddr;

	for (i = 0; i < ROUNDS; i++) {
		setup(state);
		seed = i;
		memset(expected, 0, sizeof(expected));
		vaddr = roll(1UL << 52) << 12;
		image_draw(vaddr, 1 + (unsigned int)roll(10));
		for (k = 0; k < 2; k++)
			memcpy(word_at(expected, f.ph[k].vaddr),
			       fixture_at(&f, f.ph[k].vaddr), f.ph[k].filesz);
		/* Beside the data, what is not in the file stays zero */
		assert_int_equal(relocate(vaddr), 0);
		/* Constants have the tables, which were just written */
		memcpy(word_at(expected, FIXTURE_RODATA),
		       fixture_at(&f, FIXTURE_RODATA), FIXTURE_RODATA_LEN);
		assert_memory_equal(mem, expected, sizeof(mem));
	}
}

static void relocations_stay_in_the_image(void **state)
{
	static const __u64 wrong[] = { FIXTURE_BASE - 1,
				       FIXTURE_BASE - 8,
				       FIXTURE_BASE + 0x1000,
				       FIXTURE_DATA - 1,
				       FIXTURE_RODATA - 4,
				       FIXTURE_BASE + FIXTURE_SPAN - 7,
				       FIXTURE_BASE + FIXTURE_SPAN,
				       0,
				       __U64_MAX };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		setup(NULL);
		f.rela[0].offset = wrong[i];
		refused("relocation outside the image", wrong[i]);
		if (wrong[i] & 1)
			continue;
		setup(NULL);
		f.relr[0] = wrong[i];
		refused("relocation outside the image", wrong[i]);
	}
	setup(NULL);
	f.rela[0].offset = FIXTURE_BASE + FIXTURE_SPAN - 8;
	assert_int_equal(relocate(VADDR), 0);
}

static void code_is_not_relocated(void **state)
{
	(void)state;
	f.rela[0].offset = FIXTURE_TEXT + 8;
	refused("relocation in code", FIXTURE_TEXT + 8);
	setup(NULL);
	f.relr[0] = FIXTURE_TEXT;
	refused("relocation in code", FIXTURE_TEXT);
}

static void types_are_known(void **state)
{
	static const __u64 wrong[] = { 0, 1,  6,
				       7, 37, ELF_R_RELATIVE | 1UL << 32 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		f.rela[0].info = wrong[i];
		refused("relocation of an unknown type", wrong[i]);
	}
}

static void pointers_lead_into_the_image(void **state)
{
	static const __u64 wrong[] = { FIXTURE_BASE - 1,
				       FIXTURE_BASE + FIXTURE_SPAN + 1, 0,
				       __U64_MAX };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		setup(NULL);
		f.rela[0].addend = wrong[i];
		refused("address outside the image", wrong[i]);
		setup(NULL);
		memcpy(fixture_at(&f, f.relr[0]), &wrong[i], sizeof(__u64));
		refused("address outside the image", wrong[i]);
	}
	/* The end of the image is an address, too */
	setup(NULL);
	f.rela[0].addend = FIXTURE_BASE + FIXTURE_SPAN;
	assert_int_equal(relocate(VADDR), 0);
}

/* Else a short file asks for work without end */
static void places_of_bitmaps_ascend(void **state)
{
	__u64 first = f.relr[0];

	(void)state;
	f.dyn[DYN_RELRSZ].val = 2 * sizeof(__u64);
	f.relr[1] = first;
	refused("relocations that are not sorted", first);
	f.relr[1] = first + 4;
	refused("relocations that are not sorted", first + 4);
	f.relr[1] = first - 8;
	refused("relocations that are not sorted", first - 8);
	f.relr[1] = 1; /* no place at all */
	assert_int_equal(relocate(VADDR), 0);
}

static void bitmaps_end_with_the_image(void **state)
{
	(void)state;
	f.relr[0] = FIXTURE_BASE + FIXTURE_SPAN - 8;
	f.relr[1] = 3;
	f.dyn[DYN_RELRSZ].val = 2 * sizeof(__u64);
	f.rela[0] =
		(struct elf_rela){ f.relr[0], ELF_R_RELATIVE, FIXTURE_BASE };
	/* At that place is an address already, if it runs where it was linked
	 */
	assert_int_equal(relocate(FIXTURE_BASE), -EINVAL);
	assert_string_equal(err.what, "relocation outside the image");
	assert_int_equal(err.value, FIXTURE_BASE + FIXTURE_SPAN);
	/* A bitmap before any place is relative to nothing */
	setup(NULL);
	f.relr[0] = __U64_MAX;
	refused("relocation outside the image", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(contents_are_where_they_were_linked),
		UNIT_TEST(pointers_fit_where_the_image_runs),
		UNIT_TEST(relocations_stay_in_the_image),
		UNIT_TEST(code_is_not_relocated),
		UNIT_TEST(types_are_known),
		UNIT_TEST(pointers_lead_into_the_image),
		UNIT_TEST(places_of_bitmaps_ascend),
		UNIT_TEST(bitmaps_end_with_the_image),
	};

	return cmocka_run_group_tests_name("loader_relocate", tests, NULL,
					   NULL);
}
