/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HOST_CXX_BASE_H__
#define __UKALLOCRND_HOST_CXX_BASE_H__

/* Base forms of the operators that a program has replaced
 *
 * Part of cxx.c and of nothing else: the hidden names below stand for its
 * functions.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "cxx.h"

/* The function that the whole program has under a name, which may be ours.
 * By assembly, because a compiler may take for granted that it is.
 */
#define CXX_SEEN(symbol)                                                       \
	({                                                                     \
		void *cxx_seen_;                                               \
		__asm__("movq " symbol "@GOTPCREL(%%rip), %0"                  \
			: "=r"(cxx_seen_));                                    \
		cxx_seen_;                                                     \
	})

/* Ours, under names that nobody can replace */
#define CXX_OWN(symbol) __attribute__((alias(symbol), visibility("hidden")))

void *cxx_own_new(__sz size) CXX_OWN("_Znwm");
void *cxx_own_new_array(__sz size) CXX_OWN("_Znam");
void *cxx_own_new_aligned(__sz size, __sz align)
	CXX_OWN("_ZnwmSt11align_val_t");
void *cxx_own_new_array_aligned(__sz size, __sz align)
	CXX_OWN("_ZnamSt11align_val_t");
void cxx_own_delete(void *ptr) CXX_OWN("_ZdlPv");
void cxx_own_delete_array(void *ptr) CXX_OWN("_ZdaPv");
void cxx_own_delete_aligned(void *ptr, __sz align)
	CXX_OWN("_ZdlPvSt11align_val_t");
void cxx_own_delete_array_aligned(void *ptr, __sz align)
	CXX_OWN("_ZdaPvSt11align_val_t");

typedef void *(*cxx_new_func)(__sz size);
typedef void *(*cxx_new_aligned_func)(__sz size, __sz align);
typedef void (*cxx_delete_func)(void *ptr);
typedef void (*cxx_delete_aligned_func)(void *ptr, __sz align);

/* The base to call instead, or __NULL: none is replaced. The second one is
 * what the first one, if it is ours, calls in turn.
 */
#define CXX_PICK(type, first, own_first, second, own_second)                   \
	({                                                                     \
		type cxx_first_ = (type)CXX_SEEN(first);                       \
		type cxx_second_ = (type)CXX_SEEN(second);                     \
		cxx_first_ != (own_first)   ? cxx_first_ :                     \
		cxx_second_ != (own_second) ? cxx_second_ :                    \
					      (type)__NULL;                    \
	})

static inline cxx_new_func cxx_base_new(void)
{
	return CXX_PICK(cxx_new_func, "_Znwm", cxx_own_new, "_Znwm",
			cxx_own_new);
}

static inline cxx_new_func cxx_base_new_array(void)
{
	return CXX_PICK(cxx_new_func, "_Znam", cxx_own_new_array, "_Znwm",
			cxx_own_new);
}

static inline cxx_new_aligned_func cxx_base_new_aligned(void)
{
	return CXX_PICK(cxx_new_aligned_func, "_ZnwmSt11align_val_t",
			cxx_own_new_aligned, "_ZnwmSt11align_val_t",
			cxx_own_new_aligned);
}

static inline cxx_new_aligned_func cxx_base_new_array_aligned(void)
{
	return CXX_PICK(cxx_new_aligned_func, "_ZnamSt11align_val_t",
			cxx_own_new_array_aligned, "_ZnwmSt11align_val_t",
			cxx_own_new_aligned);
}

static inline cxx_delete_func cxx_base_delete(void)
{
	return CXX_PICK(cxx_delete_func, "_ZdlPv", cxx_own_delete, "_ZdlPv",
			cxx_own_delete);
}

static inline cxx_delete_func cxx_base_delete_array(void)
{
	return CXX_PICK(cxx_delete_func, "_ZdaPv", cxx_own_delete_array,
			"_ZdlPv", cxx_own_delete);
}

static inline cxx_delete_aligned_func cxx_base_delete_aligned(void)
{
	return CXX_PICK(cxx_delete_aligned_func, "_ZdlPvSt11align_val_t",
			cxx_own_delete_aligned, "_ZdlPvSt11align_val_t",
			cxx_own_delete_aligned);
}

static inline cxx_delete_aligned_func cxx_base_delete_array_aligned(void)
{
	return CXX_PICK(cxx_delete_aligned_func, "_ZdaPvSt11align_val_t",
			cxx_own_delete_array_aligned, "_ZdlPvSt11align_val_t",
			cxx_own_delete_aligned);
}

/* Leaves the calling form through a replaced base */
#define CXX_FORWARD(type, base, ...)                                           \
	do {                                                                   \
		type cxx_base_ = (base);                                       \
		if (unlikely(cxx_base_ != (type)__NULL))                       \
			return cxx_base_(__VA_ARGS__);                         \
	} while (0)

#endif /* __UKALLOCRND_HOST_CXX_BASE_H__ */
