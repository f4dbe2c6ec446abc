/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of the rules of an image (I1 to I4): each one broken alone, and
 * the sentence that says so
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

#include "fixture_image.h"
#include "image.h"

#define UNIT_TEST(fn) cmocka_unit_test_setup(fn, setup)

/* Lengths that are tried: each one is a digest of the file */
#ifdef RND_TEST_SLOW
#define LEN_STEP 97U
#else
#define LEN_STEP 1U
#endif

static struct fixture_image f;
static struct image img;
static struct image_error err;

static int setup(void **state)
{
	(void)state;
	fixture_whole(&f);
	memset(&err, 0, sizeof(err));
	return 0;
}

/* Opens a copy that ends where it ends: more cannot be read unnoticed */
static int open_len(__sz len)
{
	__u8 *copy = malloc(len ? len : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, f.bytes, len);
	rc = image_open(copy, len, &img, &err);
	free(copy);
	return rc;
}

static void refused_as_it_is(const char *what, __u64 value)
{
	assert_int_equal(open_len(f.len), -EINVAL);
	assert_string_equal(err.what, what);
	assert_int_equal(err.value, value);
}

static void refused(const char *what, __u64 value)
{
	fixture_seal(&f);
	refused_as_it_is(what, value);
}

static void accepted(void)
{
	fixture_seal(&f);
	if (open_len(f.len))
		fail_msg("%s (0x%lx)", err.what, err.value);
}

static void valid_image_is_opened(void **state)
{
	(void)state;
	accepted();
	assert_int_equal(img.base, FIXTURE_BASE);
	assert_int_equal(img.span, FIXTURE_SPAN);
	assert_int_equal(img.entry, 0x10);
	assert_int_equal(img.seg_cnt, 3);
	assert_int_equal(img.seg[0].offset, 0);
	assert_int_equal(img.seg[2].offset + img.seg[2].len, img.span);
	assert_int_equal(img.seg[2].data_len, FIXTURE_DATA_LEN);
	assert_int_equal(img.rela_cnt, 1);
	assert_int_equal(img.relr_cnt, 1);
	assert_false(img.in_pieces);
}

static void header_is_tested(void **state)
{
	(void)state;
	f.bytes[0] = 'U';
	refused("no image of this kind", 'U');
	setup(NULL);
	f.bytes[7] = 1; /* the terminator counts */
	refused("no image of this kind", 'u');
	setup(NULL);
	f.head->version = 2;
	refused("unknown version", 2);
	setup(NULL);
	f.head->flags = 1;
	refused("unknown version", 1);
	setup(NULL);
	f.head->len++;
	refused_as_it_is("file cut off", f.len);
	f.head->len = __U64_MAX;
	refused_as_it_is("file cut off", f.len);
}

static void digest_is_tested(void **state)
{
	__u8 first = f.head->sha256[0];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(f.head->sha256); i++) {
		f.head->sha256[i] ^= 1;
		refused_as_it_is("wrong SHA-256", first);
		f.head->sha256[i] ^= 1;
	}
	f.bytes[f.len - 1] ^= 0x80;
	assert_int_equal(open_len(f.len), -EINVAL);
	assert_string_equal(err.what, "wrong SHA-256");
}

static void every_beginning_of_a_file_is_refused(void **state)
{
	__sz len;

	(void)state;
	for (len = 0; len < f.len; len += LEN_STEP) {
		assert_int_equal(open_len(len), -EINVAL);
		assert_string_equal(err.what, len < sizeof(*f.head) ?
						      "file too short" :
						      "file cut off");
		assert_int_equal(err.value, len);
	}
}

/* With the right digest: what is cut off is always something that counts */
static void every_beginning_of_an_elf_file_is_refused(void **state)
{
	__sz len = f.len;

	(void)state;
	for (f.len = sizeof(*f.head); f.len < len; f.len += LEN_STEP) {
		fixture_seal(&f);
		assert_int_equal(open_len(f.len), -EINVAL);
	}
	f.len = sizeof(*f.head) + sizeof(*f.elf) - 1;
	refused("file too short", sizeof(*f.elf) - 1);
}

static void what_follows_the_elf_file_is_ignored(void **state)
{
	(void)state;
	assert_int_equal(open_len(f.len + 100), 0);
	assert_int_equal(img.file_len, f.len - sizeof(*f.head));
}

static void elf_header_is_tested(void **state)
{
	(void)state;
	f.elf->ident = 0x00010101464c457fUL; /* 32 bits */
	refused("no ELF file of 64 bits", 0x00010101464c457fUL);
	setup(NULL);
	f.elf->ident |= 3UL << 56; /* the system does not matter */
	accepted();
	f.elf->type = 2;
	refused("no position independent x86-64 image", 2);
	f.elf->type = ELF_ET_DYN;
	f.elf->machine = 183;
	refused("no position independent x86-64 image", ELF_ET_DYN);
}

