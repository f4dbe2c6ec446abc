/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ALLOCRND_H__
#define __UK_ALLOCRND_H__

/* ukallocrnd: a randomized, hardened allocator for many CPUs
 *
 * The heap is used through <uk/alloc.h>. This header adds what that interface
 * does not know: making heaps, checking them, looking at them.
 *
 * Caveats
 *   - Every misuse that is detected ends in one report and a stop; there is
 *     no mode in which the program continues.
 *   - Memory freed by one CPU and allocated by another travels in batches:
 *     up to 64 slots may rest with the CPU that freed them until its next
 *     slow path. uk_allocrnd_flush() sends them off.
 *   - uk_allocrnd_check() and uk_allocrnd_purge() with every CPU's caches
 *     need quiescence: no other CPU may use the heap meanwhile.
 */

#include <uk/alloc.h>
#include <uk/arch/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a heap from a piece of memory, registers it with ukalloc and returns
 * its operations table. The frames behind the memory become the heap's
 * budget and the memory itself vanishes from its old address: the heap lives
 * at addresses drawn at random. With base __NULL and len 0 the heap has no
 * budget of its own and draws on the system until that is exhausted.
 *
 * Context: one CPU, before or after SMP start; takes no lock of the heap.
 *
 * @param base
 *   Start of the memory, or __NULL
 * @param len
 *   Length in bytes; partial pages at both ends are left alone
 *
 * @return
 *   The heap, or __NULL if there is not enough memory or address space
 */
struct uk_alloc *uk_allocrnd_init(void *base, __sz len);

/**
 * Removes a heap made with uk_allocrnd_init(). All its memory goes back to
 * the system, live objects included. It must not be the default allocator.
 *
 * @param a
 *   The heap; nobody may use it any more
 *
 * @return
 *   - (0): Gone
 *   - (-EINVAL): Not a heap of this library, or the default allocator
 */
int uk_allocrnd_destroy(struct uk_alloc *a);

/** What a heap holds, in bytes unless named otherwise */
struct uk_allocrnd_stats {
	__sz committed;	       /* user memory, live or kept for later */
	__sz metadata;	       /* metadata backed by frames */
	__sz reserved;	       /* address space */
	__sz live_slots;       /* slots and large objects in the user's hands */
	__sz live_bytes;       /* sum of their requested sizes */
	__sz quarantine_slots; /* freed, not reusable yet */
	__sz pool_slots;       /* free, ready to be handed out */
	__sz large_live;       /* large objects among live_slots */
	__sz slabs;	       /* slabs that are committed */
	__sz refills;	       /* pool refills */
	__sz remote_frees;     /* slots freed by a CPU that does not own them */
};

/**
 * Walks the heap and fills in its statistics. Exact when no other CPU uses
 * the heap meanwhile.
 */
void uk_allocrnd_stats_get(struct uk_alloc *a, struct uk_allocrnd_stats *dst);

/**
 * Walks the whole heap and tests every invariant: each slot's state against
 * bitmap, pool and quarantine, canaries of live objects, zeroed contents
 * of free ones, counters against contents. Needs quiescence.
 *
 * @return
 *   Number of violations found; each is printed. 0 means sound
 */
__sz uk_allocrnd_check(struct uk_alloc *a);

/**
 * Empties what the calling CPU holds back for this heap: pools,
 * quarantine, remote frees in both directions. For tests, CPU shutdown and
 * memory pressure: it shortens the quarantine.
 */
void uk_allocrnd_flush(struct uk_alloc *a);

/**
 * Gives the backing of free slabs back to the system, those of the calling CPU,
 * of the state that interrupt handlers share and, on Linux, of threads that
 * have ended; and that of freed large objects.
 *
 * @return
 *   Number of bytes given back
 */
__sz uk_allocrnd_purge(struct uk_alloc *a);

/** Receives one line of uk_allocrnd_map() */
typedef void (*uk_allocrnd_map_func)(void *arg, const char *name, __uptr base,
				     __sz len);

/**
 * Reports every randomly placed region of a heap: per size class, metadata,
 * per-CPU state, large objects.
 */
void uk_allocrnd_map(struct uk_alloc *a, uk_allocrnd_map_func fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif /* __UK_ALLOCRND_H__ */
