/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <stdlib.h>
#include <string.h>

#include <uk/arch/types.h>

/* The compiler turns loops into calls of these functions, so the first three
 * are made of string instructions.
 */
void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	void *d = dst;

	__asm__ __volatile__("rep movsb"
			     : "+D"(d), "+S"(src), "+c"(len)
			     :
			     : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	const char *s = src;
	char *d = dst;

	if ((__uptr)dst - (__uptr)src >= len)
		return memcpy(dst, src, len);
	/* dst lies within the source: backwards */
	d += len - 1;
	s += len - 1;
	__asm__ __volatile__("std; rep movsb; cld"
			     : "+D"(d), "+S"(s), "+c"(len)
			     :
			     : "memory");
	return dst;
}

void *memset(void *dst, int c, size_t len)
{
	__u64 pattern = 0x0101010101010101UL * (unsigned char)c;
	size_t words = len / sizeof(pattern);
	void *d = dst;

	len %= sizeof(pattern);
	__asm__ __volatile__("rep stosq\n\t"
			     "movq %3, %1\n\t"
			     "rep stosb"
			     : "+D"(d), "+c"(words)
			     : "a"(pattern), "r"(len)
			     : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const unsigned char *x = a, *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t len)
{
	const unsigned char *p = s;

	for (; len; len--, p++)
		if (*p == (unsigned char)c)
			return (void *)(__uptr)p;
	return NULL;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

size_t strnlen(const char *s, size_t max)
{
	size_t len = 0;

	while (len < max && s[len])
		len++;
	return len;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t len)
{
	for (; len; len--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(__uptr)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)(__uptr)found;
	}
}

char *strstr(const char *s, const char *sub)
{
	size_t len = strlen(sub);

	for (;; s++) {
		if (!strncmp(s, sub, len))
			return (char *)(__uptr)s;
		if (!*s)
			return NULL;
	}
}

char *strcpy(char *restrict dst, const char *restrict src)
{
	return memcpy(dst, src, strlen(src) + 1);
}

char *strncpy(char *restrict dst, const char *restrict src, size_t len)
{
	size_t used = strnlen(src, len);

	memcpy(dst, src, used);
	memset(dst + used, 0, len - used);
	return dst;
}

char *strcat(char *restrict dst, const char *restrict src)
{
	memcpy(dst + strlen(dst), src, strlen(src) + 1);
	return dst;
}

char *strdup(const char *s)
{
	size_t len = strlen(s) + 1;
	char *copy = malloc(len);

	return copy ? memcpy(copy, s, len) : NULL;
}