static void program_headers_are_tested(void **state)
{
	__u64 file_len = f.len - sizeof(*f.head);

	(void)state;
	f.elf->phnum = 0;
	refused("wrong number of program headers", 0);
	f.elf->phnum = IMAGE_SEGS_MAX + 9;
	refused("wrong number of program headers", IMAGE_SEGS_MAX + 9);
	f.elf->phnum = 0xffff;
	refused("wrong number of program headers", 0xffff);
	f.elf->phnum = PH_CNT;
	f.elf->phentsize = 57;
	refused("wrong number of program headers", PH_CNT);
	f.elf->phentsize = sizeof(*f.ph);
	f.elf->phoff = file_len - PH_CNT * sizeof(*f.ph) + 1;
	refused("program headers beyond the file", f.elf->phoff);
	f.elf->phoff = __U64_MAX - 7;
	refused("program headers beyond the file", f.elf->phoff);
	f.elf->phoff = file_len - PH_CNT * sizeof(*f.ph);
	memcpy((__u8 *)f.elf + f.elf->phoff, f.ph, PH_CNT * sizeof(*f.ph));
	accepted();
}

static void image_has_segments(void **state)
{
	(void)state;
	f.ph[PH_TEXT].type = f.ph[PH_RODATA].type = f.ph[PH_DATA].type = 6;
	refused("no segments", 0);
	setup(NULL);
	f.elf->phnum = 1;
	accepted();
}

static void there_are_not_too_many_segments(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 3; i < IMAGE_SEGS_MAX; i++)
		f.ph[i] = (struct elf_phdr){
			.type = ELF_PT_LOAD,
			.flags = ELF_PF_R,
			.vaddr = FIXTURE_BASE + FIXTURE_SPAN + i * 0x1000UL,
			.memsz = 1,
		};
	f.elf->phnum = IMAGE_SEGS_MAX;
	accepted();
	assert_int_equal(img.seg_cnt, IMAGE_SEGS_MAX);
	f.ph[i] = f.ph[i - 1];
	f.ph[i].vaddr += 0x1000;
	f.elf->phnum++;
	refused("too many segments", IMAGE_SEGS_MAX);
}

static void rights_are_tested(void **state)
{
	(void)state;
	f.ph[PH_DATA].flags = ELF_PF_R | ELF_PF_W | ELF_PF_X;
	refused("segment that is writable and executable", FIXTURE_DATA);
	f.ph[PH_DATA].flags = ELF_PF_W;
	refused("segment with unknown rights", ELF_PF_W);
	f.ph[PH_DATA].flags = ELF_PF_R | 8;
	refused("segment with unknown rights", ELF_PF_R | 8);
	f.ph[PH_DATA].flags = 0;
	refused("segment with unknown rights", 0);
}

static void segments_are_whole_pages(void **state)
{
	(void)state;
	f.ph[PH_DATA].vaddr += 0x10;
	refused("segment within a page", FIXTURE_DATA + 0x10);
}

static void lengths_are_tested(void **state)
{
	struct elf_phdr *ph = &f.ph[PH_DATA];

	(void)state;
	ph->memsz = 0;
	refused("segment with a wrong length", 0);
	ph->memsz = ph->filesz - 1;
	refused("segment with a wrong length", ph->memsz);
	ph->memsz = IMAGE_SPAN_MAX + 1;
	refused("segment with a wrong length", ph->memsz);
	ph->memsz = __U64_MAX;
	refused("segment with a wrong length", ph->memsz);
	ph->memsz = IMAGE_SPAN_MAX;
	refused("segment too far from the others", FIXTURE_DATA);
	ph->memsz = IMAGE_SPAN_MAX - (FIXTURE_DATA - FIXTURE_BASE);
	accepted();
	assert_int_equal(img.span, IMAGE_SPAN_MAX);
	ph->memsz++;
	refused("segment too far from the others", FIXTURE_DATA);
}

static void contents_lie_in_the_file(void **state)
{
	struct elf_phdr *ph = &f.ph[PH_DATA];

	(void)state;
	ph->offset = f.len - sizeof(*f.head) - ph->filesz;
	accepted();
	ph->offset++;
	refused("segment beyond the end of the file", ph->offset);
	ph->offset = __U64_MAX - 0xff;
	refused("segment beyond the end of the file", ph->offset);
	/* Where nothing is, nothing is read */
	ph->offset = f.len - sizeof(*f.head);
	ph->filesz = 0;
	accepted();
	ph->offset++;
	refused("segment beyond the end of the file", ph->offset);
}

