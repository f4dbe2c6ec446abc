/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Crimes: each commits exactly one misuse and should not survive it
 *
 * The report of the allocator is the result; tests/guest/cases.tsv has the
 * line that must be printed. A crime that returns was not noticed.
 */

#include <stdio.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/lcpu.h>

#include "libc.h"
#include "test.h"
#include "tlb.h"

/* Allocations within which a damaged free slot has to be found */
#define REUSE_MAX 100000U

static __sz size;
static __sz off;

static char *victim(void)
{
	char *ptr = libc.malloc(size);

	if (!ptr)
		return __NULL;
	memset(ptr, 0x11, size);
	printf("crime: object %p of %lu bytes\n", (void *)ptr, size);
	return ptr;
}

static void double_free(void)
{
	char *ptr = victim();

	libc.free(ptr);
	libc.free(ptr);
}

static void free_here(struct __regs *regs __unused, void *user)
{
	libc.free(user);
}

static void double_free_remote(void)
{
	struct ukplat_lcpu_func func = { .fn = free_here, .user = victim() };
	const __u32 other = 1;
	unsigned int num = 1;

	if (ukplat_lcpu_count() < 2) {
		puts("crime: needs two CPUs");
		return;
	}
	(void)ukplat_lcpu_run(&other, &num, &func, 0);
	(void)ukplat_lcpu_wait(&other, &num, 0);
	libc.free(func.user);
}

static void interior(void)
{
	char *ptr = victim() + 16;

	libc.free(ptr);
}

static void misaligned(void)
{
	char *ptr = victim() + 1;

	libc.free(ptr);
}

static void foreign(void)
{
	static char variable[64] __align(16);
	char *ptr = variable;

	libc.free(ptr);
}

static void stack(void)
{
	char variable[64] __align(16);
	char *ptr = variable;

	libc.free(ptr);
}

static void overflow(void)
{
	char *ptr = victim();

	ptr[size + off] = (char)(ptr[size + off] ^ 0x5a);
	libc.free(ptr);
}

static void overflow_realloc(void)
{
	char *ptr = victim();

	ptr[size + off] = (char)(ptr[size + off] ^ 0x5a);
	printf("crime: now %p\n", libc.realloc(ptr, 2 * size));
}

static void write_after_free(void)
{
	char *ptr = victim();
	unsigned int i;

	libc.free(ptr);
	ptr[off % size] = (char)(ptr[off % size] ^ 0x5a);
	for (i = 0; i < REUSE_MAX; i++) {
		ptr = libc.malloc(size);
		libc.free(ptr);
	}
}

static void realloc_freed(void)
{
	char *ptr = victim();

	libc.free(ptr);
	printf("crime: now %p\n", libc.realloc(ptr, size + 100));
}

static void pfree_object(void)
{
	char *ptr = victim();

	uk_pfree(uk_alloc_get_default(), ptr, 1);
}

static void pfree_twice(void)
{
	struct uk_alloc *a = uk_alloc_get_default();
	char *run = uk_palloc(a, 4);

	uk_pfree(a, run, 4);
	uk_pfree(a, run + 2 * PAGE_SIZE, 1);
}

static void free_page(void)
{
	char *run = uk_palloc(uk_alloc_get_default(), 4);

	libc.free(run);
}

static const struct crime {
	const char *name;
	void (*fn)(void);
} crimes[] = {
	{ "double_free", double_free },
	{ "double_free_remote", double_free_remote },
	{ "interior", interior },
	{ "misaligned", misaligned },
	{ "foreign", foreign },
	{ "stack", stack },
	{ "overflow", overflow },
	{ "overflow_realloc", overflow_realloc },
	{ "write_after_free", write_after_free },
	{ "realloc_freed", realloc_freed },
	{ "pfree_object", pfree_object },
	{ "pfree_twice", pfree_twice },
	{ "free_page", free_page },
	{ "stale_write", tlb_stale_write },
};

int crime_commit(const char *name)
{
	__sz len = 0;
	unsigned int i;

	size = arg_number("size", 40);
	off = arg_number("off", 0);
	while (name[len] && name[len] != ' ')
		len++;

	for (i = 0; i < ARRAY_SIZE(crimes); i++) {
		if (strlen(crimes[i].name) != len ||
		    memcmp(crimes[i].name, name, len) != 0)
			continue;
		crimes[i].fn();
		printf("crime: %s was not noticed\n", crimes[i].name);
		return 1;
	}
	puts("crime: there is none of this name");
	return 1;
}
