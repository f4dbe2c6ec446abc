/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* What the loader leaves: nothing of itself, and mappings with exact rights
 *
 * These cases come first, before others have used the memory again that was
 * the loader's.
 */

#include <stdlib.h>
#include <string.h>

#include <uk/arch/paging.h>
#include <uk/arch/types.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "test.h"
#include "../../plat/common/bootinfo.h"

#define ATTR_ALL                                                               \
	(PAGE_ATTR_PROT_READ | PAGE_ATTR_PROT_WRITE | PAGE_ATTR_PROT_EXEC)
#define ATTR_RW (PAGE_ATTR_PROT_READ | PAGE_ATTR_PROT_WRITE)

#define RANGES_MAX (2U * BOOT_SEGS_MAX)

/* Places of the memory map, by the last word of their names */
static struct ranges {
	unsigned int cnt, lost;
	struct range {
		__vaddr_t base;
		__sz len;
	} r[RANGES_MAX];
} texts, segments, direct;

static int name_ends(const char *name, const char *end)
{
	__sz len = strlen(name), end_len = strlen(end);

	return len >= end_len && !strcmp(name + len - end_len, end);
}

static void range_add(struct ranges *to, __vaddr_t base, __sz len)
{
	if (to->cnt == RANGES_MAX)
		to->lost++;
	else
		to->r[to->cnt++] = (struct range){ base, len };
}

static int ranges_have(const struct ranges *in, __vaddr_t base, __sz len)
{
	unsigned int i;

	for (i = 0; i < in->cnt; i++)
		if (base >= in->r[i].base && len <= in->r[i].len &&
		    base - in->r[i].base <= in->r[i].len - len)
			return 1;
	return 0;
}

static void row_note(void *arg __unused, const char *name, __uptr base,
		     __sz len)
{
	int text = name_ends(name, " text");

	if (text)
		range_add(&texts, base, len);
	if (text || name_ends(name, " rodata") || name_ends(name, " data"))
		range_add(&segments, base, len);
	if (!strcmp(name, "direct map"))
		range_add(&direct, base, len);
}

/* Reads the memory map; 0 if it is not what is expected of one */
static int map_read(void)
{
	texts.cnt = segments.cnt = direct.cnt = 0;
	texts.lost = segments.lost = direct.lost = 0;
	ukplat_map_foreach(row_note, __NULL);
	return texts.cnt && segments.cnt > texts.cnt && direct.cnt == 1 &&
	       !segments.lost;
}

/*
 * Rights
 */

static struct scan {
	unsigned long code, code_elsewhere, loader, loader_wrong;
} scan;

static int is_of_loader(__paddr_t pa, __sz len)
{
	const struct memregion *r = boot_info.map.r;
	unsigned int i;

	for (i = 0; i < boot_info.map.cnt; i++, r++)
		if (r->type == MEMREGION_LOADER && pa < r->end &&
		    r->start < pa + len)
			return 1;
	return 0;
}

static int page_see(void *arg __unused, __vaddr_t va, __paddr_t pa, __sz len,
		    unsigned long attr)
{
	if (attr & PAGE_ATTR_PROT_EXEC) {
		scan.code++;
		scan.code_elsewhere += !ranges_have(&texts, va, len);
	}
	if (!is_of_loader(pa, len))
		return 0;
	scan.loader++;
	/* It is free memory: data of anybody, but never a part of the image */
	if (ranges_have(&direct, va, len))
		scan.loader_wrong += (attr & ATTR_ALL) != ATTR_RW;
	else
		scan.loader_wrong += attr & PAGE_ATTR_PROT_EXEC ||
				     ranges_have(&segments, va, PAGE_SIZE);
	return 0;
}

static enum test_result code_is_where_the_map_says(void)
{
	EXPECT(map_read());
	scan = (struct scan){ 0 };
	ukplat_pt_scan(page_see, __NULL);
	EXPECT(scan.code > 0);
	EXPECT(scan.code_elsewhere == 0);
	return TEST_PASS;
}

static enum test_result memory_of_the_loader_is_only_data(void)
{
	EXPECT(map_read());
	scan = (struct scan){ 0 };
	ukplat_pt_scan(page_see, __NULL);
	EXPECT(scan.loader > 0);
	EXPECT(scan.loader_wrong == 0);
	return TEST_PASS;
}

/*
 * Remains: words of the loader's messages, and how its payload begins. They
 * are written down in another form, lest they are found where they are only
 * looked for.
 */