static void segments_ascend_and_do_not_overlap(void **state)
{
	__u64 last = f.ph[PH_TEXT].vaddr;

	(void)state;
	f.ph[PH_RODATA].vaddr = last;
	refused("segments that overlap", last);
	f.ph[PH_RODATA].vaddr = last - 0x1000;
	refused("segments that overlap", last - 0x1000);
	/* A byte in a page takes it all */
	setup(NULL);
	f.ph[PH_TEXT].memsz = 0x2001;
	refused("segments that overlap", FIXTURE_RODATA);
	/* Addresses that begin again at 0 do not follow */
	setup(NULL);
	f.ph[PH_TEXT].vaddr = 0xfffffffffffff000UL;
	f.ph[PH_RODATA].vaddr = 0;
	refused("segments that overlap", 0);
	setup(NULL);
	f.ph[PH_DATA].vaddr = FIXTURE_BASE + IMAGE_SPAN_MAX;
	refused("segment too far from the others", f.ph[PH_DATA].vaddr);
}

static void first_instruction_is_code_of_the_file(void **state)
{
	static const __u64 wrong[] = { FIXTURE_TEXT - 1,
				       FIXTURE_TEXT + FIXTURE_TEXT_LEN,
				       FIXTURE_TEXT + 0x1000,
				       FIXTURE_RODATA,
				       FIXTURE_DATA,
				       FIXTURE_BASE + FIXTURE_SPAN,
				       0,
				       __U64_MAX };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		f.elf->entry = wrong[i];
		refused("first instruction outside the code", wrong[i]);
	}
	f.elf->entry = FIXTURE_TEXT + FIXTURE_TEXT_LEN - 1;
	accepted();
	f.elf->entry = FIXTURE_TEXT;
	accepted();
}

static void dynamic_section_is_tested(void **state)
{
	struct elf_phdr *ph = &f.ph[PH_DYNAMIC];

	(void)state;
	ph->vaddr = FIXTURE_RODATA + FIXTURE_RODATA_LEN - ph->filesz + 1;
	refused("dynamic section outside the image", ph->vaddr);
	ph->vaddr = FIXTURE_BASE - 0x10;
	refused("dynamic section outside the image", ph->vaddr);
	setup(NULL);
	ph->filesz = __U64_MAX;
	refused("dynamic section outside the image", FIXTURE_RODATA);
	ph->filesz = DYN_NULL * sizeof(*f.dyn);
	refused("dynamic section without an end", DYN_NULL);
	ph->filesz = 0;
	refused("dynamic section without an end", 0);
	setup(NULL);
	f.dyn[DYN_NULL].tag = ELF_DT_REL;
	refused("relocations of another kind", ELF_DT_REL);
	f.dyn[DYN_NULL].tag = ELF_DT_PLTRELSZ;
	refused("relocations of another kind", ELF_DT_PLTRELSZ);
}

/* One of the two tables: address, length, length of an entry */
static void table_is_tested(enum fixture_dyn at, __u64 entry)
{
	struct elf_dyn *addr = &f.dyn[at], *len = addr + 1, *one = addr + 2;
	const __u64 end = FIXTURE_RODATA + FIXTURE_RODATA_LEN;

	len->val = entry + 1;
	refused("relocations of a wrong length", entry + 1);
	len->val = entry;
	one->val = entry + 8;
	refused("relocations of a wrong length", entry);
	one->val = 0;
	refused("relocations of a wrong length", entry);
	one->val = entry;
	addr->val = end - entry + 1;
	refused("relocations outside the image", addr->val);
	addr->val = FIXTURE_BASE - 8;
	refused("relocations outside the image", addr->val);
	/* Memory that the file does not have */
	addr->val = FIXTURE_DATA + FIXTURE_DATA_LEN;
	refused("relocations outside the image", addr->val);
	addr->val = end - entry;
	accepted();
	len->val = __U64_MAX / entry * entry;
	refused("relocations outside the image", addr->val);
	/* A table without entries may be anywhere */
	len->val = 0;
	addr->val = one->val = 1;
	accepted();
}

static void tables_of_relocations_are_tested(void **state)
{
	(void)state;
	table_is_tested(DYN_RELA, sizeof(struct elf_rela));
	setup(NULL);
	table_is_tested(DYN_RELR, sizeof(__u64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(valid_image_is_opened),
		UNIT_TEST(header_is_tested),
		UNIT_TEST(digest_is_tested),
		UNIT_TEST(every_beginning_of_a_file_is_refused),
		UNIT_TEST(every_beginning_of_an_elf_file_is_refused),
		UNIT_TEST(what_follows_the_elf_file_is_ignored),
		UNIT_TEST(elf_header_is_tested),
		UNIT_TEST(program_headers_are_tested),
		UNIT_TEST(image_has_segments),
		UNIT_TEST(there_are_not_too_many_segments),
		UNIT_TEST(rights_are_tested),
		UNIT_TEST(segments_are_whole_pages),
		UNIT_TEST(lengths_are_tested),
		UNIT_TEST(contents_lie_in_the_file),
		UNIT_TEST(segments_ascend_and_do_not_overlap),
		UNIT_TEST(first_instruction_is_code_of_the_file),
		UNIT_TEST(dynamic_section_is_tested),
		UNIT_TEST(tables_of_relocations_are_tested),
	};

	return cmocka_run_group_tests_name("loader_image", tests, NULL, NULL);
}
