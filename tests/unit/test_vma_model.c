/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Model test of lib/ukvmem: random operations and faults against two bytes per
 * page, besides a few areas at random places
 *
 * links: lib/ukvmem/vas.c lib/ukvmem/vma_pool.c lib/ukvmem/vma_tree.c
 *        lib/ukvmem/vma_hole.c lib/ukvmem/vma_place.c lib/ukvmem/vma_split.c
 *        lib/ukvmem/vma_range.c lib/ukvmem/vma_page.c lib/ukvmem/vma_map.c
 *        lib/ukvmem/vma_replace.c lib/ukvmem/vma_unmap.c
 *        lib/ukvmem/vma_attr.c lib/ukvmem/vma_advise.c
 *        lib/ukvmem/vma_fault.c lib/ukvmem/pagefault.c
 *        lib/ukvmem/vma_rsvd.c lib/ukvmem/vma_anon.c
 *        lib/ukvmem/vma_stack.c lib/ukvmem/vma_dma.c lib/ukvmem/vma_file.c
 *        tests/unit/fake_paging.c tests/unit/fake_assert.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <uk/plat/bootstrap.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "fake_paging.h"
#include "vma_pool.h"
#include "vma_tree.h"

#define PAGES  96U
#define FRAMES 160U
#ifdef RND_TEST_SLOW
#define STEPS 3000U
#else
#define STEPS 40000U
#endif

/* What a page of the window is in the model */
enum model_page {
	PAGE_HOLE,
	PAGE_RESERVED,
	PAGE_RO,
	PAGE_RW,
	PAGE_NONE /* anonymous, no access */
};

static const __vaddr_t base = UK_VAS_START + 0x4000000UL;
static enum model_page model[PAGES];
/* Pages that have a frame */
static __bool there[PAGES];
static __u64 seed = 1, rng;
static struct uk_vas vas;

/* Areas outside of the window */
#define ANY_AREAS 6U
#define ANY_PAGES 4U
static __vaddr_t any[ANY_AREAS];
static __sz any_len[ANY_AREAS];

static unsigned int draw(unsigned int bound)
{
	rng = rng * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned int)((rng >> 33) % bound);
}

static unsigned long attr_of(enum model_page page)
{
	switch (page) {
	case PAGE_RO:
		return PAGE_ATTR_PROT_READ;
	case PAGE_RW:
		return PAGE_ATTR_PROT_RW;
	default:
		return PAGE_ATTR_PROT_NONE;
	}
}

static __bool range_has(unsigned int page, unsigned int len,
			enum model_page what)
{
	unsigned int i;

	for (i = page; i < page + len; i++)
		if (model[i] == what)
			return 1;
	return 0;
}

static void range_set(unsigned int page, unsigned int len, enum model_page what,
		      __bool populated)
{
	unsigned int i;

	for (i = page; i < page + len; i++) {
		model[i] = what;
		there[i] = populated && what > PAGE_RESERVED;
	}
}

/* The space, its page table and its counters say what the model says */
static void compare(void)
{
	__sz mapped = 0, len = 0;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		const struct uk_vma *vma;

		vma = uk_vma_find(&vas, base + i * PAGE_SIZE);
		if (model[i] == PAGE_HOLE) {
			assert_null(vma);
		} else {
			assert_non_null(vma);
			assert_int_equal(vma->attr, attr_of(model[i]));
			assert_false(vma->busy);
			len += PAGE_SIZE;
		}
		if (!there[i]) {
			assert_int_equal(fake_attr(base + i * PAGE_SIZE), -1);
			continue;
		}
		assert_int_equal(fake_attr(base + i * PAGE_SIZE),
				 attr_of(model[i]));
		mapped++;
	}
	for (i = 0; i < ANY_AREAS; i++)
		len += any_len[i];
	assert_int_equal(fake_mapped(), mapped);
	assert_int_equal(vas.mapped_len, len);
	assert_int_equal(vas.closing, 0);
	assert_int_equal(fake.frames_total - fake.frames_free,
			 mapped + vas.pool.total / VMA_PER_PAGE);
	assert_true(vma_tree_is_valid(vas.root));
	assert_true(vma_pool_is_valid(&vas.pool));
	assert_int_equal(vas.pool.total - vas.pool.free, vas.vma_count);
}

static void step_map(unsigned int page, unsigned int len)
{
	enum model_page what = PAGE_RESERVED + draw(4);
	unsigned long flags = draw(3) ? 0 : UK_VMA_MAP_REPLACE;
	__vaddr_t vaddr = base + page * PAGE_SIZE;
	__bool is_free = !range_has(page, len, PAGE_RESERVED) &&
			 !range_has(page, len, PAGE_RO) &&
			 !range_has(page, len, PAGE_RW) &&
			 !range_has(page, len, PAGE_NONE);
	struct uk_vma_info info;
	int rc;

	flags |= draw(2) ? UK_VMA_MAP_POPULATE : 0;
	if (what == PAGE_RESERVED && !flags)
		rc = uk_vma_reserve_at(&vas, vaddr, len * PAGE_SIZE, NULL);
	else if (what == PAGE_RESERVED)
		rc = uk_vma_reserve_ex(&vas, &vaddr, len * PAGE_SIZE,
				       PAGE_ATTR_PROT_NONE, flags, NULL);
	else
		rc = uk_vma_map_anon(&vas, &vaddr, len * PAGE_SIZE,
				     attr_of(what), flags, NULL);
	if (!is_free && !(flags & UK_VMA_MAP_REPLACE)) {
		assert_int_equal(rc, -EEXIST);
		return;
	}
	if (!rc) {
		range_set(page, len, what, flags & UK_VMA_MAP_POPULATE);
		return;
	}
	assert_int_equal(rc, -ENOMEM);
	/* Gone if there was memory to replace, but not to populate */
	if (uk_vma_query(&vas, vaddr, &info) ||
	    info.start >= vaddr + len * PAGE_SIZE)
		range_set(page, len, PAGE_HOLE, 0);
}

