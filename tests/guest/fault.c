/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Page faults: stacks that grow, what a fault costs, and those that end in a
 * report; tests/guest/cases.tsv has the line that must be printed
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/paging.h>
#include <uk/plat/time.h>
#include <uk/vma_types.h>
#include <uk/vmem.h>

#include "test.h"

#define RW PAGE_ATTR_PROT_RW

#define STACK_LEN (64 * PAGE_SIZE)
#define PREMAPPED (4 * PAGE_SIZE)
#define DEPTH	  40UL

/* A frame of more than a page. It looks into the one above, so that a compiler
 * cannot make a loop of it
 */
static __noinline unsigned long dig(unsigned long depth,
				    const volatile unsigned long *above)
{
	volatile unsigned long words[PAGE_SIZE / sizeof(unsigned long)];

	words[0] = depth;
	words[ARRAY_SIZE(words) - 1] = depth;
	if (!depth)
		return 0;
	return dig(depth - 1, words) + (*above == depth + 1);
}

static unsigned long dug;

static __used void dig_here(void)
{
	const volatile unsigned long above = DEPTH + 1;

	dug = dig(DEPTH, &above);
}

/* Calls dig_here() on another stack */
static void run_on_stack(__vaddr_t top)
{
	__asm__ __volatile__("movq %%rsp, %%rbx\n\t"
			     "movq %0, %%rsp\n\t"
			     "call dig_here\n\t"
			     "movq %%rbx, %%rsp"
			     :
			     : "r"(top)
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8",
			       "r9", "r10", "r11", "cc", "memory");
}

static enum test_result stacks_grow_between_guards(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	struct uk_vas *vas = uk_vas_get_active();
	__vaddr_t vaddr = __VADDR_ANY, top, guard;
	__u8 byte;

	EXPECT(!uk_vma_map_stack(vas, &vaddr, STACK_LEN, 0, "stack",
				 PREMAPPED));
	top = uk_vma_stack_top(vas, vaddr);
	EXPECT(ukplat_page_translate(pt, top - PREMAPPED) != __PADDR_INV);
	EXPECT(ukplat_page_translate(pt, vaddr) == __PADDR_INV);
	dug = 0;
	run_on_stack(top);
	EXPECT(dug == DEPTH);
	EXPECT(ukplat_page_translate(pt, top - DEPTH * PAGE_SIZE) !=
	       __PADDR_INV);

	EXPECT(ukplat_probe_write(vaddr, 1) == 0);
	for (guard = vaddr - UK_VMA_STACK_BOTTOM_GUARD_SIZE; guard < vaddr;
	     guard += PAGE_SIZE)
		EXPECT(ukplat_probe_read(guard, &byte) == -EFAULT);
	for (guard = vaddr + STACK_LEN;
	     guard < vaddr + STACK_LEN + UK_VMA_STACK_TOP_GUARD_SIZE;
	     guard += PAGE_SIZE)
		EXPECT(ukplat_probe_read(guard, &byte) == -EFAULT);
	EXPECT(!uk_vma_unmap_stack(vas, vaddr));
	return TEST_PASS;
}

static unsigned long ticks;

static void tick(void *arg __unused)
{
	ticks++;
}

#define TICK_NSEC 1000000UL
#define TICKS	  20UL

static unsigned long ticks_now(void)
{
	return *(volatile unsigned long *)&ticks;
}

/* Waits, for a second at most; 1: there were as many ticks */
static int ticks_wait(unsigned long more)
{
	__nsec start = ukplat_monotonic_clock();
	unsigned long end = ticks_now() + more;

	while (ticks_now() < end &&
	       ukplat_monotonic_clock() - start < 1000000000UL)
		;
	return ticks_now() >= end;
}

/* Counts down with the stack pointer at an address */
static void count_on_stack(__vaddr_t top, unsigned long cnt)
{
	__asm__ __volatile__("movq %%rsp, %%rbx\n\t"
			     "movq %1, %%rsp\n\t"
			     "1: pause\n\t"
			     "decq %0\n\t"
			     "jnz 1b\n\t"
			     "movq %%rbx, %%rsp"
			     : "+r"(cnt)
			     : "r"(top)
			     : "rbx", "cc", "memory");
}

/* The frame of the timer's interrupt is the first touch of a page of the stack:
 * neither this interrupt nor those behind it are lost
 */
static enum test_result interrupts_grow_stacks(void)
{
	struct uk_pagetable *pt = ukplat_pt_get_active();
	struct uk_vas *vas = uk_vas_get_active();
	__vaddr_t vaddr = __VADDR_ANY, top;
	unsigned int round;
	int ticked = 1;

