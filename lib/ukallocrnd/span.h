/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_SPAN_H__
#define __UKALLOCRND_SPAN_H__

/* Spans: the table of large objects
 *
 * Why
 *   Nothing may be stored with an object, so what is known about it has to be
 *   found by its address.
 *
 * How
 *   An array of entries that are the nodes of a treap: a search tree by
 *   address that is a heap by random priorities. It has the shape of a tree
 *   into which the spans came in random order, whatever the real order was.
 *   The depth of an entry among n is 2 ln n on average, 33 for the 2^24 that
 *   there may be, and above 160 with a probability below 2^-64. Nobody outside
 *   can make it worse: priorities are as secret as addresses. All functions
 *   below that find, add, cut or forget take so many steps at most.
 *
 *   Most objects are freed while few others have come: for each of 128 groups
 *   of pages there is a hint at the last span that was added there, which saves
 *   the search if it is the right one.
 *
 *   A span has pages and a share of a reservation around them. A page
 *   allocation may be freed in parts: its span is then cut, each part with
 *   the share next to it.
 *
 * Invariants
 *   G1  Spans do not overlap; reservations do not overlap.
 *   G2  An entry is a node of the tree exactly if it is not RND_SPAN_FREE.
 *       The tree is ordered by address, and no priority is above that of the
 *       parent.
 *   G5  Entries without a span, committed, are at least as many as owed: a
 *       page allocation can be freed in any parts without memory.
 *   G6  A hint is 0, or the number + 1 of an entry that was used once. Only the
 *       address in the entry tells whether it is what is looked for.
 *
 * Concurrency
 *   None of its own: the caller holds the lock of its table, except for what
 *   says otherwise.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "atomic.h"
#include "vspace.h"

enum rnd_span_state {
	RND_SPAN_FREE,	      /* entry without a span */
	RND_SPAN_LIVE,	      /* in the user's hands */
	RND_SPAN_LEAVING,     /* being decommitted */
	RND_SPAN_QUARANTINED, /* reserved, not to be reused yet */
	RND_SPAN_KEPT,	      /* freed, with its pages, in the park */
};

/* Kind of a page allocation, beside enum rnd_kind */
#define RND_KIND_PAGES 3

struct rnd_span {
	/** First byte of the object, in its first page; 0 in free entries */
	__uptr addr;
	__sz pages;
	/** Requested bytes; whole pages for page allocations */
	__sz req;
	/** Share of the reservation that belongs to this span */
	__uptr map;
	__sz map_len;
	/** Spans below and above this one in its part of the tree, as number
	 * + 1; in free entries low is the next one
	 */
	__u32 low;
	__u32 high;
	__u32 prio;
	__u8 state;
	__u8 kind;
	/** CPU that freed it + 1; 0: none */
	__u16 freed_by;
	/** Record of a sample (sample.h), as number + 1; 0: not one */
	__u32 sample;
	/** enum rnd_seat */
	__u8 seat;
	__u8 unused;
	/** Epoch of the machine in which the place was drawn: low half */
	__u16 epoch;
};

#define RND_SPAN_PRIO_BITS 32

#define RND_SPAN_MAX (1U << 24)

/** Spans that are found without a search, at most; a power of two */
#define RND_SPAN_HINTS 128U

/** A table. Field marking: (c) constant after init */
struct rnd_spans {
	/** (c) */
	struct rnd_vspace *vs;
	/** (c) Table of RND_SPAN_MAX entries, committed up to cap */
	struct rnd_span *span;
	/** Root of the tree, as number + 1 */
	__u32 root;
	/** The last span that was added, as number + 1, for each of as many
	 * groups of pages; it may have gone (G6)
	 */
	__u32 hint[RND_SPAN_HINTS];
	/** Entries committed, and used at least once */
	__u32 cap;
	__u32 cnt;
	/** Free entries, as number + 1, and how many there are */
	__u32 free;
	__u32 free_cnt;
	/** Entries that cutting all live page allocations would take */
	__sz owed;
	/** Live spans, and their pages */
	__u32 live_cnt;
	__sz live_pages;
};

