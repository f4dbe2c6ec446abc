/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __NOLIBC_STDLIB_H__
#define __NOLIBC_STDLIB_H__

/* Memory comes from the default allocator of <uk/alloc.h>. The status of
 * exit() is an argument of ukplat_terminate().
 */

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

#ifdef __cplusplus
extern "C" {
#endif

void *malloc(size_t size) __attribute__((malloc));
void *calloc(size_t nmemb, size_t size) __attribute__((malloc));
void *realloc(void *ptr, size_t size);
void *reallocarray(void *ptr, size_t nmemb, size_t size);
void free(void *ptr);
int posix_memalign(void **memptr, size_t align, size_t size);
void *memalign(size_t align, size_t size) __attribute__((malloc));
void *aligned_alloc(size_t align, size_t size) __attribute__((malloc));

void abort(void) __attribute__((noreturn));
void exit(int status) __attribute__((noreturn));

unsigned long strtoul(const char *__restrict nptr, char **__restrict endptr,
		      int base);
unsigned long long strtoull(const char *__restrict nptr,
			    char **__restrict endptr, int base);
long strtol(const char *__restrict nptr, char **__restrict endptr, int base);
int atoi(const char *s);
void qsort(void *base, size_t nmemb, size_t size,
	   int (*cmp)(const void *, const void *));

#ifdef __cplusplus
}
#endif

#endif /* __NOLIBC_STDLIB_H__ */
