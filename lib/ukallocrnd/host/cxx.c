/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The replaceable operators new and delete of C++
 *
 * Why
 *   libstdc++ forwards to malloc() and free(), which loses two facts that
 *   catch bugs: the form (new, new[]) and the size that delete was told.
 *
 * How
 *   Plain C functions under the names that the C++ ABI gives the operators.
 *   The C++ run-time is not linked; its two functions that exhaustion needs
 *   are weak references, or looked for if they were not there at the start.
 *
 *   Four forms are bases, each without and with alignment: new, new[],
 *   delete, delete[]. By the standard all others behave as if they called a
 *   base, and new[] and delete[] as if they called new and delete. So a
 *   program that replaces a base gets the calls of the others, too: each form
 *   looks at what the program has under the name of its base.
 *
 *   An exception leaves through these frames, hence the file is compiled
 *   with unwind tables (the default on x86_64). What a new handler, or a
 *   replaced form, throws inside a nothrow form reaches the caller: C cannot
 *   catch it.
 */

#include <dlfcn.h>

#include "cxx.h"
#include "cxx_base.h"
#include "fast.h"
#include "heap.h"
#include "port.h"
#include "preload.h"
#include "report.h"
#include "resize.h"

typedef void (*cxx_handler_func)(void);

/* std::get_new_handler(), std::__throw_bad_alloc() */
cxx_handler_func cxx_get_handler(void) __asm__("_ZSt15get_new_handlerv") __weak;
void cxx_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") __weak;

/* A function of the run-time, if it is there */
static void *cxx_loaded(const char *name)
{
	void *lib = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);

	return lib ? dlsym(lib, name) : __NULL;
}

/* Memory is exhausted. Returns after the program's handler may have made
 * some available; otherwise returns false (nothrow) or does not return.
 */
static __bool __attribute__((cold, noinline)) cxx_exhausted(__bool nothrow)
{
	cxx_handler_func (*get)(void) = cxx_get_handler;
	void (*throw)(void) = cxx_throw_bad_alloc;
	cxx_handler_func handler;

	/* A C program may have loaded C++ later */
	if (!get)
		*(void **)&get = cxx_loaded("_ZSt15get_new_handlerv");
	if (!throw)
		*(void **)&throw = cxx_loaded("_ZSt17__throw_bad_allocv");
	handler = get ? get() : __NULL;
	if (handler) {
		handler();
		return 1;
	}
	if (nothrow)
		return 0;
	if (throw)
		throw();
	rnd_print("ukallocrnd: operator new: out of memory and no C++ "
		  "run-time to throw\n");
	rnd_port_abort();
}

static void *__attribute__((cold, noinline))
cxx_retry(__sz align, __sz size, enum rnd_kind kind, __bool nothrow,
	  __uptr caller)
{
	void *ptr = __NULL;

	while (!ptr && cxx_exhausted(nothrow))
		ptr = rnd_memalign(rnd_preload_heap(), align, size, kind,
				   caller);
	return ptr;
}

/* Alignment of every allocation */
#define CXX_ALIGN 16UL

/* What the fast path leaves */
static void *__noinline cxx_out(__sz size, enum rnd_kind kind, __bool nothrow,
				__uptr caller)
{
	struct rnd_heap *heap = rnd_preload_heap();
	void *ptr = rnd_malloc_out(heap, size, kind, caller);

	rnd_preload_settle(heap);
	return likely(ptr) ? ptr :
			     cxx_retry(CXX_ALIGN, size, kind, nothrow, caller);
}

/* Inlined, so that the return address is that of the operator's caller */
static inline __attribute__((always_inline)) void *
cxx_new(__sz size, enum rnd_kind kind, __bool nothrow)
{
	void *ptr;

	if (rnd_size_is_short(size) &&
	    rnd_malloc_short(rnd_host_pcpu, size, kind, &ptr))
		return ptr;

	return cxx_out(size, kind, nothrow, RND_CALLER());
}

static inline __attribute__((always_inline)) void *
cxx_new_aligned(__sz align, __sz size, enum rnd_kind kind, __bool nothrow)
{
	__uptr caller = RND_CALLER();
	void *ptr;

	ptr = rnd_memalign(rnd_preload_heap(), align, size, kind, caller);
	if (likely(ptr))
		return ptr;
	return cxx_retry(align, size, kind, nothrow, caller);
}

/* What rnd_memalign() makes of a request for no bytes */
static inline __sz cxx_aligned_size(__sz size, __sz align)
{
	return !size && align > CXX_ALIGN ? 1 : size;
}

static inline __attribute__((always_inline)) void cxx_delete(void *ptr,
							     enum rnd_kind kind)
{
	__u32 sc = rnd_ptr_short(rnd_preload_peek(), ptr);

	if (unlikely(!sc) ||
	    !rnd_free_short(rnd_host_pcpu, sc, ptr, RND_SIZE_UNKNOWN, kind))
		rnd_free_out(rnd_preload_heap(), ptr, kind, RND_CALLER());
}

