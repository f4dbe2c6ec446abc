/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Accesses that reach the slot or slab next to an object
 *
 * Nobody can choose an object's neighbours, but whoever has so many objects
 * that whole slabs are full of them finds some by their addresses.
 */

#include <stdlib.h>

#include "crime.h"

#define PAGE_LEN 4096UL

#define OBJECTS_MAX 6000UL
#define BYTES_MAX   (32UL << 20)

/* Allocations after which every freed slot of a size has come by again */
#define REUSE_ROUNDS 200000

/* Objects of one size, by address */
static char *object[OBJECTS_MAX];
static size_t object_cnt;

static int by_address(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return (x > y) - (x < y);
}

static void allocate_many(size_t size)
{
	size_t most = BYTES_MAX / size;

	if (most > OBJECTS_MAX)
		most = OBJECTS_MAX;
	while (object_cnt < most)
		object[object_cnt++] = crime_malloc(size);
	qsort(object, object_cnt, sizeof(object[0]), by_address);
}

/* First of two objects in slots side by side: the slots of the size must be
 * shorter than twice the size
 */
static size_t find_pair(size_t size)
{
	size_t i;

	allocate_many(size);
	for (i = 1; i < object_cnt; i++)
		if ((size_t)(object[i] - object[i - 1]) < 2 * size)
			return i - 1;
	crime_skip("no two objects are neighbours");
}

/* Changes the bytes in front of an object, from the last one down */
static void write_below(char *ptr, size_t cnt)
{
	size_t i;

	for (i = 1; i <= cnt; i++)
		crime_flip(ptr - i, 0);
}

/* The neighbour in front is an object. args->offset is the number of bytes */
static void underflow_live(const struct crime_args *args)
{
	size_t i = find_pair(args->size);

	crime_announce(object[i]);
	crime_announce_object(object[i + 1]);
	write_below(object[i + 1], args->offset);
	free(object[i]);
}

/* The same, found when the neighbour is to become longer */
static void underflow_live_realloc(const struct crime_args *args)
{
	size_t i = find_pair(args->size);

	crime_announce(object[i]);
	crime_announce_object(object[i + 1]);
	write_below(object[i + 1], args->offset);
	if (realloc(object[i], args->size * 3))
		return;
}

/* The neighbour in front was freed */
static void underflow_free(const struct crime_args *args)
{
	size_t i = find_pair(args->size);
	long n;

	crime_announce(object[i]);
	crime_announce_object(object[i + 1]);
	free(object[i]);
	write_below(object[i + 1], args->offset);
	for (n = 0; n < REUSE_ROUNDS; n++)
		free(crime_malloc(args->size));
}

/* Reads one byte of each page: every page of a guard faults */
static void run_over(const char *from, size_t len)
{
	size_t off;

	for (off = 0; off <= len; off += PAGE_LEN)
		if (((volatile const char *)from)[off] == 1)
			continue;
}

/* From the first object of a class over the end of its slab, whose length
 * args->offset is: a guard, or all the slabs behind are in use
 */
static void overrun_slab(const struct crime_args *args)
{
	allocate_many(args->size);
	crime_announce(object[0]);
	run_over(object[0], 2 * args->offset);
}

/* Frees what would be a slot if the slab behind were none of a guard */
static void free_slab_guard(const struct crime_args *args)
{
	allocate_many(args->size);
	crime_announce(object[0] + args->offset);
	free(object[0] + args->offset);
}

/* An overrun where the class has grown large. Without a guard behind every slab
 * there are two that are side by side
 */
static void overrun_late_slab(const struct crime_args *args)
{
	size_t i, j, at, len = 2 * args->offset;

	allocate_many(args->size);
	at = object_cnt / 2;
	for (i = 0, j = 0; i < object_cnt; i++) {
		while ((size_t)(object[i] - object[j]) > args->offset)
			j++;
		if ((size_t)(object[i] - object[j]) != args->offset)
			continue;
		at = j;
		len = args->offset;
	}
	crime_announce(object[at]);
	run_over(object[at], len);
}

const struct crime crimes_neighbour[] = {
	{ "underflow_live", underflow_live },
	{ "underflow_live_realloc", underflow_live_realloc },
	{ "underflow_free", underflow_free },
	{ "overrun_slab", overrun_slab },
	{ "free_slab_guard", free_slab_guard },
	{ "overrun_late_slab", overrun_late_slab },
	{ NULL, NULL },
};
