/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Writes where the program has no memory */

#include <malloc.h>
#include <stdlib.h>

#include "crime.h"

#define PAGE_LEN 4096UL

/* Allocations after which every freed slot of a size has come by again */
#define REUSE_ROUNDS 200000

static void *free_pointer(void *ptr)
{
	crime_announce_freer();
	free(ptr);
	return NULL;
}

/* args->offset counts from the first byte behind the object */
static void overflow_free(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_flip(ptr, args->size + args->offset);
	free(ptr);
}

static void overflow_free_other_thread(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_flip(ptr, args->size + args->offset);
	crime_in_thread(free_pointer, ptr);
}

/* The end of a string that is one character too long */
static void overflow_zero(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	ptr[args->size + args->offset] = 0;
	free(ptr);
}

static void overflow_calloc(const struct crime_args *args)
{
	void *ptr = calloc(1, args->size);

	crime_announce(ptr);
	crime_flip(ptr, args->size + args->offset);
	free(ptr);
}

static void overflow_memalign(const struct crime_args *args)
{
	void *ptr = memalign(64, args->size);

	crime_announce(ptr);
	crime_flip(ptr, args->size + args->offset);
	free(ptr);
}

static void overflow_realloc(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_flip(ptr, args->size + args->offset);
	if (realloc(ptr, args->size * 3))
		return;
}

/* The canary has to follow the new end of an object that stays */
static void overflow_after_shrink(const struct crime_args *args)
{
	void *ptr = realloc(crime_malloc(args->size + 1), args->size);

	crime_announce(ptr);
	crime_flip(ptr, args->size + args->offset);
	free(ptr);
}

static void overflow_after_grow(const struct crime_args *args)
{
	void *ptr = realloc(crime_malloc(args->size - 1), args->size);

	crime_announce(ptr);
	crime_flip(ptr, args->size + args->offset);
	free(ptr);
}

/* malloc_usable_size() makes the bytes it tells of usable, not more */
static void overflow_usable(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);
	size_t usable = malloc_usable_size(ptr);

	crime_announce(ptr);
	crime_flip(ptr, usable - 1);
	crime_flip(ptr, usable + args->offset);
	free(ptr);
}

/* Up to the first page that cannot hold a part of the object */
static void overflow_guard(const struct crime_args *args)
{
	size_t ptr = (size_t)crime_malloc(args->size);
	size_t end = ptr + args->size;

	crime_announce((void *)ptr);
	end = (end + PAGE_LEN - 1) / PAGE_LEN * PAGE_LEN;
	crime_flip((void *)end, args->offset);
}

/* Down to the page before the object's first one */
static void underflow_guard(const struct crime_args *args)
{
	size_t ptr = (size_t)crime_malloc(args->size);

	crime_announce((void *)ptr);
	crime_flip((void *)(ptr / PAGE_LEN * PAGE_LEN - 1), 0);
}

/* args->offset counts backwards from the byte in front of the object */
static void underflow_large(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_flip(ptr - args->offset - 1, 0);
	free(ptr);
}

static void underflow_large_realloc(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_flip(ptr - args->offset - 1, 0);
	if (realloc(ptr, args->size * 3))
		return;
}

static void overflow_read(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	if (((volatile char *)ptr)[args->size + args->offset])
		return;
}

/* Allocates and frees until the damaged slot would be handed out again */
static void reuse(size_t size)
{
	long i;

	for (i = 0; i < REUSE_ROUNDS; i++)
		free(crime_malloc(size));
}

static void write_after_free(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	free(ptr);
	crime_flip(ptr, args->offset);
	reuse(args->size);
}

/* Freed by another thread, thus found by way of the remote frees */
static void write_after_remote_free(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	crime_in_thread(free_pointer, ptr);
	crime_flip(ptr, args->offset);
	reuse(args->size);
}

static void write_after_realloc(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);
	void *moved = realloc(ptr, args->size * 4);

	if (!moved || moved == ptr)
		crime_skip("realloc did not move the object");
	crime_announce(ptr);
	crime_flip(ptr, args->offset);
	reuse(args->size);
}

static void read_after_free(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	free(ptr);
	if (((volatile char *)ptr)[args->offset])
		return;
}

/* Looks for a secret where it was freed. One that finds none gives up */
static void read_stale(const struct crime_args *args)
{
	char *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	ptr[args->offset] = 0x55;
	free(ptr);
	if (((volatile char *)ptr)[args->offset] != 0x55)
		abort();
}

/* An object of no bytes has an address and no memory */
static void zero_size_read(const struct crime_args *args)
{
	char *ptr = crime_malloc(0);

	crime_announce(ptr);
	if (((volatile char *)ptr)[args->offset])
		return;
}

static void zero_size_write(const struct crime_args *args)
{
	void *ptr = crime_malloc(0);

	crime_announce(ptr);
	crime_flip(ptr, args->offset);
}

static void zero_size_read_freed(const struct crime_args *args)
{
	char *ptr = crime_malloc(0);

	crime_announce(ptr);
	free(ptr);
	if (((volatile char *)ptr)[args->offset])
		return;
}

const struct crime crimes_write[] = {
	{ "overflow_free", overflow_free },
	{ "overflow_free_other_thread", overflow_free_other_thread },
	{ "overflow_zero", overflow_zero },
	{ "overflow_calloc", overflow_calloc },
	{ "overflow_memalign", overflow_memalign },
	{ "overflow_realloc", overflow_realloc },
	{ "overflow_after_shrink", overflow_after_shrink },
	{ "overflow_after_grow", overflow_after_grow },
	{ "overflow_usable", overflow_usable },
	{ "overflow_guard", overflow_guard },
	{ "underflow_guard", underflow_guard },
	{ "underflow_large", underflow_large },
	{ "underflow_large_realloc", underflow_large_realloc },
	{ "overflow_read", overflow_read },
	{ "write_after_free", write_after_free },
	{ "write_after_remote_free", write_after_remote_free },
	{ "write_after_realloc", write_after_realloc },
	{ "read_after_free", read_after_free },
	{ "read_stale", read_stale },
	{ "zero_size_read", zero_size_read },
	{ "zero_size_write", zero_size_write },
	{ "zero_size_read_freed", zero_size_read_freed },
	{ NULL, NULL },
};