	EXPECT(!uk_vma_map_stack(vas, &vaddr, STACK_LEN, 0, "stack",
				 PREMAPPED));
	top = ALIGN_DOWN(uk_vma_stack_top(vas, vaddr) - PREMAPPED, PAGE_SIZE);
	ticks = 0;
	EXPECT(!ukplat_timer_start(TICK_NSEC, tick, __NULL));
	for (round = 0; round < 8 && ticked; round++, top -= PAGE_SIZE) {
		while (ukplat_page_translate(pt, top - 1) != __PADDR_INV)
			top -= PAGE_SIZE;
		while (ukplat_page_translate(pt, top - 1) == __PADDR_INV)
			count_on_stack(top, 100000);
		ticked = ticks_wait(TICKS);
	}
	ukplat_timer_stop();
	EXPECT(ticked);
	EXPECT(!uk_vma_unmap_stack(vas, vaddr));
	return TEST_PASS;
}

/* A block of a large page that a guard is in comes page by page */
static enum test_result stacks_of_large_pages_keep_their_guards(void)
{
	const __sz len = 2 * PAGE_LARGE_SIZE - UK_VMA_STACK_GUARDS_SIZE;
	struct uk_vas *vas = uk_vas_get_active();
	__vaddr_t vaddr = __VADDR_ANY;

	EXPECT(!uk_vma_map_stack(vas, &vaddr, len, UK_VMA_MAP_SIZE_2MB,
				 "large stack", 0));
	EXPECT(!ukplat_probe_write(vaddr + 5 * PAGE_SIZE, 1));
	EXPECT(ukplat_probe_write(vaddr - 1, 1) == -EFAULT);
	EXPECT(!ukplat_probe_write(vaddr + len - 1, 1));
	EXPECT(ukplat_probe_write(vaddr + len, 1) == -EFAULT);
	EXPECT(!uk_vma_unmap_stack(vas, vaddr));
	return TEST_PASS;
}

static unsigned long reads;

static __ssz read_later(void *arg, __off off __unused, void *page __unused,
			__sz len __unused)
{
	reads++;
	return *(const __ssz *)arg;
}

/* Whatever a file says, the access has failed: it is not tried for ever */
static enum test_result files_that_fail_are_asked_once(void)
{
	static const __ssz rcs[] = { -EAGAIN, -EBUSY, -EDEADLK, -EIO };
	struct uk_vas *vas = uk_vas_get_active();
	struct uk_vma_file_args args = { .read = read_later };
	__vaddr_t vaddr;
	unsigned int i;
	__u8 byte;

	for (i = 0; i < ARRAY_SIZE(rcs); i++) {
		__ssz rc = rcs[i];

		vaddr = __VADDR_ANY;
		args.arg = &rc;
		reads = 0;
		EXPECT(!uk_vma_map_file(vas, &vaddr, PAGE_SIZE,
					PAGE_ATTR_PROT_READ, 0, "file", &args));
		EXPECT(ukplat_probe_read(vaddr, &byte) == -EFAULT);
		EXPECT(reads == 1);
		EXPECT(uk_vma_advise(vas, vaddr, PAGE_SIZE, UK_VMA_ADV_WILLNEED,
				     0) < 0);
		EXPECT(reads == 2);
		EXPECT(!uk_vma_unmap(vas, vaddr, PAGE_SIZE, 0));
	}
	return TEST_PASS;
}

#define COST_FEW   10U
#define COST_MANY  4000U
#define COST_PAGES 64UL

/* Time stamps that all faults of an area together take; 0 after an error */
static __u64 faults_cost(void)
{
	__vaddr_t vaddr = __VADDR_ANY;
	__u64 start, cost;
	unsigned long i;

	if (uk_vma_map_anon(uk_vas_get_active(), &vaddr, COST_PAGES * PAGE_SIZE,
			    RW, 0, "cost"))
		return 0;
	/* The first one makes the tables */
	*(volatile __u8 *)vaddr = 1;
	start = ukarch_rdtsc();
	for (i = 1; i < COST_PAGES; i++)
		((volatile __u8 *)vaddr)[i * PAGE_SIZE] = 1;
	cost = ukarch_rdtsc() - start;
	if (uk_vma_unmap(uk_vas_get_active(), vaddr, COST_PAGES * PAGE_SIZE, 0))
		return 0;
	return cost;
}

/* Areas until there are so many; at random places, so all over the tree */
static int areas_add(__vaddr_t first[], unsigned int have, unsigned int want)
{
	for (; have < want; have++) {
		first[have] = __VADDR_ANY;
		if (uk_vma_reserve(uk_vas_get_active(), &first[have],
				   PAGE_SIZE))
			return -ENOMEM;
	}
	return 0;
}

