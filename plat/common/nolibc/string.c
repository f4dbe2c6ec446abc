/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include <uk/arch/types.h>

/* The first three functions must not contain loops: the compiler would turn
 * them into calls of these functions. Up to 16 bytes go in two pieces that may
 * overlap, more in 8-byte string instructions and one piece at the end.
 */
#define WORD 8

/* First and last 8, 4 or 1 bytes of 1 to 16; with the middle one of 3 */
static void copy_short(char *dst, const char *src, size_t len)
{
	__u64 first, last;
	__u32 lo, hi;
	char c;

	/* Everything is read before anything is written: memmove() */
	if (len >= WORD) {
		__builtin_memcpy(&first, src, WORD);
		__builtin_memcpy(&last, src + len - WORD, WORD);
		__builtin_memcpy(dst, &first, WORD);
		__builtin_memcpy(dst + len - WORD, &last, WORD);
	} else if (len >= 4) {
		__builtin_memcpy(&lo, src, 4);
		__builtin_memcpy(&hi, src + len - 4, 4);
		__builtin_memcpy(dst, &lo, 4);
		__builtin_memcpy(dst + len - 4, &hi, 4);
	} else if (len) {
		c = src[len / 2];
		lo = (unsigned char)src[0];
		hi = (unsigned char)src[len - 1];
		dst[0] = (char)lo;
		dst[len / 2] = c;
		dst[len - 1] = (char)hi;
	}
}

void *memcpy(void *restrict dst, const void *restrict src, size_t len)
{
	size_t words = len / WORD;
	const void *s = src;
	void *d = dst;
	__u64 last;

	if (len <= 2UL * WORD) {
		copy_short(dst, src, len);
		return dst;
	}
	/* Read first: for memmove() to a lower address */
	__builtin_memcpy(&last, (const char *)src + len - WORD, WORD);
	__asm__ __volatile__("rep movsq"
			     : "+D"(d), "+S"(s), "+c"(words)
			     :
			     : "memory");
	__builtin_memcpy((char *)dst + len - WORD, &last, WORD);
	return dst;
}

void *memmove(void *dst, const void *src, size_t len)
{
	size_t words = len / WORD;
	const char *s = (const char *)src + len - WORD;
	char *d = (char *)dst + len - WORD;
	__u64 first;

	if (len <= 2UL * WORD || (__uptr)dst - (__uptr)src >= len)
		return memcpy(dst, src, len);
	/* dst lies within the source: backwards */
	__builtin_memcpy(&first, src, WORD);
	__asm__ __volatile__("std; rep movsq; cld"
			     : "+D"(d), "+S"(s), "+c"(words)
			     :
			     : "memory");
	__builtin_memcpy(dst, &first, WORD);
	return dst;
}

void *memset(void *dst, int c, size_t len)
{
	__u64 pattern = 0x0101010101010101UL * (unsigned char)c;
	size_t words = len / WORD;
	char *end = (char *)dst + len;
	void *d = dst;

	if (len >= WORD) {
		__builtin_memcpy(end - WORD, &pattern, WORD);
		__asm__ __volatile__("rep stosq"
				     : "+D"(d), "+c"(words)
				     : "a"(pattern)
				     : "memory");
	} else if (len >= 4) {
		__builtin_memcpy(dst, &pattern, 4);
		__builtin_memcpy(end - 4, &pattern, 4);
	} else if (len) {
		*(char *)dst = (char)c;
		((char *)dst)[len / 2] = (char)c;
		end[-1] = (char)c;
	}
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
