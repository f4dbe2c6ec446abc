/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What the history stands on: output, addresses, sizes */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "history.h"

/* Every address that an object ever had: a table of hashes, never full */
#define KNOWN_BITS 17U
#define KNOWN_MAX  (1U << (KNOWN_BITS - 1))

#define SLOTS_MAX 128U

static const void *known[1U << KNOWN_BITS];
static unsigned int known_cnt;

static void print_line(const char *fmt, va_list args)
{
	char line[256];
	int len;

	len = vsnprintf(line, sizeof(line), fmt, args);
	EXPECT(len > 0 && len < (int)sizeof(line));
	EXPECT(write(STDOUT_FILENO, line, (size_t)len) == len);
}

void tell(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
}

void note(const char *fmt, ...)
{
	va_list args;

	if (!history.print)
		return;
	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
}

/*
 * Addresses
 */

static const void **known_place(const void *ptr)
{
	size_t i = (uintptr_t)ptr * 0x9e3779b97f4a7c15 >> (64 - KNOWN_BITS);

	while (known[i] && known[i] != ptr)
		i = (i + 1) % (1U << KNOWN_BITS);
	return &known[i];
}

void history_know(const void *ptr)
{
	const void **place = known_place(ptr);

	if (*place)
		return;
	*place = ptr;
	EXPECT(++known_cnt < KNOWN_MAX);
}

int history_knows(const void *ptr)
{
	return *known_place(ptr) != NULL;
}

/*
 * Sizes
 */

/* Lengths of all slots, ascending; a slot of the last one is the longest */
static size_t slots[SLOTS_MAX];
static unsigned int slots_cnt;

int slots_read(const char *list)
{
	char *end;

	for (slots_cnt = 0; slots_cnt < SLOTS_MAX; list = end + 1) {
		slots[slots_cnt] = strtoul(list, &end, 10);
		if (!slots[slots_cnt++])
			return 0;
		if (*end != ',')
			break;
	}
	history.slot_max = slots[slots_cnt - 1];
	return !*end;
}

size_t slot_of(size_t size)
{
	unsigned int i;

	for (i = 0; i < slots_cnt; i++)
		if (!size ||
		    (size <= slots[i] && slots[i] - size >= history.canary_len))
			return slots[i];
	return SLOT_LARGE;
}

static size_t size_any(void)
{
	size_t kind = pick(100), size;

	if (kind < 6)
		return 0;
	if (kind < 65)
		return random_size(&history.random, 10);
	if (kind < 80) {
		/* One byte more or less makes a difference here */
		size = slot_of(random_size(&history.random, 15));
		return size - history.canary_len + pick(3) - 1;
	}
	if (kind < 94)
		return 1024 + pick(history.slot_max - 1024);
	size = history.slot_max + random_size(&history.random, 19);
	return one_in(4) ? size / PAGE_LEN * PAGE_LEN : size;
}

size_t pick_size(void)
{
	size_t size = size_any();

	return size > history.size_max ? size % (history.size_max + 1) : size;
}
