/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <dlfcn.h>
#include <stdint.h>

#include "forms.h"
#include "object.h"

#define PAGE_LEN 4096UL

typedef void *(*alloc1_func)(size_t a);
typedef void *(*alloc2_func)(size_t a, size_t b);
typedef void *(*alloc3_func)(size_t a, size_t b, const void *tag);
typedef void *(*alloc_tag_func)(size_t a, const void *tag);
typedef void *(*resize_func)(void *ptr, size_t size);
typedef void *(*resize_array_func)(void *ptr, size_t cnt, size_t size);
typedef int (*posix_func)(void **ptr, size_t align, size_t size);
typedef size_t (*query_func)(void *ptr);
typedef void (*free1_func)(void *ptr);
typedef void (*free2_func)(void *ptr, size_t a);
typedef void (*free3_func)(void *ptr, size_t a, size_t b);
typedef void (*free_tag_func)(void *ptr, const void *tag);
typedef void (*free2_tag_func)(void *ptr, size_t a, const void *tag);

/* An object of class std::nothrow_t, of which only the address counts */
static const char nothrow;

/*
 * Signatures of what allocates
 */

static void run_size(void (*fn)(void), struct call *c)
{
	c->ptr = ((alloc1_func)fn)(c->size);
}

static void run_size_tag(void (*fn)(void), struct call *c)
{
	c->ptr = ((alloc_tag_func)fn)(c->size, &nothrow);
}

static void run_size_align(void (*fn)(void), struct call *c)
{
	c->ptr = ((alloc2_func)fn)(c->size, c->align);
}

static void run_size_align_tag(void (*fn)(void), struct call *c)
{
	c->ptr = ((alloc3_func)fn)(c->size, c->align, &nothrow);
}

static void run_align_size(void (*fn)(void), struct call *c)
{
	c->ptr = ((alloc2_func)fn)(c->align, c->size);
}

/* As many elements of 1, 2, 4... bytes as the size allows */
static size_t element(size_t size)
{
	size_t bit = size & -size;

	return bit > 64 ? 64 : bit;
}

static void run_calloc(void (*fn)(void), struct call *c)
{
	size_t len = element(c->size);

	c->ptr = ((alloc2_func)fn)(len ? c->size / len : 0, len);
}

static void run_from_nothing(void (*fn)(void), struct call *c)
{
	c->ptr = ((resize_func)fn)(NULL, c->size);
}

static void run_array_from_nothing(void (*fn)(void), struct call *c)
{
	size_t len = element(c->size);

	c->ptr = ((resize_array_func)fn)(NULL, len ? c->size / len : 0, len);
}

static void run_posix(void (*fn)(void), struct call *c)
{
	c->ptr = NULL;
	EXPECT(((posix_func)fn)(&c->ptr, c->align, c->size) == 0);
}

/*
 * Signatures of what frees
 */

static void run_ptr(void (*fn)(void), struct call *c)
{
	((free1_func)fn)(c->ptr);
}

static void run_ptr_tag(void (*fn)(void), struct call *c)
{
	((free_tag_func)fn)(c->ptr, &nothrow);
}

static void run_ptr_size(void (*fn)(void), struct call *c)
{
	((free2_func)fn)(c->ptr, c->size);
}

static void run_ptr_align(void (*fn)(void), struct call *c)
{
	((free2_func)fn)(c->ptr, c->align);
}

static void run_ptr_align_tag(void (*fn)(void), struct call *c)
{
	((free2_tag_func)fn)(c->ptr, c->align, &nothrow);
}

static void run_ptr_size_align(void (*fn)(void), struct call *c)
{
	((free3_func)fn)(c->ptr, c->size, c->align);
}

static void run_to_nothing(void (*fn)(void), struct call *c)
{
	EXPECT(!((resize_func)fn)(c->ptr, 0));
}

/*
 * Neither
 */

static void run_resize(void (*fn)(void), struct call *c)
{
	c->ptr = ((resize_func)fn)(c->ptr, c->size);
}

static void run_query(void (*fn)(void), struct call *c)
{
	c->size = ((query_func)fn)(c->ptr);
}

#define MALLOC FAMILY_MALLOC
#define NEW    FAMILY_NEW
#define ARRAY  FAMILY_ARRAY
#define CNT(x) (sizeof(x) / sizeof((x)[0]))

#define FORM(name, symbol, family, flags, run)                                 \
	{                                                                      \
		name, symbol, family, flags, run, NULL                         \
	}