#define KEY    0x5aU
#define P(c)   ((__u8)((c) ^ KEY))
#define WORD   sizeof(__u64)
#define TRACES ARRAY_SIZE(traces)

static const struct trace {
	__u8 text[32];
	__sz len;
} traces[] = {
	{ { P('n'), P('o'), P(' '), P('u'), P('s'), P('a'), P('b'),
	    P('l'), P('e'), P(' '), P('s'), P('t'), P('a'), P('r'),
	    P('t'), P(' '), P('i'), P('n'), P('f'), P('o'), P('r'),
	    P('m'), P('a'), P('t'), P('i'), P('o'), P('n') },
	  27 },
	{ { P('p'), P('o'), P('s'), P('i'), P('t'), P('i'), P('o'), P('n'),
	    P(' '), P('i'), P('n'), P('d'), P('e'), P('p'), P('e'), P('n'),
	    P('d'), P('e'), P('n'), P('t'), P(' '), P('x'), P('8'), P('6'),
	    P('-'), P('6'), P('4'), P(' '), P('i'), P('m'), P('a'), P('g') },
	  32 },
	{ { P('u'), P('k'), P('i'), P('m'), P('a'), P('g'), P('e'), P(0), P(1),
	    P(0), P(0), P(0), P(0), P(0), P(0), P(0) },
	  16 },
};

static struct search {
	/* The word of a trace that is aligned if it begins so far before */
	__u64 word[TRACES][WORD];
	unsigned long found, bytes;
	/* First byte that is not read: the page is another one */
	const __u8 *start, *end;
} search;

static __u8 trace_byte(const struct trace *t, __sz i)
{
	return t->text[i] ^ KEY;
}

static __u64 word_of(const struct trace *t, __sz first)
{
	__u64 word = 0;
	__sz i;

	for (i = 0; i < WORD; i++)
		word |= (__u64)trace_byte(t, first + i) << (8 * i);
	return word;
}

static void words_make(void)
{
	__sz i, before;

	for (i = 0; i < TRACES; i++)
		for (before = 0; before < WORD; before++)
			search.word[i][before] = word_of(&traces[i], before);
}

/* A trace in one page; the parts of one that crosses pages are shorter */
static int trace_is_at(const struct trace *t, const __u8 *at)
{
	__sz i;

	if (at < search.start || at + t->len > search.end)
		return 0;
	for (i = 0; i < t->len; i++)
		if (at[i] != trace_byte(t, i))
			return 0;
	return 1;
}

static void word_see(const __u8 *at, __u64 word)
{
	__sz i, before;

	for (i = 0; i < TRACES; i++)
		for (before = 0; before < WORD; before++)
			if (word == search.word[i][before] &&
			    trace_is_at(&traces[i], at - before))
				search.found++;
}

static int page_search(void *arg __unused, __vaddr_t va, __paddr_t pa __unused,
		       __sz len, unsigned long attr __unused)
{
	const __u8 *at;
	__u64 word;

	if (!ranges_have(&direct, va, len))
		return 0;
	search.start = (const __u8 *)va;
	search.end = search.start + len;
	search.bytes += len;
	for (at = search.start; at < search.end; at += WORD) {
		memcpy(&word, at, WORD);
		if (word)
			word_see(at, word);
	}
	return 0;
}

static void search_all(void)
{
	search.found = search.bytes = 0;
	ukplat_pt_scan(page_search, __NULL);
}

static enum test_result loader_leaves_no_trace(void)
{
	const __sz len = 4 * PAGE_SIZE;
	__u8 *ptr;
	__sz i, k;

	EXPECT(map_read());
	words_make();
	search_all();
	EXPECT(search.bytes > 16UL << 20);
	EXPECT(search.found == 0);

	/* Were they there, they would be found, wherever they begin */
	ptr = malloc(len);
	EXPECT(ptr);
	memset(ptr, 0, len);
	for (i = 0; i < TRACES; i++)
		for (k = 0; k < traces[i].len; k++)
			ptr[(i + 1) * PAGE_SIZE + 16 + i * 3 + k] =
				trace_byte(&traces[i], k);
	search_all();
	i = search.found;
	memset(ptr, 0, len);
	free(ptr);
	EXPECT(i >= TRACES);
	return TEST_PASS;
}

const struct test_case loader_cases[] = {
	{ "loader_leaves_no_trace", loader_leaves_no_trace },
	{ "code_is_where_the_map_says", code_is_where_the_map_says },
	{ "memory_of_the_loader_is_only_data",
	  memory_of_the_loader_is_only_data },
	{ __NULL, __NULL },
};
