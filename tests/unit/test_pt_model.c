/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random operations on page tables, beside a list of pages
 *
 * links: plat/common/pt.c plat/common/pt_block.c plat/common/pt_entry.c
 *        plat/common/pt_walk.c plat/common/pt_demand.c plat/common/pt_map.c
 *        plat/common/pt_unmap.c
 *        plat/common/pt_move.c
 *        plat/common/pt_attr.c plat/common/pt_collect.c plat/common/pt_laden.c
 *        plat/common/pt_lazy.c plat/common/pt_leave.c
 *        plat/common/pt_split.c plat/common/pt_pool.c
 *        plat/common/pt_pool_grow.c
 *        plat/common/pt_reclaim.c plat/common/tlbq.c plat/common/rng.c
 *        plat/common/chacha.c plat/common/vector.c
 *        tests/unit/fixture_pt.c
 *        tests/unit/fixture_pt_ops.c tests/unit/fixture_pt_check.c
 *        tests/unit/fake_ram.c tests/unit/fake_tlb.c tests/unit/fake_assert.c
 *        plat/common/loader/tables.c plat/common/memregion.c
 *        tests/unit/fixture_pt_load.c
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <uk/plat/bootstrap.h>

#include "fixture_pt.h"

#define UNIT_TEST(fn) cmocka_unit_test_teardown(fn, pt_teardown)

/* Pages [0, PAGES) of an area that begins within a large page */
#define PAGES 2200UL
#define BASE  (PT_LOWER + 300 * PAGE_SIZE)

#ifdef RND_TEST_SLOW
#define STEPS 2500U
#else
#define STEPS 20000U
#endif
#define CHECK_EVERY 100U

enum state {
	EMPTY,
	MAPPED,
	/* Without a frame until it is touched */
	DEMAND,
	LAZY
};

/** What is known about a page */
struct page {
	enum state state;
	__paddr_t paddr;
	unsigned long attr;
	/** Generation that a lazy page waits for at least */
	__u64 need;
};

static struct page pages[PAGES];
static unsigned long maps, exists, splits, moves, stays, touches, along;
static __u64 seed = 0xda942042e4dd58b5UL;

static __u32 roll(__u32 bound)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (__u32)((seed >> 32) * bound >> 32);
}

static __vaddr_t address(unsigned long n)
{
	return BASE + n * PAGE_SIZE;
}

static unsigned long random_attr(void)
{
	static const unsigned long attrs[] = {
		PAGE_ATTR_PROT_NONE,
		PAGE_ATTR_PROT_READ,
		PAGE_ATTR_PROT_RW,
		PAGE_ATTR_PROT_EXEC,
		PAGE_ATTR_PROT_RW | PAGE_ATTR_DEVICE,
		PAGE_ATTR_PROT_RW,
	};

	return attrs[roll(ARRAY_SIZE(attrs))];
}

/* A range, short or long */
static unsigned long random_range(unsigned long *cnt)
{
	unsigned long first = roll(PAGES);

	*cnt = 1 + roll(roll(2) ? 40 : PAGES);
	*cnt = MIN(*cnt, PAGES - first);
	return first;
}

static unsigned long count(unsigned long first, unsigned long cnt,
			   enum state state)
{
	unsigned long n = 0;

	while (cnt--)
		n += pages[first + cnt].state == state;
	return n;
}

/* Pages that are in the way of others */
static unsigned long mapped(unsigned long first, unsigned long cnt)
{
	return count(first, cnt, MAPPED) + count(first, cnt, DEMAND);
}

/* What is in the tables is what is known; lazy pages may have gone after their
 * generation
 */
