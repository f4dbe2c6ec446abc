/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Pointers that no allocation returned */

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "crime.h"

#define PAGE_LEN 4096UL

/* Memory of the program that is not the heap's */
static char static_memory[256] = { 1 };
static char zero_memory[256];

static void free_static(const struct crime_args *args)
{
	void *ptr = &static_memory[args->offset];

	crime_announce(ptr);
	free(ptr);
}

static void free_bss(const struct crime_args *args)
{
	void *ptr = &zero_memory[args->offset];

	crime_announce(ptr);
	free(ptr);
}

static void free_stack(const struct crime_args *args)
{
	char local[256] = "";
	void *ptr = &local[args->offset];

	crime_announce(ptr);
	free(ptr);
}

static void free_function(const struct crime_args *args)
{
	void *ptr = (char *)(void *)free_function + args->offset;

	crime_announce(ptr);
	free(ptr);
}

/* Any number as a pointer. One object exists, from which to measure */
static void free_number(const struct crime_args *args)
{
	void *ptr = (void *)args->offset;

	crime_announce_object(crime_malloc(args->size));
	crime_announce(ptr);
	free(ptr);
}

static void realloc_number(const struct crime_args *args)
{
	void *ptr = (void *)args->offset;

	crime_announce_object(crime_malloc(args->size));
	crime_announce(ptr);
	if (realloc(ptr, args->size))
		return;
}

/* Memory of a second allocator */
static void *foreign(const struct crime_args *args)
{
	char *map = mmap(NULL, 2 * PAGE_LEN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		crime_skip("mmap failed");
	crime_announce(map + args->offset);
	return map + args->offset;
}

static void free_foreign(const struct crime_args *args)
{
	free(foreign(args));
}

static void realloc_foreign(const struct crime_args *args)
{
	if (realloc(foreign(args), args->size))
		return;
}

static void usable_size_foreign(const struct crime_args *args)
{
	if (malloc_usable_size(foreign(args)))
		return;
}

static void usable_size_freed(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	free(ptr);
	if (malloc_usable_size(ptr))
		return;
}

/* An address inside an object */
static void free_inside(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce_object(ptr);
	crime_announce(ptr + args->offset);
	free(ptr + args->offset);
}

static void *free_pointer(void *ptr)
{
	free(ptr);
	return NULL;
}

static void free_inside_other_thread(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce_object(ptr);
	crime_announce(ptr + args->offset);
	crime_in_thread(free_pointer, ptr + args->offset);
}

/* The same in what is no object any more */
static void free_inside_freed(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	free(ptr);
	crime_announce_object(ptr);
	crime_announce(ptr + args->offset);
	free(ptr + args->offset);
}

static void realloc_inside(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce_object(ptr);
	crime_announce(ptr + args->offset);
	if (realloc(ptr + args->offset, args->size))
		return;
}

static void usable_size_inside(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce_object(ptr);
	crime_announce(ptr + args->offset);
	if (malloc_usable_size(ptr + args->offset))
		return;
}

/* The neighbouring slot, one that malloc() never returned. args->offset is
 * the slot length. The slot before is in the same slab if it is on the same
 * page; if it is not, this slot is not the last one of its slab, and the slot
 * behind is in it.
 */
static void free_neighbour(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);
	char *other = ptr - args->offset;

	if ((size_t)ptr / PAGE_LEN != (size_t)other / PAGE_LEN)
		other = ptr + args->offset;
	crime_announce_object(ptr);
	crime_announce(other);
	free(other);
}

/* The page behind a large object */
static void free_guard_after(const struct crime_args *args)
{
	size_t start = (size_t)crime_malloc(args->size);
	size_t end = start + args->size;
	void *ptr = (void *)((end + PAGE_LEN - 1) / PAGE_LEN * PAGE_LEN);

	crime_announce_object((void *)start);
	crime_announce(ptr);
	free(ptr);
}

/* The page before a large object */
static void free_guard_before(const struct crime_args *args)
{
	size_t start = (size_t)crime_malloc(args->size);
	void *ptr = (void *)(start / PAGE_LEN * PAGE_LEN - PAGE_LEN);

	crime_announce_object((void *)start);
	crime_announce(ptr);
	free(ptr);
}

/* Frees the start of the n-th anonymous mapping that does not contain the
 * only object of its size: metadata of the allocator, sooner or later
 */
static void free_mapping(const struct crime_args *args)
{
	size_t own = (size_t)crime_malloc(args->size), seen = 0;
	struct crime_area area;

	for (area = crime_next_area(0); area.end;
	     area = crime_next_area(area.end)) {
		if ((own >= area.start && own < area.end) ||
		    seen++ < args->offset)
			continue;
		crime_announce((void *)area.start);
		free((void *)area.start);
		return;
	}
	crime_skip("there are fewer mappings");
}

const struct crime crimes_pointer[] = {
	{ "free_static", free_static },
	{ "free_bss", free_bss },
	{ "free_stack", free_stack },
	{ "free_function", free_function },
	{ "free_number", free_number },
	{ "realloc_number", realloc_number },
	{ "free_foreign", free_foreign },
	{ "realloc_foreign", realloc_foreign },
	{ "usable_size_foreign", usable_size_foreign },
	{ "usable_size_freed", usable_size_freed },
	{ "free_inside", free_inside },
	{ "free_inside_other_thread", free_inside_other_thread },
	{ "free_inside_freed", free_inside_freed },
	{ "realloc_inside", realloc_inside },
	{ "usable_size_inside", usable_size_inside },
	{ "free_neighbour", free_neighbour },
	{ "free_guard_after", free_guard_after },
	{ "free_guard_before", free_guard_before },
	{ "free_mapping", free_mapping },
	{ NULL, NULL },
};
