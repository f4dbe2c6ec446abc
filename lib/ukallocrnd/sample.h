/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_SAMPLE_H__
#define __UKALLOCRND_SAMPLE_H__

/* Samples: a few small objects, drawn at random, with pages of their own
 *
 * Why
 *   A slot has neighbours, so that an overflow of it is found when it is
 *   freed, and a read never. Between guards, and unmapped when freed, an
 *   object makes every such access fault, at the instruction that does it.
 *   This is too dear for all objects, but what happens in all runs of a
 *   program is found in one of many; and who exploits such a bug does not know
 *   whether the object at hand is a sample.
 *
 * How
 *   About one in SAMPLE_RATE requests is served as a large object, at the
 *   start or at the end of its pages (seat.h), chosen at random. The fast
 *   paths know nothing of it: they leave for the slow ones when the generator
 *   of the CPU has no bits ready. A countdown counts draws, and when the
 *   buffer of the generator holds more of them than are left, it is cut to
 *   that: so the slow path comes by exactly at the request that is due,
 *   whatever the size class.
 *
 *     buffer of random bits
 *     |<-- draws of fast paths -->|<--- next --->|
 *     +---------------------------+--------------+
 *     | not used                  | cut          |
 *     +---------------------------+--------------+
 *                                 ^ countdown is 0: a sample
 *
 *   A record out of line remembers the object, and the ways by which it was
 *   allocated and freed (trace.h). There are SAMPLE_MAX records. Those of live
 *   objects stay; of the others the one freed first is used again.
 *
 * Invariants
 *   M1  The records of freed objects are in the FIFO, each once, all others
 *       are not.
 *   M2  A record that a span names, and that has its address, is of this span.
 *
 * Concurrency
 *   Records are under the lock (RND_RANK_SAMPLE). A countdown belongs to the
 *   CPU whose generator it watches.
 *
 * Source
 *   The idea of sampled allocations between guards, with traces of both ends
 *   of their lives, is that of GWP-ASan (LLVM; K. Serebryany et al., 2023)
 *   and KFENCE (Linux; M. Elver, A. Potapenko).
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "config.h"
#include "large.h"
#include "lock.h"
#include "rng.h"
#include "trace.h"
#include "vspace.h"

/** An object that is or was a sample */
struct rnd_sample {
	/** First byte; 0: never used */
	__uptr addr;
	__sz req;
	/** Its reservation */
	__uptr map;
	__sz map_len;
	struct rnd_trace allocated;
	/** No frames: live */
	struct rnd_trace freed;
	/** Next in the FIFO, as number + 1 */
	__u32 next;
	__u8 kind;
	__bool is_freed;
};

/** Field markings: (c) constant after init, (M) lock */
struct rnd_sampler {
	struct rnd_lock lock;
	/** (c) */
	struct rnd_vspace *vs;
	/** (c) So many records, committed up to cap */
	struct rnd_sample *rec;
	__u32 max;
	/** (M) Records committed, and used at least once */
	__u32 cap;
	__u32 cnt;
	/** (M) FIFO of records of freed objects, as number + 1 */
	__u32 head;
	__u32 tail;
	/** (M) Objects so far */
	__u64 served;
};

/** Requests until the next sample. Field marking: (p) the context inside */
struct rnd_countdown {
	/** (p) Draws to let pass, those in the buffer included */
	__u32 left;
	/** (p) Bytes that were in the buffer when it was looked at last */
	__u32 mark;
	/** (p) left was drawn */
	__u32 armed;
};

/** What is to be sampled */
struct rnd_sample_want {
	__sz req;
	__sz align;
	__uptr caller;
	__u32 cpu;
	__u8 kind;
};

/**
 * Initializes an empty table of max records.
 *
 * @return
 *   - (0): Ready
 *   - (-ENOMEM): No address space; nothing changed
 */
int rnd_sampler_init(struct rnd_sampler *sm, struct rnd_vspace *vs, __u32 max);

/** Gives the table back */
void rnd_sampler_destroy(struct rnd_sampler *sm);

/**
 * Allocates an object between guards and remembers it.
 *
 * @return
 *   The object, or __NULL: all records are in use, or memory is exhausted
 */
void *rnd_sample_alloc(struct rnd_sampler *sm, struct rnd_large *lg,
		       const struct rnd_sample_want *want);

/** Remembers that the object of span sp was freed; sp->sample is not 0 */
void rnd_sample_free(struct rnd_sampler *sm, const struct rnd_span *sp,
		     __u32 cpu, __uptr caller);

/**
 * Finds the record of a span.
 *
 * @param[out] copy
 *   What the record says now
 *
 * @return
 *   1 if there is one
 */
__bool rnd_sample_of(struct rnd_sampler *sm, const struct rnd_span *sp,
		     struct rnd_sample *copy);

/** Finds the newest record in whose reservation addr was; for reports */
__bool rnd_sample_near(struct rnd_sampler *sm, __uptr addr,
		       struct rnd_sample *copy);

/** Tests M1 */
__bool rnd_sampler_is_valid(struct rnd_sampler *sm);

/**
 * Counts a request that came by on the slow path.
 *
 * @param rng
 *   Generator of the CPU
 * @param rate
 *   Average distance of samples
 *
 * @return
 *   1 if it is due
 */
__bool rnd_countdown_request(struct rnd_countdown *c, struct rnd_rng *rng,
			     __u32 rate);

/** Counts a free that came by on the slow path */
void rnd_countdown_free(struct rnd_countdown *c, const struct rnd_rng *rng);

/** Cuts the buffer; before any slow path is left */
void rnd_countdown_cut(struct rnd_countdown *c, struct rnd_rng *rng);

#endif /* __UKALLOCRND_SAMPLE_H__ */