/** Bytes of a span's pages */
static inline __sz rnd_span_len(const struct rnd_span *sp)
{
	return sp->pages * RND_PAGE_LEN;
}

/** First byte of a span's pages */
static inline __uptr rnd_span_base(const struct rnd_span *sp)
{
	return ALIGN_DOWN(sp->addr, RND_PAGE_LEN);
}

/** First byte behind a span's pages */
static inline __uptr rnd_span_end(const struct rnd_span *sp)
{
	return rnd_span_base(sp) + rnd_span_len(sp);
}

/**
 * Initializes an empty table.
 *
 * @return
 *   - (0): Ready
 *   - (-ENOMEM): No memory or address space; nothing changed
 */
int rnd_spans_init(struct rnd_spans *t, struct rnd_vspace *vs);

/** Releases, in linear time, the reservations of all spans, and the table */
void rnd_spans_destroy(struct rnd_spans *t);

/** Entries that a span owes: page allocations may be cut at every page */
static inline __sz rnd_span_owes(const struct rnd_span *sp)
{
	return sp->kind == RND_KIND_PAGES && sp->state == RND_SPAN_LIVE ?
		       sp->pages - 1 :
		       0;
}

/* The long half of the function below: so many entries have to be free */
int rnd_spans_make_room_slow(struct rnd_spans *t, __sz need);

/**
 * Makes room for a new span and all that it may be cut into (G5).
 *
 * @return
 *   - (0): rnd_spans_add() may be called
 *   - (-ENOMEM): No memory; nothing changed
 */
static inline int rnd_spans_make_room(struct rnd_spans *t,
				      const struct rnd_span *sp)
{
	__sz need = t->owed + rnd_span_owes(sp) + 1;

	if (likely(t->free_cnt + (t->cap - t->cnt) >= need))
		return 0;

	return rnd_spans_make_room_slow(t, need);
}

/** Draws a priority. The lock may be held or not */
__u32 rnd_spans_prio(const struct rnd_spans *t);

/** Adds a live span, for which there is room; its priority was drawn for it */
void rnd_spans_add(struct rnd_spans *t, const struct rnd_span *sp);

/** Number + 1 of the span with this first byte; 0: none */
__u32 rnd_spans_find(const struct rnd_spans *t, __uptr addr);

/** Number + 1 of the span whose share of a reservation has this address */
__u32 rnd_spans_locate(const struct rnd_spans *t, __uptr addr);

/** Entry of a number + 1 */
static inline struct rnd_span *rnd_spans_at(const struct rnd_spans *t, __u32 n)
{
	return &t->span[n - 1];
}

/**
 * Makes pages [first, first + cnt) of a live span one of their own, and that
 * LEAVING.
 *
 * @return
 *   Its number + 1
 */
__u32 rnd_spans_claim(struct rnd_spans *t, __u32 n, __sz first, __sz cnt);

/** Undoes the claim of a whole object, which is no page allocation */
void rnd_spans_revive(struct rnd_spans *t, __u32 n);

/** As rnd_spans_claim() for all of an object, which is no page allocation */
void rnd_spans_claim_object(struct rnd_spans *t, __u32 n);

/** Takes a span out of the table for good */
void rnd_spans_forget(struct rnd_spans *t, __u32 n);

/** Number of live spans; racy without the lock */
static inline __u32 rnd_spans_live(const struct rnd_spans *t)
{
	return rnd_load_relaxed(&t->live_cnt);
}

/**
 * Tests the invariants and counters, in n log n steps.
 *
 * @param[out] waiting
 *   Spans in quarantine
 */
__bool rnd_spans_is_valid(const struct rnd_spans *t, __u32 *waiting);

#endif /* __UKALLOCRND_SPAN_H__ */