struct form alloc_forms[] = {
	FORM("malloc", "malloc", MALLOC, 0, run_size),
	FORM("calloc", "calloc", MALLOC, FORM_ZEROED, run_calloc),
	FORM("realloc(NULL)", "realloc", MALLOC, 0, run_from_nothing),
	FORM("reallocarray(NULL)", "reallocarray", MALLOC, 0,
	     run_array_from_nothing),
	FORM("memalign", "memalign", MALLOC, FORM_ALIGNED, run_align_size),
	FORM("aligned_alloc", "aligned_alloc", MALLOC, FORM_ALIGNED,
	     run_align_size),
	FORM("posix_memalign", "posix_memalign", MALLOC, FORM_ALIGNED,
	     run_posix),
	FORM("valloc", "valloc", MALLOC, FORM_PAGED, run_size),
	FORM("pvalloc", "pvalloc", MALLOC, FORM_PAGED | FORM_ROUNDED, run_size),
	FORM("new", "_Znwm", NEW, 0, run_size),
	FORM("new nothrow", "_ZnwmRKSt9nothrow_t", NEW, 0, run_size_tag),
	FORM("new align", "_ZnwmSt11align_val_t", NEW, FORM_ALIGNED,
	     run_size_align),
	FORM("new align nothrow", "_ZnwmSt11align_val_tRKSt9nothrow_t", NEW,
	     FORM_ALIGNED, run_size_align_tag),
	FORM("new[]", "_Znam", ARRAY, 0, run_size),
	FORM("new[] nothrow", "_ZnamRKSt9nothrow_t", ARRAY, 0, run_size_tag),
	FORM("new[] align", "_ZnamSt11align_val_t", ARRAY, FORM_ALIGNED,
	     run_size_align),
	FORM("new[] align nothrow", "_ZnamSt11align_val_tRKSt9nothrow_t", ARRAY,
	     FORM_ALIGNED, run_size_align_tag),
};

struct form free_forms[] = {
	FORM("free", "free", MALLOC, 0, run_ptr),
	FORM("realloc to 0", "realloc", MALLOC, 0, run_to_nothing),
	FORM("delete", "_ZdlPv", NEW, 0, run_ptr),
	FORM("delete nothrow", "_ZdlPvRKSt9nothrow_t", NEW, 0, run_ptr_tag),
	FORM("delete size", "_ZdlPvm", NEW, FORM_SIZED, run_ptr_size),
	FORM("delete align", "_ZdlPvSt11align_val_t", NEW, FORM_ALIGNED,
	     run_ptr_align),
	FORM("delete align nothrow", "_ZdlPvSt11align_val_tRKSt9nothrow_t", NEW,
	     FORM_ALIGNED, run_ptr_align_tag),
	FORM("delete size align", "_ZdlPvmSt11align_val_t", NEW,
	     FORM_ALIGNED | FORM_SIZED, run_ptr_size_align),
	FORM("delete[]", "_ZdaPv", ARRAY, 0, run_ptr),
	FORM("delete[] nothrow", "_ZdaPvRKSt9nothrow_t", ARRAY, 0, run_ptr_tag),
	FORM("delete[] size", "_ZdaPvm", ARRAY, FORM_SIZED, run_ptr_size),
	FORM("delete[] align", "_ZdaPvSt11align_val_t", ARRAY, FORM_ALIGNED,
	     run_ptr_align),
	FORM("delete[] align nothrow", "_ZdaPvSt11align_val_tRKSt9nothrow_t",
	     ARRAY, FORM_ALIGNED, run_ptr_align_tag),
	FORM("delete[] size align", "_ZdaPvmSt11align_val_t", ARRAY,
	     FORM_ALIGNED | FORM_SIZED, run_ptr_size_align),
};

const unsigned int alloc_forms_cnt = CNT(alloc_forms);
const unsigned int free_forms_cnt = CNT(free_forms);

struct form form_realloc = FORM("realloc", "realloc", MALLOC, 0, run_resize);
struct form form_usable =
	FORM("malloc_usable_size", "malloc_usable_size", MALLOC, 0, run_query);

static void form_find(struct form *form)
{
	void *fn = dlsym(RTLD_DEFAULT, form->symbol);

	if (!fn)
		test_die("there is no %s: is the library preloaded?",
			 form->symbol);
	form->fn = (void (*)(void))(uintptr_t)fn;
}

void forms_init(void)
{
	unsigned int i;

	for (i = 0; i < alloc_forms_cnt; i++)
		form_find(&alloc_forms[i]);
	for (i = 0; i < free_forms_cnt; i++)
		form_find(&free_forms[i]);
	form_find(&form_realloc);
	form_find(&form_usable);
}
