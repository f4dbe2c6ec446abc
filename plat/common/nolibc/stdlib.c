/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uk/alloc.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/console.h>

void *malloc(size_t size)
{
	return uk_malloc(uk_alloc_get_default(), size);
}

void *calloc(size_t nmemb, size_t size)
{
	return uk_calloc(uk_alloc_get_default(), nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
	return uk_realloc(uk_alloc_get_default(), ptr, size);
}

void *reallocarray(void *ptr, size_t nmemb, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(nmemb, size, &len)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(ptr, len);
}

void free(void *ptr)
{
	uk_free(uk_alloc_get_default(), ptr);
}

int posix_memalign(void **memptr, size_t align, size_t size)
{
	return uk_posix_memalign(uk_alloc_get_default(), memptr, align, size);
}

void *memalign(size_t align, size_t size)
{
	return uk_memalign(uk_alloc_get_default(), align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	if (!align || align & (align - 1)) {
		errno = EINVAL;
		return NULL;
	}
	return memalign(align, size);
}

void abort(void)
{
	ukplat_printk("abort() called by %p\n", __builtin_return_address(0));
	ukplat_crash();
}

void exit(int status)
{
	ukplat_terminate(status);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return __INT_MAX__;
}

/* Skips the prefix that belongs to a base, and finds the base if it is 0 */
static const char *base_find(const char *s, int *base)
{
	if ((*base == 0 || *base == 16) && s[0] == '0' &&
	    (s[1] == 'x' || s[1] == 'X') && digit_value(s[2]) < 16) {
		*base = 16;
		return s + 2;
	}
	if (*base == 0)
		*base = s[0] == '0' ? 8 : 10;
	return s;
}

unsigned long strtoul(const char *restrict nptr, char **restrict endptr,
		      int base)
{
	unsigned long val = 0;
	const char *s = nptr, *end = nptr;
	int neg, overflow = 0;

	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	neg = *s == '-';
	s += *s == '-' || *s == '+';
	s = base_find(s, &base);
	for (; digit_value(*s) < base; end = ++s) {
		overflow |=
			__builtin_mul_overflow(val, (unsigned long)base, &val);
		overflow |= __builtin_add_overflow(
			val, (unsigned long)digit_value(*s), &val);
	}
	if (endptr)
		*endptr = (char *)(__uptr)end;
	if (overflow) {
		errno = ERANGE;
		return ~0UL;
	}
	return neg ? -val : val;
}

unsigned long long strtoull(const char *restrict nptr, char **restrict endptr,
			    int base)
{
	return strtoul(nptr, endptr, base);
}

long strtol(const char *restrict nptr, char **restrict endptr, int base)
{
	return (long)strtoul(nptr, endptr, base);
}

int atoi(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

char *strdup(const char *s)
{
	size_t len = strlen(s) + 1;
	char *copy = malloc(len);

	return copy ? memcpy(copy, s, len) : NULL;
}