static void compare(unsigned long first, unsigned long cnt)
{
	struct page *p;
	__u64 entry;

	for (; cnt--; first++) {
		p = &pages[first];
		entry = pt_entry(address(first));
		if (p->state == LAZY && !entry) {
			assert_true(p->need <= fake_tlb.passed);
			p->state = EMPTY;
		}
		if (p->state == EMPTY) {
			assert_int_equal(entry, 0);
			continue;
		}
		if (p->state == DEMAND) {
			assert_int_equal(entry & (X86_PTE_DEMAND |
						  X86_PTE_PADDR_MASK |
						  X86_PTE_PRESENT),
					 X86_PTE_DEMAND);
			assert_int_equal(!!(entry & X86_PTE_RW),
					 !!(p->attr & PAGE_ATTR_PROT_WRITE));
			continue;
		}
		assert_int_equal(pt_frame(address(first)), p->paddr);
		assert_true(ram_frame(p->paddr)->used);
		assert_int_equal(entry & X86_PTE_OURS, p->state == LAZY ?
							       X86_PTE_LAZY :
							       X86_PTE_OWNED);
		assert_int_equal(
			ukplat_page_translate(machine.pt, address(first)),
			p->state == MAPPED && p->attr & 7 ? p->paddr :
							    __PADDR_INV);
		if (p->state == MAPPED)
			assert_int_equal(!!(entry & X86_PTE_RW),
					 !!(p->attr & PAGE_ATTR_PROT_WRITE));
	}
}

static void step_map(void)
{
	unsigned long cnt, first = random_range(&cnt), attr = random_attr();
	unsigned long taken = mapped(first, cnt), i;
	static const unsigned long kinds[] = {
		0, PAGE_FLAG_LARGE, PAGE_FLAG_LARGE, PAGE_FLAG_DEMAND,
		PAGE_FLAG_DEMAND | PAGE_FLAG_TOUCH
	};
	unsigned long flags = kinds[roll(ARRAY_SIZE(kinds))];
	int rc;

	rc = pt_map(address(first), cnt, attr, flags);
	assert_int_equal(rc, taken ? -EEXIST : 0);
	maps += !rc;
	exists += !!rc;
	for (i = first; !rc && i < first + cnt; i++) {
		pages[i] = (struct page){ .state = MAPPED, .attr = attr };
		if (flags & PAGE_FLAG_DEMAND &&
		    (i > first || !(flags & PAGE_FLAG_TOUCH)))
			pages[i].state = DEMAND;
		else
			pages[i].paddr = pt_frame(address(i));
	}
	compare(first, cnt);
}

/* What came along is what follows, and like it; returns how far it came */
static unsigned long touch(unsigned long n)
{
	unsigned long access = roll(2) ? UKPLAT_PF_WRITE : 0, cnt, i;
	struct page *p = &pages[n];
	int may = p->state == DEMAND &&
		  p->attr & (access ? PAGE_ATTR_PROT_WRITE : 7);

	cnt = pt_touch(address(n) + roll(PAGE_SIZE), access);
	assert_int_equal(!!cnt, !!may);
	touches += !!cnt;
	along += cnt > 1;
	for (i = 0; i < cnt; i++) {
		assert_int_equal(p[i].state, DEMAND);
		p[i].state = MAPPED;
		p[i].paddr = pt_frame(address(n + i));
	}
	compare(n, MIN(PT_TOUCH_MAX, PAGES - n));
	return MAX(cnt, 1UL);
}

/* Here and there, or one after the other */
static void step_touch(void)
{
	unsigned long n = roll(PAGES), times = 1 + roll(8);

	for (; times && n < PAGES; times--)
		n += touch(n);
}

/* Uses a page, as its owner would */
static void page_write(const struct page *p)
{
	if (p->state == MAPPED && p->attr & PAGE_ATTR_PROT_WRITE)
		ram_words(p->paddr)[roll(512)] = seed;
}

/* Tells whether a range that ends or begins here has a part of a large page */
static int is_inside(unsigned long first)
{
	return pt_entry(address(first)) & X86_PTE_OWNED &&
	       pt_is_large(address(first)) && address(first) % PAGE_LARGE_SIZE;
}

static void step_unmap(void)
{
	static const unsigned long kinds[] = { 0, PAGE_FLAG_LAZY,
					       PAGE_FLAG_LAZY,
					       PAGE_FLAG_KEEP_FRAMES };
	unsigned long flags = kinds[roll(ARRAY_SIZE(kinds))];
	unsigned long cnt, first = random_range(&cnt), i;
	__u64 need = ukplat_tlb_gen + 1;

	/* They sleep, wake up after the first look, or are awake */
	machine.alone = roll(3) ? roll(2) : RAM_NEVER;
	if (machine.alone == RAM_NEVER && cnt > 32)
		need = 0;
	for (i = first; i < first + cnt; i++)
		page_write(&pages[i]);
	splits += is_inside(first) || is_inside(first + cnt);
	assert_int_equal(pt_unmap(address(first), cnt, flags), 0);
	machine.alone = 0;
	for (i = first; i < first + cnt; i++) {
		if (pages[i].state == DEMAND)
			pages[i].state = EMPTY;
		if (pages[i].state != MAPPED)
			continue;
		pages[i].state = flags == PAGE_FLAG_LAZY ? LAZY : EMPTY;
		pages[i].need = need;
		if (flags == PAGE_FLAG_KEEP_FRAMES)
			uk_ffree(&ram_falloc, pages[i].paddr, 1);
	}
	compare(first, cnt);
}

