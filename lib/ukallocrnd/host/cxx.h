/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HOST_CXX_H__
#define __UKALLOCRND_HOST_CXX_H__

/* The replaceable operators of C++ as functions of C: parameters as in the
 * standard, names as in the Itanium C++ ABI
 */

#include <uk/arch/types.h>

#include "preload.h"

/* operator new, operator new[] */
RND_EXPORT void *cxx_new_one(__sz size) __asm__("_Znwm");
RND_EXPORT void *
cxx_new_one_nothrow(__sz size, const void *tag) __asm__("_ZnwmRKSt9nothrow_t");
RND_EXPORT void *
cxx_new_one_aligned(__sz size, __sz align) __asm__("_ZnwmSt11align_val_t");
RND_EXPORT void *cxx_new_one_aligned_nothrow(
	__sz size, __sz align,
	const void *tag) __asm__("_ZnwmSt11align_val_tRKSt9nothrow_t");
RND_EXPORT void *cxx_new_array(__sz size) __asm__("_Znam");
RND_EXPORT void *
cxx_new_array_nothrow(__sz size,
		      const void *tag) __asm__("_ZnamRKSt9nothrow_t");
RND_EXPORT void *
cxx_new_array_aligned(__sz size, __sz align) __asm__("_ZnamSt11align_val_t");
RND_EXPORT void *cxx_new_array_aligned_nothrow(
	__sz size, __sz align,
	const void *tag) __asm__("_ZnamSt11align_val_tRKSt9nothrow_t");

/* operator delete, operator delete[] */
RND_EXPORT void cxx_delete_one(void *ptr) __asm__("_ZdlPv");
RND_EXPORT void
cxx_delete_one_nothrow(void *ptr,
		       const void *tag) __asm__("_ZdlPvRKSt9nothrow_t");
RND_EXPORT void cxx_delete_one_sized(void *ptr, __sz size) __asm__("_ZdlPvm");
RND_EXPORT void
cxx_delete_one_aligned(void *ptr, __sz align) __asm__("_ZdlPvSt11align_val_t");
RND_EXPORT void cxx_delete_one_aligned_nothrow(
	void *ptr, __sz align,
	const void *tag) __asm__("_ZdlPvSt11align_val_tRKSt9nothrow_t");
RND_EXPORT void
cxx_delete_one_sized_aligned(void *ptr, __sz size,
			     __sz align) __asm__("_ZdlPvmSt11align_val_t");
RND_EXPORT void cxx_delete_array(void *ptr) __asm__("_ZdaPv");
RND_EXPORT void
cxx_delete_array_nothrow(void *ptr,
			 const void *tag) __asm__("_ZdaPvRKSt9nothrow_t");
RND_EXPORT void cxx_delete_array_sized(void *ptr, __sz size) __asm__("_ZdaPvm");
RND_EXPORT void
cxx_delete_array_aligned(void *ptr,
			 __sz align) __asm__("_ZdaPvSt11align_val_t");
RND_EXPORT void cxx_delete_array_aligned_nothrow(
	void *ptr, __sz align,
	const void *tag) __asm__("_ZdaPvSt11align_val_tRKSt9nothrow_t");
RND_EXPORT void
cxx_delete_array_sized_aligned(void *ptr, __sz size,
			       __sz align) __asm__("_ZdaPvmSt11align_val_t");

#endif /* __UKALLOCRND_HOST_CXX_H__ */