/* The pages on both sides belong to nobody when the area comes */
static void step_any(unsigned int i)
{
	struct uk_vma_info info;
	__vaddr_t vaddr = __VADDR_ANY;
	int rc;

	if (any_len[i]) {
		rc = uk_vma_unmap(&vas, any[i], any_len[i], 0);
		assert_int_equal(rc, 0);
		any_len[i] = 0;
		return;
	}
	rc = uk_vma_map_anon(&vas, &vaddr, ANY_PAGES * PAGE_SIZE,
			     PAGE_ATTR_PROT_RW, 0, NULL);
	if (rc) {
		assert_int_equal(rc, -ENOMEM);
		return;
	}
	any[i] = vaddr;
	any_len[i] = ANY_PAGES * PAGE_SIZE;
	if (!CONFIG_LIBUKVMEM_GAP_PAGES_MAX)
		return;
	assert_int_equal(uk_vma_query(&vas, vaddr - PAGE_SIZE, &info), 0);
	assert_int_equal(info.start, vaddr);
	if (!uk_vma_query(&vas, info.end, &info))
		assert_true(info.start > vaddr + any_len[i]);
}

static void step_touch(unsigned int page)
{
	__bool is_write = draw(2);
	enum model_page what = model[page];
	int rc;

	rc = fake_pagefault(base + page * PAGE_SIZE + draw(PAGE_SIZE),
			    (is_write ? UKPLAT_PF_WRITE : 0) |
				    (there[page] && what != PAGE_NONE ?
					     UKPLAT_PF_PROTECTION :
					     0),
			    NULL);
	if (what <= PAGE_RESERVED)
		assert_int_equal(rc, -EFAULT);
	else if (what == PAGE_NONE || (is_write && what == PAGE_RO))
		assert_int_equal(rc, -EACCES);
	else if (rc)
		assert_int_equal(rc, -ENOMEM);
	else
		there[page] = 1;
}

static void step_advise(unsigned int page, unsigned int len)
{
	__bool is_needed = draw(2);
	unsigned int i;
	int rc;

	rc = uk_vma_advise(
		&vas, base + page * PAGE_SIZE, len * PAGE_SIZE,
		is_needed ? UK_VMA_ADV_WILLNEED : UK_VMA_ADV_DONTNEED, 0);
	if (rc)
		assert_int_equal(rc, is_needed ? -ENOMEM : 0);
	for (i = page; i < page + len; i++) {
		if (model[i] <= PAGE_RESERVED)
			continue;
		if (rc)
			/* Maybe, but what was there stays */
			there[i] |= fake_attr(base + i * PAGE_SIZE) != -1;
		else
			there[i] = is_needed;
	}
}

static void step_unmap(unsigned int page, unsigned int len)
{
	unsigned long flags = draw(4) ? 0 : UK_VMA_FLAG_STRICT_VMA_CHECK;
	int rc;

	rc = uk_vma_unmap(&vas, base + page * PAGE_SIZE, len * PAGE_SIZE,
			  flags);
	if (flags && range_has(page, len, PAGE_HOLE)) {
		assert_int_equal(rc, -ENOENT);
		return;
	}
	if (rc)
		assert_int_equal(rc, -ENOMEM);
	else
		range_set(page, len, PAGE_HOLE, 0);
}

static void step_attr(unsigned int page, unsigned int len)
{
	enum model_page what = PAGE_RO + draw(3);
	unsigned int i;
	int rc;

	rc = uk_vma_set_attr(&vas, base + page * PAGE_SIZE, len * PAGE_SIZE,
			     attr_of(what), 0);
	if (range_has(page, len, PAGE_RESERVED)) {
		assert_int_equal(rc, -EPERM);
		return;
	}
	if (rc) {
		assert_int_equal(rc, -ENOMEM);
		return;
	}
	for (i = page; i < page + len; i++)
		if (model[i] != PAGE_HOLE)
			model[i] = what;
}

static void space_matches_model(void **state)
{
	unsigned int step;

	(void)state;
	rng = seed;
	fake_reset(FRAMES);
	assert_int_equal(uk_vas_init(&vas, &fake_pt, NULL), 0);
	assert_int_equal(uk_vas_set_active(&vas), 0);
	fake.vas = &vas;

	for (step = 0; step < STEPS; step++) {
		unsigned int page = draw(PAGES);
		unsigned int len = 1 + draw(MIN(PAGES - page, 12U));

		fake.fail_after = draw(8) ? FAKE_NEVER : draw(6);
		switch (draw(10)) {
		case 0:
		case 1:
		case 2:
			step_map(page, len);
			break;
		case 3:
			step_attr(page, len);
			break;
		case 4:
		case 5:
			step_touch(page);
			break;
		case 6:
			step_advise(page, len);
			break;
		case 7:
			step_any(draw(ANY_AREAS));
			break;
		default:
			step_unmap(page, MIN(len, 3U));
			break;
		}
		compare();
	}

	uk_vas_destroy(&vas);
	assert_int_equal(fake.frames_free, fake.frames_total);
	assert_int_equal(fake_mapped(), 0);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(space_matches_model),
	};

	if (argc > 1)
		seed = strtoul(argv[1], NULL, 0);
	(void)printf("seed %lu\n", seed);
	return cmocka_run_group_tests_name("vma_model", tests, NULL, NULL);
}