static void step_attr(void)
{
	unsigned long cnt, first = random_range(&cnt), attr = random_attr(), i;
	int rc, all = mapped(first, cnt) == cnt;

	machine.just_flushed = 0;
	rc = ukplat_page_set_attr(machine.pt, address(first), cnt, attr, 0);
	assert_int_equal(rc, all ? 0 : -EFAULT);
	for (i = first; !rc && i < first + cnt; i++)
		pages[i].attr = attr;
	compare(first, cnt);
}

static int all_are_small(unsigned long first, unsigned long cnt)
{
	for (; cnt--; first++)
		if (pages[first].state != DEMAND &&
		    (pages[first].state != MAPPED ||
		     pt_is_large(address(first))))
			return 0;
	return 1;
}

/* What a move must return */
static int move_expected(unsigned long from, unsigned long to,
			 unsigned long cnt)
{
	if (from < to + cnt && to < from + cnt)
		return -EINVAL;
	if (mapped(to, cnt))
		return -EEXIST;
	return all_are_small(from, cnt) ? 0 : -EFAULT;
}

static void step_move(void)
{
	unsigned long cnt, from = random_range(&cnt), attr = random_attr(), i;
	unsigned long to = roll((__u32)(PAGES - cnt + 1));
	int rc, expected = move_expected(from, to, cnt);

	rc = ukplat_page_move(machine.pt, address(from), address(to), cnt,
			      attr);
	assert_int_equal(rc, expected);
	moves += !rc;
	stays += rc == -EFAULT;
	for (i = 0; !rc && i < cnt; i++) {
		pages[to + i] = pages[from + i];
		pages[to + i].attr = attr;
		pages[from + i].state = EMPTY;
	}
	compare(from, cnt);
	compare(to, cnt);
}

static void step(void)
{
	__u64 behind = ukplat_tlb_gen - fake_tlb.passed;

	switch (roll(16)) {
	case 0:
	case 1:
	case 2:
	case 3:
		step_map();
		break;
	case 4:
	case 5:
		step_attr();
		break;
	case 6:
		fake_tlb_pass(fake_tlb.passed + roll((__u32)behind + 1));
		break;
	case 7:
		pt_cpu_set(roll(PT_CPUS));
		if (roll(20))
			break;
		(void)ukplat_page_reclaim(machine.pt);
		compare(0, PAGES);
		assert_int_equal(count(0, PAGES, LAZY), 0);
		break;
	case 8:
	case 9:
		step_move();
		break;
	case 10:
	case 11:
		step_touch();
		break;
	default:
		step_unmap();
	}
}

static void tables_do_what_a_list_does(void **state)
{
	unsigned int i;

	(void)state;
	print_message("seed 0x%lx\n", seed);
	for (i = 1; i <= STEPS; i++) {
		step();
		if (i % CHECK_EVERY)
			continue;
		compare(0, PAGES);
		pt_check();
	}
	print_message("%lu mapped, %lu taken, %lu split, %lu moved, %lu not, "
		      "%lu touched, %lu with others, %lu cut off, "
		      "%lu generations\n",
		      maps, exists, splits, moves, stays, touches, along,
		      machine.cuts, ukplat_tlb_gen);
	assert_int_equal(pt_unmap(BASE, PAGES, PAGE_FLAG_LAZY), 0);
	/* No path was hardly ever taken */
	assert_true(maps > STEPS / 20 && exists > STEPS / 20);
	assert_true(splits > STEPS / 1000);
	assert_true(moves > STEPS / 1000 && stays > STEPS / 1000);
	assert_true(touches > STEPS / 300 && along > STEPS / 1000);
	assert_true(machine.cuts > STEPS / 300);
}

int main(int argc __unused, char *argv[] __unused)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(tables_do_what_a_list_does),
	};

	return cmocka_run_group_tests_name("pt_model", tests, pt_boot, NULL);
}
