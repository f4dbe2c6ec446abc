/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTTEST_LIBC_H__
#define __GUESTTEST_LIBC_H__

/* The malloc family through pointers that no compiler sees through: it must
 * neither optimize a misuse away nor warn about one that is meant.
 */

#include <uk/arch/types.h>

struct libc {
	void *(*malloc)(__sz size);
	void *(*calloc)(__sz nmemb, __sz size);
	void *(*realloc)(void *ptr, __sz size);
	int (*posix_memalign)(void **memptr, __sz align, __sz size);
	void (*free)(void *ptr);
};

extern const volatile struct libc libc;

#endif /* __GUESTTEST_LIBC_H__ */