/* With exact=1 time stamps count instructions. Otherwise they are no measure,
 * and only the faults among many areas are tested.
 */
static enum test_result fault_cost_does_not_follow_areas(void)
{
	static __vaddr_t areas[COST_MANY];
	__u64 few, many;
	unsigned int i;

	EXPECT(!areas_add(areas, 0, COST_FEW));
	few = faults_cost();
	EXPECT(!areas_add(areas, COST_FEW, COST_MANY));
	many = faults_cost();
	for (i = 0; i < COST_MANY; i++)
		EXPECT(!uk_vma_unmap(uk_vas_get_active(), areas[i], PAGE_SIZE,
				     0));
	EXPECT(few && many);
	if (arg_number("exact", 0)) {
		printf("cost of a fault: %lu with %u areas, %lu with %u\n",
		       (unsigned long)few / (COST_PAGES - 1), COST_FEW,
		       (unsigned long)many / (COST_PAGES - 1), COST_MANY);
		EXPECT(many <= 2 * few);
	}
	return TEST_PASS;
}

/* More than there is */
static void run_out_of_memory(void)
{
	__vaddr_t vaddr = __VADDR_ANY;
	const __sz len = 1UL << 40;
	__sz off;

	if (uk_vma_map_anon(uk_vas_get_active(), &vaddr, len, RW, 0, "greed"))
		return;
	for (off = 0; off < len; off += PAGE_SIZE)
		*(volatile __u8 *)(vaddr + off) = 1;
}

static __ssz read_fails(void *arg __unused, __off off __unused,
			void *page __unused, __sz len __unused)
{
	return -EIO;
}

/* Needs a page itself, which would be supplied at any other moment */
static __ssz read_faults(void *arg, __off off __unused, void *page __unused,
			 __sz len __unused)
{
	return *(volatile __u8 *)arg;
}

static void touch_file(__ssz (*read)(void *arg, __off off, void *page,
				     __sz len))
{
	__vaddr_t other = __VADDR_ANY, vaddr = __VADDR_ANY;
	struct uk_vas *vas = uk_vas_get_active();
	struct uk_vma_file_args args = { .read = read };

	if (uk_vma_map_anon(vas, &other, PAGE_SIZE, RW, 0, "other"))
		return;
	args.arg = (void *)other;
	if (uk_vma_map_file(vas, &vaddr, PAGE_SIZE, RW, 0, "file", &args))
		return;
	*(volatile __u8 *)vaddr = 1;
}

static void fail_to_read(void)
{
	touch_file(read_fails);
}

static void fault_in_fault(void)
{
	touch_file(read_faults);
}

static void touch_guard(void)
{
	__vaddr_t vaddr = __VADDR_ANY;

	if (!uk_vma_map_stack(uk_vas_get_active(), &vaddr, PAGE_SIZE, 0, "s",
			      0))
		((volatile __u8 *)vaddr)[-1] = 1;
}

static void write_read_only(void)
{
	__vaddr_t vaddr = __VADDR_ANY;

	if (!uk_vma_map_anon(uk_vas_get_active(), &vaddr, PAGE_SIZE,
			     PAGE_ATTR_PROT_READ, 0, "ro") &&
	    !*(volatile __u8 *)vaddr)
		*(volatile __u8 *)vaddr = 1;
}

static const struct {
	const char *name;
	void (*fn)(void);
} faults[] = {
	{ "memory", run_out_of_memory },  { "input", fail_to_read },
	{ "nested", fault_in_fault },	  { "guard", touch_guard },
	{ "read-only", write_read_only },
};

int fault_commit(const char *name)
{
	unsigned int i;
	__sz len;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		len = strlen(faults[i].name);
		if (memcmp(faults[i].name, name, len) != 0 ||
		    (name[len] && name[len] != ' '))
			continue;
		faults[i].fn();
		printf("fault: %s was not noticed\n", faults[i].name);
		return 1;
	}
	puts("fault: there is none of this name");
	return 1;
}

const struct test_case fault_cases[] = {
	{ "stacks_grow_between_guards", stacks_grow_between_guards },
	{ "interrupts_grow_stacks", interrupts_grow_stacks },
	{ "stacks_of_large_pages_keep_their_guards",
	  stacks_of_large_pages_keep_their_guards },
	{ "files_that_fail_are_asked_once", files_that_fail_are_asked_once },
	{ "fault_cost_does_not_follow_areas",
	  fault_cost_does_not_follow_areas },
	{ __NULL, __NULL },
};
