/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Pointers that are no objects */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crime.h"

#define SLOT_ALIGN 16UL

static char static_memory[256] = { 1 };
static char zero_memory[256];

/* How far an object reaches: what is behind its last byte may be its slack */
static size_t reach_of(const struct thing *t)
{
	return t->slot == SLOT_LARGE ? t->o.size : t->slot;
}

/* A live object, or one that is dead */
static struct thing living_or_dead(unsigned int want)
{
	struct thing t = victim(want);

	if (one_in(2)) {
		history_put(&t);
	} else {
		kill_thing(&t);
		interlude();
	}
	return t;
}

static void interior(void)
{
	struct thing t;
	const char *ptr;
	size_t at;

	do {
		t = living_or_dead(WANT_SLOT | WANT_LARGE);
	} while (reach_of(&t) <= SLOT_ALIGN);
	at = SLOT_ALIGN * (1 + pick((reach_of(&t) - 1) / SLOT_ALIGN));
	ptr = (const char *)t.o.ptr + at;
	announce("interior", ptr, t.slot);
	misuse(ptr);
}

static void misaligned(void)
{
	struct thing t = living_or_dead(WANT_ANY);
	const char *ptr;
	size_t at;

	do {
		at = 1 + pick(one_in(2) ? SLOT_ALIGN - 1 : reach_of(&t) - 1);
	} while (at % SLOT_ALIGN == 0);
	ptr = (const char *)t.o.ptr + at;
	announce("misaligned", ptr, t.slot);
	misuse(ptr);
}

/* Tells whether two slots of a size class are both there and in one slab */
static int is_one_slab(uintptr_t a, uintptr_t b, size_t slot)
{
	uintptr_t end = (a > b ? a : b) + slot - 1;
	uintptr_t at = a < b ? a : b;

	for (; at < end; at += PAGE_LEN)
		if (!is_mapped((const void *)at))
			return 0;
	return is_mapped((const void *)end);
}

static void never_allocated(void)
{
	uintptr_t ptr, start;
	struct thing t;

	do {
		t = victim(WANT_SLOT);
		history_put(&t);
		start = (uintptr_t)t.o.ptr;
		ptr = start + (pick(9) - 4) * t.slot;
	} while (slot_is_shared(t.slot) || history_knows((const void *)ptr) ||
		 !is_one_slab(start, ptr, t.slot));
	announce("never_allocated", (const void *)ptr, t.slot);
	misuse((const void *)ptr);
}

static void foreign(void)
{
	char local[256];
	char *map = mmap(NULL, 3 * PAGE_LEN, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const char *base[] = {
		static_memory,
		zero_memory,
		local,
		map,
		map + 2 * PAGE_LEN,
		(const char *)(void *)foreign,
		(const char *)stdout,
	};
	const char *ptr = base[pick(sizeof(base) / sizeof(base[0]))];

	EXPECT(map != MAP_FAILED);
	/* The last page is one that was mapped once */
	EXPECT(!munmap(map + 2 * PAGE_LEN, PAGE_LEN));
	ptr += pick(2) ? pick(200) : 16 * pick(12);
	announce("foreign", ptr, SLOT_NONE);
	misuse(ptr);
}

/* The first page, and addresses that no program can have */
static void impossible(void)
{
	size_t number = random_next(&history.random) % 0x7f0000000000;

	switch (pick(4)) {
	case 0:
		number = 1 + pick(PAGE_LEN - 1);
		break;
	case 1:
		number |= 0xffff800000000000;
		break;
	case 2:
		number |= (1 + pick(0xfffe)) << 48 | 0x800000000000;
		break;
	default:
		number |= 0x7ff000000000;
	}
	if (one_in(2))
		number &= ~15UL;
	number += number ? 0 : SLOT_ALIGN;
	announce("impossible", (const void *)number, SLOT_NONE);
	misuse((const void *)number);
}

/* Any number that is no object: there is no telling where it lies */
static void any_number(void)
{
	size_t near = 1 + random_size(&history.random, 40), number;
	struct thing t = victim(WANT_ANY);

	history_put(&t);
	do {
		number = random_next(&history.random) >> (17 + pick(20));
		if (one_in(2))
			number =
				(uintptr_t)t.o.ptr + number % (2 * near) - near;
		if (one_in(2))
			number &= ~15UL;
	} while (!number || history_find((const void *)number));
	announce("any_number", (const void *)number, SLOT_UNKNOWN);
	misuse((const void *)number);
}

static void guard_large(void)
{
	struct thing t = victim(WANT_LARGE);
	size_t len = (t.o.size + history.canary_len + PAGE_LEN - 1) / PAGE_LEN *
		     PAGE_LEN;
	const char *ptr = (const char *)t.o.ptr - PAGE_LEN;

	history_put(&t);
	if (one_in(2))
		ptr += PAGE_LEN + len;
	if (one_in(2))
		ptr += pick(PAGE_LEN);
	announce("guard_large", ptr, SLOT_UNKNOWN);
	misuse(ptr);
}

/* The first page behind a slab, or the last one before it */
static void guard_slab(void)
{
	struct thing t = victim(WANT_SLOT);
	uintptr_t page = (uintptr_t)t.o.ptr / PAGE_LEN * PAGE_LEN;
	size_t step = one_in(2) ? PAGE_LEN : -PAGE_LEN;
	const void *ptr;

	history_put(&t);
	while (is_mapped((const void *)page))
		page += step;
	ptr = (const void *)(page + (one_in(2) ? pick(PAGE_LEN) : 0));
	announce("guard_slab", ptr, SLOT_UNKNOWN);
	misuse(ptr);
}

/* True if a line of /proc/self/maps is anonymous, writable memory without a
 * name: slots, large objects, what the allocator knows about them, and stacks
 *
 *     7f0123456000-7f0123466000 rw-p 00000000 00:00 0
 */
static int is_anonymous(const char *line, size_t *start, size_t *end)
{
	char *at;

	*start = strtoul(line, &at, 16);
	*end = strtoul(at + 1, &at, 16);
	if (strncmp(at, " rw-p 00000000 00:00 0", 22) != 0)
		return 0;
	at += 22;
	return at[strspn(at, " ")] == 0;
}

/* An address in memory of the allocator, metadata mostly */
static void mapping(void)
{
	static char text[1 << 22];
	size_t start, end, seen = 0, number = 0;
	ssize_t got, len = 0;
	char *line, *rest;
	int fd;

	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	while ((got = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += got;
	close(fd);

	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (is_anonymous(line, &start, &end) && one_in(++seen))
			number = start + pick((end - start) / 16) * 16;
	while (history_find((const void *)number))
		number++;
	EXPECT(number);
	announce("mapping", (const void *)number, SLOT_UNKNOWN);
	misuse((const void *)number);
}

const struct crime crimes_pointer[] = {
	{ "interior", 3, interior },
	{ "misaligned", 3, misaligned },
	{ "never_allocated", 2, never_allocated },
	{ "foreign", 2, foreign },
	{ "impossible", 1, impossible },
	{ "any_number", 1, any_number },
	{ "guard_large", 1, guard_large },
	{ "guard_slab", 1, guard_slab },
	{ "mapping", 1, mapping },
	{ NULL, 0, NULL },
};
