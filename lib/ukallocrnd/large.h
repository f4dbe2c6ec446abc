/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_LARGE_H__
#define __UKALLOCRND_LARGE_H__

/* Large objects: whole pages, each in a reservation of its own
 *
 * Why
 *   Beyond the size classes an object is worth its own place: independent of
 *   everything else, between guards of random size, unmapped when freed.
 *
 * How
 *   A table of spans (span.h). The table is metadata; nothing is stored with
 *   the object.
 *
 *     |<------------------- reservation (map, map_len) ------------------>|
 *     | guard, random | front |   object    | slack | guard, random        |
 *                     |       ^addr         ^addr + req
 *                     |<--------- span: pages ----->|
 *
 *   Where the object is in its pages, its seat decides (seat.h).
 *
 *   A freed span is decommitted, or its pages are parked elsewhere (park.h),
 *   and stays reserved while it passes the quarantine; or it is kept as it is,
 *   for the next object.
 *
 * Invariants
 *   G3  Quarantined spans are not committed, live and kept ones are.
 *   G4  All bytes of the pages in front of and behind an object hold the
 *       canary.
 *
 * Concurrency
 *   The table is under the lock (RND_RANK_LARGE). The port is called outside
 *   of it: a span that is LEAVING belongs to who set that state.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "canary.h"
#include "config.h"
#include "lock.h"
#include "park.h"
#include "quarantine.h"
#include "rng.h"
#include "seat.h"
#include "slab.h"
#include "span.h"
#include "vspace.h"

#define RND_LARGE_RAND_LEN  MIN(RND_QUARANTINE_RAND_LEN + 0U, 64U)
#define RND_LARGE_GUARD_MAX 16UL

/* Live objects that have guards of their own. Where areas are scarce (Linux:
 * 65,530 for a process) further ones only have the emptiness around them.
 */
#ifdef RND_PORT_GUARDED_MAX
#define RND_LARGE_GUARDED_MAX RND_PORT_GUARDED_MAX
#else
#define RND_LARGE_GUARDED_MAX RND_SPAN_MAX
#endif

/** Field markings: (c) constant after init, (L) lock */
struct rnd_large {
	struct rnd_lock lock;
	/** (c) */
	struct rnd_vspace *vs;
	struct rnd_canary_key key;
	/** (L) Live and freed objects */
	struct rnd_spans t;
	/** (L) Freed spans wait here, as number + 1 */
	struct rnd_rng rng;
	struct rnd_quarantine q;
	/** (L) Pages that wait for the next object */
	struct rnd_park park;
};

/**
 * Initializes an empty table.
 *
 * @return
 *   - (0): Ready
 *   - (-ENOMEM): No memory or address space; nothing changed
 */
int rnd_large_init(struct rnd_large *lg, struct rnd_vspace *vs);

/** Gives all spans back, live ones included, and the table */
void rnd_large_destroy(struct rnd_large *lg);

/**
 * Allocates pages at a random place between guards.
 *
 * @param req
 *   Requested bytes, not 0; the canary fills the rest of the pages
 * @param align
 *   A power of two, RND_SLOT_ALIGN or more
 * @param kind
 *   enum rnd_kind or RND_KIND_PAGES, which are page aligned
 * @param clean
 *   The object must be zero; else it need not be, if RND_OPT_LARGE_KEEP
 *
 * @return
 *   The object, at the seat of the configuration, or __NULL if anything is
 *   exhausted
 */
void *rnd_large_alloc(struct rnd_large *lg, __sz req, __sz align, __u8 kind,
		      __bool clean);

/** An object to be allocated, exactly */
struct rnd_large_want {
	__sz req;
	__sz align;
	__u8 kind;
	enum rnd_seat seat; /* RND_SEAT_START if align is a page or more */
	__u32 sample;	    /* what to put into the span */
	__bool clean;	    /* must be zero */
};

/** Allocates an object at a seat; otherwise as above */
void *rnd_large_alloc_at(struct rnd_large *lg,
			 const struct rnd_large_want *want);

/**
 * Looks an object up by its first byte.
 *
 * @param[out] copy
 *   What the table says now
 *
 * @return
 *   1 if there is a span at ptr, live or freed
 */
__bool rnd_large_find(struct rnd_large *lg, const void *ptr,
		      struct rnd_span *copy);

/**
 * Finds the span whose reservation an address lies in.
 */
__bool rnd_large_locate(struct rnd_large *lg, const void *ptr,
			struct rnd_span *copy);

