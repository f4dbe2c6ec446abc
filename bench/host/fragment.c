/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Resident memory after most objects were freed
 *
 * usage: fragment [MiB [percent freed [least [most]]]]
 *
 * Pattern
 *   A cache that has shrunk: objects are allocated and written until their
 *   sizes sum up to so many MiB; then a share of them, drawn at random, is
 *   freed. The allocator is asked to give back what it can, by the call that
 *   it has for this. Sizes are uniform on a logarithmic scale from least to
 *   most.
 *
 * Question
 *   How much memory stays resident for a byte that lives? An allocator that
 *   does not move objects cannot hold less than the pages that live objects
 *   lie on, which for small objects are nearly all: that limit is printed,
 *   too, for where this allocator has put them.
 *
 * Prints one JSON object: live bytes, pages with live bytes, and resident
 * bytes before and after the purge, without the program's own table.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

#define MIB	   (1UL << 20)
#define PAGE	   4096UL
/* Below the mean of the sizes for the default range: bounds the table */
#define LEAST_MEAN 128U
/* mallopt() of scudo and of Android: release now */
#define PURGE	   (-101)

struct object {
	void *ptr;
	size_t size;
};

static struct object *objects;
static size_t count, table_size, least = 16, most = 2048;

/* A function of the library that malloc is from, or NULL */
static void *own_function(const char *name)
{
	void *fn = dlsym(RTLD_DEFAULT, name);
	Dl_info ours, its;

	if (!fn || !dladdr((void *)dlsym(RTLD_DEFAULT, "malloc"), &ours) ||
	    !dladdr(fn, &its) || ours.dli_fbase != its.dli_fbase)
		return NULL;
	return fn;
}

/* Calls what the allocator has; returns its name */
static const char *purge(void)
{
	void (*collect)(bool force) = own_function("mi_collect");
	int (*control)(const char *name, void *old, size_t *old_size,
		       void *fresh, size_t size) = own_function("mallctl");
	void (*release)(void) =
		own_function("MallocExtension_ReleaseFreeMemory");
	int (*trim)(size_t pad) = own_function("malloc_trim");
	int (*option)(int name, int value) = own_function("mallopt");

	if (collect) {
		collect(true);
		return "mi_collect";
	}
	if (control) {
		(void)control("thread.tcache.flush", NULL, NULL, NULL, 0);
		/* 4096: all arenas */
		(void)control("arena.4096.purge", NULL, NULL, NULL, 0);
		return "mallctl";
	}
	if (release) {
		release();
		return "MallocExtension_ReleaseFreeMemory";
	}
	if (trim) {
		(void)trim(0);
		return "malloc_trim";
	}
	if (option && option(PURGE, 0))
		return "mallopt";
	return "none";
}

/* Resident bytes without the table */
static size_t resident(void)
{
	static char text[256];
	int fd = open("/proc/self/statm", O_RDONLY);
	ssize_t length = read(fd, text, sizeof(text) - 1);
	unsigned long pages;
	char *end;

	(void)close(fd);
	if (length <= 0)
		host_fail("cannot read statm");
	(void)strtoul(text, &end, 10);
	pages = strtoul(end, NULL, 10);
	return pages * (size_t)sysconf(_SC_PAGESIZE) - table_size;
}

/* A binary order of magnitude, then a place in it */
static size_t draw_size(uint64_t *seed)
{
	unsigned int low = 63U - (unsigned int)__builtin_clzl(least);
	unsigned int high = 64U - (unsigned int)__builtin_clzl(most - 1);
	size_t size;

	do {
		unsigned int log2 = low + host_below(seed, high - low);

		size = (1UL << log2) + host_below(seed, 1U << log2);
	} while (size < least || size > most);
	return size;
}

/* Allocates objects of so many bytes in all */
static size_t fill(size_t bytes, uint64_t *seed)
{
	size_t sum = 0;

	table_size = bytes / LEAST_MEAN * sizeof(*objects);
	objects = mmap(NULL, table_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (objects == MAP_FAILED)
		host_fail("no memory for the table");
	while (sum < bytes && (count + 1) * sizeof(*objects) <= table_size) {
		size_t size = draw_size(seed);

		objects[count].ptr = host_use(size);
		objects[count++].size = size;
		sum += size;
	}
	return sum;
}

/* Frees a share of the objects in random order; returns the bytes freed */
static size_t shrink(unsigned int percent, uint64_t *seed)
{
	size_t freed = 0, n = count, left = count - count * percent / 100;

	while (n > left) {
		uint32_t at = host_below(seed, (uint32_t)n);

		free(objects[at].ptr);
		freed += objects[at].size;
		objects[at] = objects[--n];
	}
	return freed;
}

static int by_address(const void *a, const void *b)
{
	const struct object *one = a, *two = b;

	return ((uintptr_t)one->ptr > (uintptr_t)two->ptr) -
	       ((uintptr_t)one->ptr < (uintptr_t)two->ptr);
}

/* Bytes of the pages on which live objects lie */
static size_t occupied(size_t n)
{
	size_t i, pages = 0;
	uintptr_t next = 0; /* page that is not counted yet */

	qsort(objects, n, sizeof(*objects), by_address);
	for (i = 0; i < n; i++) {
		uintptr_t first = (uintptr_t)objects[i].ptr / PAGE;
		uintptr_t end = ((uintptr_t)objects[i].ptr + objects[i].size +
				 PAGE - 1) /
				PAGE;

		if (first < next)
			first = next;
		if (end > first)
			pages += end - first;
		if (end > next)
			next = end;
	}
	return pages * PAGE;
}

int main(int argc, char *argv[])
{
	size_t bytes = host_arg(argc, argv, 1, 1024) * MIB;
	unsigned int percent = (unsigned int)host_arg(argc, argv, 2, 90);
	uint64_t seed = HOST_SEED;
	size_t live, full, before, after;
	const char *how;

	least = host_arg(argc, argv, 3, least);
	most = host_arg(argc, argv, 4, most);
	if (least < 8 || most <= least || percent > 100)
		host_fail("wanted: MiB, percent, 8 <= least < most");
	live = fill(bytes, &seed);
	full = resident();
	live -= shrink(percent, &seed);
	before = resident();
	how = purge();
	after = resident();
	printf("{\"full\":%zu,\"live\":%zu,\"pages\":%zu,\"before\":%zu,"
	       "\"after\":%zu,\"purge\":\"%s\"}\n",
	       full, live, occupied(count - count * percent / 100), before,
	       after, how);
	return EXIT_SUCCESS;
}
