/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HEAP_H__
#define __UKALLOCRND_HEAP_H__

/* Heap: all parts of one allocator instance
 *
 * The constant part (pagemap, regions, pointers) is sealed read-only after
 * init. What changes lives in struct rnd_heap_dyn, at another random place;
 * both are between guards.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>

#include "large.h"
#include "pagemap.h"
#include "pcpu.h"
#include "sample.h"
#include "vspace.h"

struct rnd_heap;

/** Field markings: (c) constant after init; parts have their own locks. Two
 * pages are in use from the start, a third one with the first parked object
 */
struct rnd_heap_dyn {
	/** (c) The heap it belongs to */
	struct rnd_heap *heap;
	/** Next in the list of heaps, under its lock */
	struct rnd_heap_dyn *next;
	struct rnd_cpus cpus;
	struct rnd_vspace vs;
	struct rnd_large large;
	struct rnd_sampler sampler;
	struct rnd_region_dyn region[RND_CLASS_COUNT];
	/** Operations for <uk/alloc.h>; last, because it may have a tail */
	struct uk_alloc a;
};

/** (s) All of it */
struct rnd_heap {
	struct rnd_pagemap pm;
	struct rnd_heap_dyn *dyn;
};

/** Heap of an operations table that uk_allocrnd_init() returned */
static inline struct rnd_heap_dyn *rnd_heap_dyn_of(struct uk_alloc *a)
{
	return __containerof(a, struct rnd_heap_dyn, a);
}

/** Who asks, for reports */
struct rnd_call {
	const char *op; /* public function */
	__uptr caller;	/* return address of the public function */
	__u8 kind;	/* enum rnd_kind or RND_KIND_PAGES */
	__bool sized;	/* size is meant */
	__sz size;	/* what a sized free says */
};

/* What a free that knows no size says */
#define RND_SIZE_UNKNOWN __SZ_MAX

#define RND_CALLER() ((__uptr)__builtin_return_address(0))

/**
 * Makes a heap.
 *
 * @param limit
 *   Pages that it may commit, metadata included; 0: no limit of its own
 *
 * @return
 *   The heap, or __NULL without enough memory or address space
 */
struct rnd_heap *rnd_heap_create(__sz limit);

/** Gives everything back; nobody may be inside or come again */
void rnd_heap_destroy(struct rnd_heap *h);

/** Calls fn for every heap; heaps neither come nor go meanwhile */
void rnd_heap_foreach(void (*fn)(struct rnd_heap *h, void *arg), void *arg);

/**
 * As rnd_heap_foreach(), in an interrupt handler of a port with epochs: a heap
 * that is about to go waits.
 */
void rnd_heap_visit(void (*fn)(struct rnd_heap *h, void *arg), void *arg);

/**
 * Prints what lies at or near an address: slot, object, guard. For reports of
 * faults; reads metadata without a lock.
 */
void rnd_heap_describe(__uptr addr);

/*
 * What fast.h leaves to others, and what has no fast half. All may be called
 * from any context; sizes are in bytes; __NULL means that memory is exhausted
 * or the size impossible.
 */

/** Serves every request. Tries the pools of the calling CPU first */
void *rnd_malloc_out(struct rnd_heap *h, __sz size, enum rnd_kind kind,
		     __uptr caller);
/** Serves every request, except from a pool that has something to draw */
void *rnd_malloc_slow(struct rnd_heap *h, __sz size, enum rnd_kind kind,
		      __uptr caller);
/**
 * Reports why a slot of the pool cannot be handed out: it is not free (a wild
 * write into metadata, or a bug of our own) or not zero (a write after free).
 * Does not return, but is not declared so: a call of it can be the caller's
 * last jump.
 */
void *rnd_hand_out_bad(const struct rnd_pclass *pl, const void *slot,
		       __uptr caller);
/** Frees or reports, unless ptr is __NULL; tries the calling CPU's own slots
 * first
 */
void rnd_free_out(struct rnd_heap *h, void *ptr, enum rnd_kind kind,
		  __uptr caller);
/** The same; size is what the caller claims */
void rnd_free_sized_out(struct rnd_heap *h, void *ptr, __sz size,
			enum rnd_kind kind, __uptr caller);
/** Frees or reports */
void rnd_free_slow(struct rnd_heap *h, void *ptr, const struct rnd_call *call);
void *rnd_calloc(struct rnd_heap *h, __sz nmemb, __sz size, __uptr caller);
/** align is a power of two */
void *rnd_memalign(struct rnd_heap *h, __sz align, __sz size,
		   enum rnd_kind kind, __uptr caller);
void *rnd_palloc(struct rnd_heap *h, __sz pages, __uptr caller);
void rnd_pfree(struct rnd_heap *h, void *ptr, __sz pages, __uptr caller);

#endif /* __UKALLOCRND_HEAP_H__ */