/**
 * Frees pages [first, first + cnt) of the live span of the given kind that
 * contains ptr; ptr is the address of page first. Waits for other CPUs, so
 * the caller holds no lock.
 *
 * @param ptr
 *   Page aligned
 * @param cnt
 *   Number of pages, or 0 for the whole object that starts at ptr
 * @param kind
 *   enum rnd_kind or RND_KIND_PAGES
 * @param cpu
 *   CPU index of the caller, for reports
 *
 * @return
 *   - (0): Freed
 *   - (-EINVAL): No such live pages of that kind: a bug to report
 *   - (-EFAULT): The canary of a whole object is damaged: a bug to report.
 *     The memory is still there, and nobody else frees it
 */
int rnd_large_free(struct rnd_large *lg, const void *ptr, __sz cnt, __u8 kind,
		   __u32 cpu);

/**
 * Frees a whole object that is no page allocation, if it is what the caller
 * takes it for: looked up once, tested and claimed under one hold of the lock.
 *
 * @param kind
 *   enum rnd_kind; not tested without RND_OPT_KIND
 * @param req
 *   Requested bytes, or __NULL if the caller does not know
 * @param[out] copy
 *   The span as it was before; not written if the result is -EINVAL
 *
 * @return
 *   As rnd_large_free()
 */
int rnd_large_free_object(struct rnd_large *lg, const void *ptr, __u8 kind,
			  const __sz *req, __u32 cpu, struct rnd_span *copy);

/**
 * As rnd_large_find(), and tests the canary of a live object. Under the lock:
 * nobody can take the memory away meanwhile. Reads two pages at most.
 *
 * @param[out] bad
 *   First byte that was changed, or __NULL
 */
__bool rnd_large_inspect(struct rnd_large *lg, const void *ptr,
			 struct rnd_span *copy, const void **bad);

/**
 * Copies the first len bytes of an object that is no page allocation, and
 * frees it. Nobody can free it between the two.
 *
 * @return
 *   As rnd_large_free()
 */
int rnd_large_copy_free(struct rnd_large *lg, const void *ptr, void *dst,
			__sz len, __u8 kind, __u32 cpu);

/**
 * Sets a new requested size within the pages of a live object, clears what
 * gets inside and moves the canary.
 *
 * @return
 *   - (0): Done
 *   - (-EINVAL): Somebody freed it: a bug to report
 */
int rnd_large_resize(struct rnd_large *lg, const void *ptr, __sz req);

/**
 * Gives a live object another number of pages: they move to a new random
 * place, the old one passes the quarantine as if the object had been freed.
 * Where in its pages the object starts stays the same.
 *
 * @param req
 *   Requested bytes, possible ones
 * @param[out] moved
 *   The object, where it is now
 *
 * @return
 *   - (0): Done
 *   - (-EINVAL): No such live object of the kind: a bug to report
 *   - (-ENOTSUP), (-ENOMEM): It cannot be moved; nothing changed
 */
int rnd_large_move(struct rnd_large *lg, const void *ptr, __sz req, __u8 kind,
		   __u32 cpu, void **moved);

/** First byte around an object that was changed; __NULL: none. Pages must be
 * there
 */
const void *rnd_large_canary_bad(const struct rnd_large *lg,
				 const struct rnd_span *sp);

/** Tells whether an object of so many bytes could ever be allocated */
static inline __bool rnd_large_is_possible(const struct rnd_large *lg, __sz req)
{
	return req <= __SSZ_MAX / 2 &&
	       rnd_vspace_is_possible(lg->vs,
				      rnd_seat_pages(rnd_seat_default(), req));
}

/** Tells whether an object can have another size where it is, in as many
 * pages as a new one of this size would have
 */
__bool rnd_large_fits(const struct rnd_span *sp, __sz req);

/** Gives the addresses of quarantined spans back; returns their number */
__u32 rnd_large_purge(struct rnd_large *lg);

/** Gives all parked pages back to the system; returns their bytes */
__sz rnd_large_unpark(struct rnd_large *lg);

/** Address space of parked pages, guards included, in bytes */
__sz rnd_large_parked(struct rnd_large *lg);

/** Gives parked pages back that have waited too long. Now and then */
void rnd_large_age(struct rnd_large *lg);

/** Calls fn for every entry that is not free, under the lock */
void rnd_large_foreach(struct rnd_large *lg,
		       void (*fn)(void *arg, const struct rnd_span *sp),
		       void *arg);

/**
 * Tests the table and the quarantine.
 *
 * @return
 *   1 if sound
 */
__bool rnd_large_is_valid(struct rnd_large *lg);

#endif /* __UKALLOCRND_LARGE_H__ */
