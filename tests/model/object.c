/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "object.h"

uint64_t test_seed = 1;

void test_die(const char *fmt, ...)
{
	va_list args;

	flockfile(stderr);
	(void)fprintf(stderr, "seed %lu: ", test_seed);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	abort();
}

void test_seed_init(int argc, char **argv)
{
	if (argc > 1)
		test_seed = strtoull(argv[1], NULL, 0);
	printf("seed %lu\n", test_seed);
}

uint64_t random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

size_t random_size(struct random *r, unsigned int max_bits)
{
	return random_below(r, 1UL << random_below(r, max_bits + 1));
}

/* Word i of a pattern */
static uint64_t pattern(uint64_t tag, size_t i)
{
	return tag + i * 0x0101010101010101;
}

void object_fill(struct object *o, struct random *r)
{
	size_t i, words = o->size / 8;
	uint64_t last;

	o->tag = random_next(r);
	for (i = 0; i < words; i++)
		o->ptr[i] = pattern(o->tag, i);
	last = pattern(o->tag, i);
	if (o->size % 8)
		memcpy(&o->ptr[i], &last, o->size % 8);
}

void object_check_prefix(const struct object *o, const void *at, size_t len,
			 const char *when)
{
	const uint64_t *word = at;
	size_t i, words = len / 8;
	uint64_t last;

	for (i = 0; i < words; i++)
		if (word[i] != pattern(o->tag, i))
			test_die("%s: %p: %#lx at offset %zu of %zu, not %#lx",
				 when, at, word[i], i * 8, o->size,
				 pattern(o->tag, i));
	last = pattern(o->tag, i);
	if (len % 8 && memcmp(&word[i], &last, len % 8) != 0)
		test_die("%s: %p: changed at offset %zu of %zu", when, at,
			 i * 8, o->size);
}

void object_check(const struct object *o, const char *when)
{
	if ((uintptr_t)o->ptr % o->align)
		test_die("%s: %p is no multiple of %zu", when, (void *)o->ptr,
			 o->align);
	object_check_prefix(o, o->ptr, o->size, when);
}

void object_check_zero(const struct object *o)
{
	const unsigned char *byte = (const unsigned char *)o->ptr;
	size_t i;

	for (i = 0; i < o->size; i++)
		if (byte[i])
			test_die("%p: byte %zu of %zu is %#x, not 0",
				 (void *)o->ptr, i, o->size, byte[i]);
}

static int compare_address(const void *a, const void *b)
{
	const struct object *const *x = a, *const *y = b;

	return ((*x)->ptr > (*y)->ptr) - ((*x)->ptr < (*y)->ptr);
}

void objects_check_disjoint(struct object **objects, size_t n)
{
	size_t i;

	qsort(objects, n, sizeof(void *), compare_address);
	for (i = 1; i < n; i++) {
		/* An empty object has an address of its own, too */
		uintptr_t end =
			(uintptr_t)objects[i - 1]->ptr +
			(objects[i - 1]->size ? objects[i - 1]->size : 1);

		if ((uintptr_t)objects[i]->ptr < end)
			test_die("%p begins in %p, which has %zu bytes",
				 (void *)objects[i]->ptr,
				 (void *)objects[i - 1]->ptr,
				 objects[i - 1]->size);
	}
}
