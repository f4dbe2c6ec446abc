/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Allocated by one family of functions or with one size, freed with another.
 * The operators of C++ are called by the names they have for a linker.
 */

#include <stdlib.h>

#include "crime.h"

void *new_one(size_t size) __asm__("_Znwm");
void *new_array(size_t size) __asm__("_Znam");
void delete_one(void *ptr) __asm__("_ZdlPv");
void delete_array(void *ptr) __asm__("_ZdaPv");
void delete_one_sized(void *ptr, size_t size) __asm__("_ZdlPvm");
void delete_array_sized(void *ptr, size_t size) __asm__("_ZdaPvm");

/* args->offset is the size that delete is told */
static void size_mismatch_new(const struct crime_args *args)
{
	void *ptr = new_one(args->size);

	crime_announce(ptr);
	delete_one_sized(ptr, args->offset);
}

static void size_mismatch_new_array(const struct crime_args *args)
{
	void *ptr = new_array(args->size);

	crime_announce(ptr);
	delete_array_sized(ptr, args->offset);
}

static void kind_malloc_delete(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	delete_one(ptr);
}

static void kind_malloc_delete_array(const struct crime_args *args)
{
	void *ptr = crime_malloc(args->size);

	crime_announce(ptr);
	delete_array(ptr);
}

static void kind_new_free(const struct crime_args *args)
{
	void *ptr = new_one(args->size);

	crime_announce(ptr);
	free(ptr);
}

static void kind_new_delete_array(const struct crime_args *args)
{
	void *ptr = new_one(args->size);

	crime_announce(ptr);
	delete_array(ptr);
}

static void kind_new_array_free(const struct crime_args *args)
{
	void *ptr = new_array(args->size);

	crime_announce(ptr);
	free(ptr);
}

static void kind_new_array_delete(const struct crime_args *args)
{
	void *ptr = new_array(args->size);

	crime_announce(ptr);
	delete_one(ptr);
}

static void kind_new_realloc(const struct crime_args *args)
{
	void *ptr = new_one(args->size);

	crime_announce(ptr);
	if (realloc(ptr, args->size * 4))
		return;
}

static void *delete_pointer(void *ptr)
{
	delete_one(ptr);
	return NULL;
}

static void kind_new_array_delete_other_thread(const struct crime_args *args)
{
	void *ptr = new_array(args->size);

	crime_announce(ptr);
	crime_in_thread(delete_pointer, ptr);
}

static void double_delete(const struct crime_args *args)
{
	void *ptr = new_one(args->size);

	crime_announce(ptr);
	delete_one(ptr);
	delete_one(ptr);
}

static void double_delete_sized(const struct crime_args *args)
{
	void *ptr = new_array(args->size);

	crime_announce(ptr);
	delete_array_sized(ptr, args->size);
	delete_array_sized(ptr, args->size);
}

const struct crime crimes_cxx[] = {
	{ "size_mismatch_new", size_mismatch_new },
	{ "size_mismatch_new_array", size_mismatch_new_array },
	{ "kind_malloc_delete", kind_malloc_delete },
	{ "kind_malloc_delete_array", kind_malloc_delete_array },
	{ "kind_new_free", kind_new_free },
	{ "kind_new_delete_array", kind_new_delete_array },
	{ "kind_new_array_free", kind_new_array_free },
	{ "kind_new_array_delete", kind_new_array_delete },
	{ "kind_new_realloc", kind_new_realloc },
	{ "kind_new_array_delete_other_thread",
	  kind_new_array_delete_other_thread },
	{ "double_delete", double_delete },
	{ "double_delete_sized", double_delete_sized },
	{ NULL, NULL },
};
