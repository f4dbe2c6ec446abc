/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>

#include <uk/assert.h>
#include <uk/essentials.h>

#include "draw.h"
#include "frame.h"

/* Pieces that Unikraft gives: what its memory map has */
#define PIECES_MAX 32U

#define WORD_BITS 64UL

struct piece {
	__paddr_t start;
	__sz frames;
	__sz free;
	/** A bit a frame, 1: free */
	__u64 *map;
};

static struct piece pieces[PIECES_MAX];
static unsigned int piece_cnt;
/* Of all pieces together */
static __sz total_cnt;
static __sz free_cnt;

static __sz words_of(__sz frames)
{
	return (frames + WORD_BITS - 1) / WORD_BITS;
}

int rnd_frame_add(__paddr_t addr, __sz len)
{
	__sz frames = len / RND_FRAME_LEN, used, i;
	struct piece *p;

	UK_ASSERT(!(addr % RND_FRAME_LEN) && !(len % RND_FRAME_LEN));

	used = (words_of(frames) * 8 + RND_FRAME_LEN - 1) / RND_FRAME_LEN;
	if (frames <= used)
		return -EINVAL;
	if (piece_cnt == PIECES_MAX)
		return -ENOSPC;

	p = &pieces[piece_cnt++];
	p->start = addr;
	p->frames = frames;
	p->map = rnd_glue_frame(addr);
	for (i = 0; i < words_of(frames); i++)
		p->map[i] = 0;
	for (i = used; i < frames; i++)
		p->map[i / WORD_BITS] |= 1UL << i % WORD_BITS;
	p->free = frames - used;
	total_cnt += p->free;
	free_cnt += p->free;

	return 0;
}

/* The frame that is free, next to a random one of the piece */
static __paddr_t piece_get(struct piece *p)
{
	__sz words = words_of(p->frames);
	__sz at = rnd_draw32() % words;
	__u32 bit;

	UK_ASSERT(p->free);

	while (!p->map[at])
		at = at + 1 < words ? at + 1 : 0;
	bit = (__u32)__builtin_ctzl(p->map[at]);
	p->map[at] &= ~(1UL << bit);
	p->free--;

	return p->start + (at * WORD_BITS + bit) * RND_FRAME_LEN;
}

/* Each piece with the probability of its share of what is free */
static int pool_get(__paddr_t *frame)
{
	struct piece *p = pieces;
	__sz at;

	if (unlikely(!free_cnt))
		return -ENOMEM;
	at = rnd_draw32() % free_cnt;
	while (at >= p->free)
		at -= p++->free;
	*frame = piece_get(p);
	free_cnt--;

	return 0;
}

static __bool piece_is_free(const struct piece *p, __sz i)
{
	return p->map[i / WORD_BITS] >> i % WORD_BITS & 1;
}

/* First frame of a run in [at, end), or end. Words without a free frame are
 * passed over.
 */
static __sz piece_find_run(const struct piece *p, __sz at, __sz end, __sz cnt)
{
	__sz len = 0;

	for (; at < end && len < cnt; at++) {
		if (!len && !(at % WORD_BITS))
			while (at + WORD_BITS <= end && !p->map[at / WORD_BITS])
				at += WORD_BITS;
		if (at >= end)
			break;
		len = piece_is_free(p, at) ? len + 1 : 0;
	}
	return len == cnt ? at - cnt : end;
}

/* The first run behind a random frame of the piece, or else in front of it */
static int piece_get_run(struct piece *p, __sz cnt, __paddr_t *first)
{
	__sz from = rnd_draw32() % p->frames, at, end = p->frames, i;

	at = piece_find_run(p, from, end, cnt);
	if (at == end) {
		end = MIN(from + cnt, p->frames);
		at = piece_find_run(p, 0, end, cnt);
		if (at == end)
			return -ENOMEM;
	}
	for (i = at; i < at + cnt; i++)
		p->map[i / WORD_BITS] &= ~(1UL << i % WORD_BITS);
	p->free -= cnt;
	*first = p->start + at * RND_FRAME_LEN;

	return 0;
}

static int pool_get_run(__sz cnt, __paddr_t *first)
{
	unsigned int i;

	for (i = 0; i < piece_cnt; i++) {
		if (pieces[i].free < cnt ||
		    piece_get_run(&pieces[i], cnt, first))
			continue;
		free_cnt -= cnt;
		return 0;
	}
	return -ENOMEM;
}

static void pool_put(__paddr_t frame)
{
	struct piece *p;
	__sz i;

	for (p = pieces; frame - p->start >= p->frames * RND_FRAME_LEN; p++)
		UK_ASSERT(p + 1 < &pieces[piece_cnt]);
	i = (frame - p->start) / RND_FRAME_LEN;
	UK_ASSERT(!(p->map[i / WORD_BITS] >> i % WORD_BITS & 1));
	p->map[i / WORD_BITS] |= 1UL << i % WORD_BITS;
	p->free++;
	free_cnt++;
}

int rnd_frame_get(__paddr_t *frame)
{
	return RND_GLUE_PAGING ? rnd_glue_frame_get(frame) : pool_get(frame);
}

int rnd_frame_get_run(__sz cnt, __paddr_t *first)
{
	return RND_GLUE_PAGING ? rnd_glue_frame_get_run(cnt, first) :
				 pool_get_run(cnt, first);
}

void rnd_frame_put(__paddr_t frame)
{
	if (RND_GLUE_PAGING)
		rnd_glue_frame_put(frame);
	else
		pool_put(frame);
}

__sz rnd_frame_total(void)
{
	return RND_GLUE_PAGING ? rnd_glue_frames_total() :
				 rnd_glue_regions_total();
}

__sz rnd_frame_free(void)
{
	return RND_GLUE_PAGING ? rnd_glue_frames_free() :
				 free_cnt * RND_FRAME_LEN;
}
