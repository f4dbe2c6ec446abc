/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Accesses around samples: small objects in pages of their own, at one end of
 * them or at the other
 */

#include <stdlib.h>

#include "crime.h"

#define PAGE_LEN 4096UL

/* Samples that are freed after the one in question, fewer than are remembered
 */
#define LATER 100

/* Allocates until an object ends (less than 16 bytes before) or starts at a
 * page
 */
static char *at_page(size_t size, int end)
{
	size_t ptr, edge;
	int i;

	for (i = 0; i < 64; i++) {
		ptr = (size_t)crime_malloc(size);
		edge = end ? ptr + (size + 15) / 16 * 16 : ptr;
		/* One that fills its pages is at both ends */
		if (edge % PAGE_LEN == 0) {
			crime_announce((void *)ptr);
			return (char *)ptr;
		}
	}
	crime_skip("no object at this end of its pages");
}

static void read_byte(const char *ptr)
{
	if (*(const volatile char *)ptr)
		return;
}

static void read_behind_end(const struct crime_args *args)
{
	read_byte(at_page(args->size, 1) + args->size + args->offset);
}

static void write_behind_end(const struct crime_args *args)
{
	crime_flip(at_page(args->size, 1), args->size + args->offset);
}

static void write_behind_start(const struct crime_args *args)
{
	crime_flip(at_page(args->size, 0), args->size + args->offset);
}

static void free_behind_end(const struct crime_args *args)
{
	char *ptr = at_page(args->size, 1);

	crime_flip(ptr, args->size + args->offset);
	free(ptr);
}

static void free_behind_start(const struct crime_args *args)
{
	char *ptr = at_page(args->size, 0);

	crime_flip(ptr, args->size + args->offset);
	free(ptr);
}

/* args->offset counts backwards from the byte in front of the object */
static void read_before_start(const struct crime_args *args)
{
	read_byte(at_page(args->size, 0) - args->offset - 1);
}

static void write_before_start(const struct crime_args *args)
{
	crime_flip(at_page(args->size, 0) - args->offset - 1, 0);
}

static void free_before_end(const struct crime_args *args)
{
	char *ptr = at_page(args->size, 1);

	crime_flip(ptr - args->offset - 1, 0);
	free(ptr);
}

static void write_after_many(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);
	int i;

	crime_announce(ptr);
	free(ptr);
	for (i = 0; i < LATER; i++)
		free(crime_malloc(args->size));
	crime_flip(ptr, args->offset);
}

const struct crime crimes_sample[] = {
	{ "read_behind_end", read_behind_end },
	{ "write_behind_end", write_behind_end },
	{ "write_behind_start", write_behind_start },
	{ "free_behind_end", free_behind_end },
	{ "free_behind_start", free_behind_start },
	{ "read_before_start", read_before_start },
	{ "write_before_start", write_before_start },
	{ "free_before_end", free_before_end },
	{ "write_after_many", write_after_many },
	{ NULL, NULL },
};