static inline __attribute__((always_inline)) void
cxx_delete_sized(void *ptr, __sz size, enum rnd_kind kind)
{
	__u32 sc = rnd_ptr_short(rnd_preload_peek(), ptr);

	if (unlikely(!sc) ||
	    !rnd_free_short(rnd_host_pcpu, sc, ptr, size, kind))
		rnd_free_sized_out(rnd_preload_heap(), ptr, size, kind,
				   RND_CALLER());
}

/*
 * The forms
 */

void *cxx_new_one(__sz size)
{
	return cxx_new(size, RND_KIND_NEW, 0);
}

void *cxx_new_one_nothrow(__sz size, const void *tag)
{
	CXX_FORWARD(cxx_new_func, cxx_base_new(), size);
	(void)tag;
	return cxx_new(size, RND_KIND_NEW, 1);
}

void *cxx_new_one_aligned(__sz size, __sz align)
{
	return cxx_new_aligned(align, size, RND_KIND_NEW, 0);
}

void *cxx_new_one_aligned_nothrow(__sz size, __sz align, const void *tag)
{
	CXX_FORWARD(cxx_new_aligned_func, cxx_base_new_aligned(), size, align);
	(void)tag;
	return cxx_new_aligned(align, size, RND_KIND_NEW, 1);
}

void *cxx_new_array(__sz size)
{
	CXX_FORWARD(cxx_new_func, cxx_base_new(), size);
	return cxx_new(size, RND_KIND_NEW_ARRAY, 0);
}

void *cxx_new_array_nothrow(__sz size, const void *tag)
{
	CXX_FORWARD(cxx_new_func, cxx_base_new_array(), size);
	(void)tag;
	return cxx_new(size, RND_KIND_NEW_ARRAY, 1);
}

void *cxx_new_array_aligned(__sz size, __sz align)
{
	CXX_FORWARD(cxx_new_aligned_func, cxx_base_new_aligned(), size, align);
	return cxx_new_aligned(align, size, RND_KIND_NEW_ARRAY, 0);
}

void *cxx_new_array_aligned_nothrow(__sz size, __sz align, const void *tag)
{
	CXX_FORWARD(cxx_new_aligned_func, cxx_base_new_array_aligned(), size,
		    align);
	(void)tag;
	return cxx_new_aligned(align, size, RND_KIND_NEW_ARRAY, 1);
}

void cxx_delete_one(void *ptr)
{
	cxx_delete(ptr, RND_KIND_NEW);
}

void cxx_delete_one_nothrow(void *ptr, const void *tag)
{
	CXX_FORWARD(cxx_delete_func, cxx_base_delete(), ptr);
	(void)tag;
	cxx_delete(ptr, RND_KIND_NEW);
}

void cxx_delete_one_sized(void *ptr, __sz size)
{
	CXX_FORWARD(cxx_delete_func, cxx_base_delete(), ptr);
	cxx_delete_sized(ptr, size, RND_KIND_NEW);
}

void cxx_delete_one_aligned(void *ptr, __sz align)
{
	(void)align;
	cxx_delete(ptr, RND_KIND_NEW);
}

void cxx_delete_one_aligned_nothrow(void *ptr, __sz align, const void *tag)
{
	CXX_FORWARD(cxx_delete_aligned_func, cxx_base_delete_aligned(), ptr,
		    align);
	(void)align;
	(void)tag;
	cxx_delete(ptr, RND_KIND_NEW);
}

void cxx_delete_one_sized_aligned(void *ptr, __sz size, __sz align)
{
	CXX_FORWARD(cxx_delete_aligned_func, cxx_base_delete_aligned(), ptr,
		    align);
	cxx_delete_sized(ptr, cxx_aligned_size(size, align), RND_KIND_NEW);
}

void cxx_delete_array(void *ptr)
{
	CXX_FORWARD(cxx_delete_func, cxx_base_delete(), ptr);
	cxx_delete(ptr, RND_KIND_NEW_ARRAY);
}

void cxx_delete_array_nothrow(void *ptr, const void *tag)
{
	CXX_FORWARD(cxx_delete_func, cxx_base_delete_array(), ptr);
	(void)tag;
	cxx_delete(ptr, RND_KIND_NEW_ARRAY);
}

void cxx_delete_array_sized(void *ptr, __sz size)
{
	CXX_FORWARD(cxx_delete_func, cxx_base_delete_array(), ptr);
	cxx_delete_sized(ptr, size, RND_KIND_NEW_ARRAY);
}

void cxx_delete_array_aligned(void *ptr, __sz align)
{
	CXX_FORWARD(cxx_delete_aligned_func, cxx_base_delete_aligned(), ptr,
		    align);
	(void)align;
	cxx_delete(ptr, RND_KIND_NEW_ARRAY);
}

void cxx_delete_array_aligned_nothrow(void *ptr, __sz align, const void *tag)
{
	CXX_FORWARD(cxx_delete_aligned_func, cxx_base_delete_array_aligned(),
		    ptr, align);
	(void)align;
	(void)tag;
	cxx_delete(ptr, RND_KIND_NEW_ARRAY);
}

void cxx_delete_array_sized_aligned(void *ptr, __sz size, __sz align)
{
	CXX_FORWARD(cxx_delete_aligned_func, cxx_base_delete_array_aligned(),
		    ptr, align);
	cxx_delete_sized(ptr, cxx_aligned_size(size, align),
			 RND_KIND_NEW_ARRAY);
}
