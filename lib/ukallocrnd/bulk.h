/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_BULK_H__
#define __UKALLOCRND_BULK_H__

/* Quarantine of long slots: one for all size classes of a CPU
 *
 * Why
 *   A quarantine for each class holds back so many slots of each. Of slots
 *   of more than 1 KiB this would be up to a mebibyte for each of many
 *   classes, in every process that once used them.
 *
 * How
 *   A ring of freed slots of any class, in the order of their frees. What is
 *   held back is counted in bytes; the oldest slots leave as soon as the
 *   others are enough. So an address does not return before as many bytes
 *   were freed after it, whatever their classes.
 *
 * Invariants
 *   B1  bytes is the sum of the lengths of the entries.
 *   B2  There is an entry free: no slot here is shorter than the ring's length
 *       allows for.
 *
 * Concurrency
 *   None of its own: a ring belongs to one CPU.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "config.h"
#include "port.h"

/** Slots longer than this may be here */
#define RND_BULK_SLOT_MIN 1040UL

/** Bytes that the stage holds back */
#define RND_BULK_BYTES (RND_QUARANTINE_BYTES / RND_PORT_BULK_PART)

#define RND_BULK_LEN (RND_BULK_BYTES / RND_BULK_SLOT_MIN + 2)

/** A slot of any class */
struct rnd_bulk_entry {
	__u32 n;  /* number in its region */
	__u32 sc; /* size class */
};

/** Field marking: (o) the owner */
struct rnd_bulk {
	/** (o) Oldest entry, number of entries, bytes that they hold back */
	__u32 head;
	__u32 cnt;
	__sz bytes;
	/** (o) The ring */
	struct rnd_bulk_entry entry[RND_BULK_LEN];
};

/* The entry so many behind the oldest, not as many as there are twice. A
 * remainder would take twice as long
 */
static inline struct rnd_bulk_entry *bulk_at(struct rnd_bulk *b, __u32 i)
{
	__u32 at = b->head + i;

	return &b->entry[at < RND_BULK_LEN ? at : at - RND_BULK_LEN];
}

/**
 * Adds a freed slot; afterwards rnd_bulk_take() until it is not full.
 *
 * @param len
 *   Length of the slot, more than RND_BULK_SLOT_MIN
 */
static inline void rnd_bulk_push(struct rnd_bulk *b, __u32 sc, __u32 n,
				 __sz len)
{
	struct rnd_bulk_entry *e = bulk_at(b, b->cnt);

	e->n = n;
	e->sc = sc;
	b->cnt++;
	b->bytes += len;
}

/**
 * Removes the oldest slot; the caller subtracts its length from bytes.
 *
 * @return
 *   The entry, valid until the next push, or __NULL: there is none
 */
static inline const struct rnd_bulk_entry *rnd_bulk_take(struct rnd_bulk *b)
{
	const struct rnd_bulk_entry *e = &b->entry[b->head];

	if (!b->cnt)
		return __NULL;
	b->head = b->head + 1 < RND_BULK_LEN ? b->head + 1 : 0;
	b->cnt--;

	return e;
}

/** Tells whether more is held back than has to be */
static inline __bool rnd_bulk_is_full(const struct rnd_bulk *b)
{
	return b->bytes > RND_BULK_BYTES;
}

/** The i-th entry, counted from the oldest; i is below b->cnt */
static inline const struct rnd_bulk_entry *
rnd_bulk_entry(const struct rnd_bulk *b, __u32 i)
{
	return bulk_at((struct rnd_bulk *)(__uptr)b, i);
}

#endif /* __UKALLOCRND_BULK_H__ */
