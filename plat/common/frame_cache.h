/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FRAME_CACHE_H__
#define __UKPLAT_FRAME_CACHE_H__

/* Zeroed frames of each CPU: taken and put without the frame lock
 *
 * Why
 *   Every page fault and every page that is given back needs one frame. With
 *   one lock for all CPUs they would queue there.
 *
 * How
 *   Each CPU has a cache of at most FRAME_CACHE_LEN references to frames
 *   (falloc.h). A take draws one uniformly, the last takes its place; a put
 *   appends. FRAME_CACHE_FILL frames at a time come from the core, and
 *   FRAME_CACHE_BATCH go back to it, under one hold of the frame lock. A cache
 *   is filled when it has fewer than FRAME_CACHE_LOW frames, not when it is
 *   empty: a frame that was just put is the next one with a chance of 1/16 at
 *   most, as long as the core has any. Between a fill and the next batch in
 *   either direction are 13 operations at least.
 *
 *   A fill is longer than a flush. Who takes as many frames as he puts, again
 *   and again, would otherwise fill and flush once in each round for ever, if
 *   he happened to begin like this; so the cache gets fuller in each round,
 *   until up to LEN - LOW frames go back and forth within it.
 *
 *   Frames in a cache contain only zeros, unless their reference does not say
 *   so: those are cleared when they are taken, outside of all locks.
 *
 *   16 random bits choose one of n frames as the upper half of bits * n, so
 *   no frame's chance is off by more than 2^-16. The bits come from a
 *   generator of the CPU's own, 64 draws at a time. Who can read them can
 *   read the cache, too.
 *
 *   A cache is never what makes an allocation fail: who finds the core empty
 *   empties the caches of all CPUs into it, those that are not in use at this
 *   moment, and tries again.
 *
 * Invariants
 *   N1 cnt <= FRAME_CACHE_LEN
 *   N2 a frame in a cache is in use for the core, owned by nobody, and in no
 *      other cache
 *
 * Concurrency
 *   Each cache has a lock. Two kinds of callers take it:
 *
 *   - The owner, a context on the CPU of the cache, with a trylock and with
 *     interrupts as they are. If that fails an interrupt handler has come in
 *     the middle of another context on this CPU, or another CPU empties the
 *     cache: the owner goes to the core instead. It never waits.
 *   - Who empties the caches of all CPUs, with interrupts disabled while it
 *     holds or waits for one of them. It takes its own first, with a
 *     trylock. Only if that succeeds it waits for the others; otherwise, and
 *     in frame_cache_reclaim(), it passes over those that are taken.
 *
 *   While a cache's lock is held the locks of generators and of frames may
 *   be taken. Their holders have interrupts disabled and wait for nothing.
 *
 *   **No deadlock.** Only frame_cache_drain() waits for the lock of a cache.
 *   Let it wait on CPU W for cache C. W itself holds no lock of a cache: this
 *   context holds none, and had another context on W been interrupted while
 *   it held one, then W's own, because for any other one it would have
 *   interrupts disabled; but the trylock of W's own has succeeded, and
 *   nothing that was interrupted goes on before this context ends. So whoever
 *   waits holds nothing that the others wait for. The holder of C
 *   (a) empties it, with interrupts disabled: it ends; or
 *   (b) owns it: it ends, too, unless an interrupt handler on its CPU stays.
 *   The handler of (b) takes and puts without waiting for a cache. If it
 *   drains, it finds its own cache taken, by the context below, and does not
 *   wait. A handler that comes in the middle of a drain comes between two
 *   caches, when no lock is held. All that remains is a handler that waits
 *   for another lock, one that the caller of the drain holds; therefore
 *   frame_cache_drain() may not be called with such a lock.
 *   A CPU that waits with interrupts disabled answers shootdowns meanwhile
 *   (uk_spin_lock() polls).
 *
 *   **No lost frame.** References are moved by the holder of the lock only,
 *   and no holder is interrupted by another one: the handler's trylock fails.
 *   A frame is in a cache, in the core, owned, or in the registers and on the
 *   stack of one context that is about to store it in one of these places.
 *   What such a context holds is not counted; it is at most a batch.
 *
 *   **No double free.** Before a frame enters a cache its owner gives up the
 *   right to put it, by an atomic exchange (falloc_core.h). It is owned again
 *   after it has been taken. A second put, of whatever CPU and whatever the
 *   frame is doing meanwhile, exchanges a 0 for a 0, and is reported. So is
 *   the put of a frame that is free in the core.
 */

#include <uk/arch/types.h>

/* Frames in a cache at most, and frames of one fill or flush. A batch fits in
 * whatever the cache holds below LOW, and a flush leaves room for another.
 */
#define FRAME_CACHE_LEN	  64U
#define FRAME_CACHE_BATCH 32U
#define FRAME_CACHE_FILL  36U
/* Frames that a draw chooses from at least, while the core has frames */
#define FRAME_CACHE_LOW	  16U

/**
 * From now on every CPU uses its cache. Until then, while %gs does not point
 * to a CPU, all functions go to the core.
 *
 * **Context:** the BSP, after lcpu_bsp_init(), before other CPUs start
 */
void frame_cache_init(void);

/**
 * Takes one frame, drawn at random. It contains only zeros.
 *
 * **Context:** any CPU, interrupts enabled or disabled, not from NMI. Waits
 * for no lock but the frame lock.
 *
 * @return
 *   Physical address, or __PADDR_INV if no frame is free
 */
__paddr_t frame_take(void);

/**
 * Takes frames, each as frame_take() does, but with fewer locks.
 *
 * **Context:** as frame_take()
 *
 * @param[out] out
 *   Receives the physical addresses
 * @param cnt
 *   Number of frames
 *
 * @return
 *   Number of frames taken; less than cnt if no other frame is free
 */
unsigned int frame_take_many(__paddr_t *out, unsigned int cnt);

/**
 * Gives a frame back. Stops the system if the frame does not exist, is free
 * already, or was given to a cache already.
 *
 * **Context:** as frame_take()
 *
 * @param paddr
 *   The frame; it contains only zeros, which the caller has verified, and
 *   nobody can write to it any more
 */
void frame_put(__paddr_t paddr);

/**
 * Gives frames back, each as frame_put() does, but with fewer locks.
 *
 * **Context:** as frame_take()
 *
 * @param in
 *   Physical addresses
 * @param cnt
 *   Number of frames
 */
void frame_put_many(const __paddr_t *in, unsigned int cnt);

/**
 * As frame_put_many(), for frames with any contents: they are cleared when they
 * are taken again. Nobody can write to them any more.
 */
void frame_put_dirty(const __paddr_t *in, unsigned int cnt);

/**
 * Gives the frames in the caches of all CPUs back to the core, whatever the
 * CPUs do. A frame that is put meanwhile may stay in a cache. If the caller
 * has interrupted a context that uses the cache of its CPU, or if another CPU
 * is about to empty that one, caches in use are passed over.
 *
 * **Context:** any CPU, not from NMI, with no lock held that an interrupt
 * handler waits for
 */
void frame_cache_drain(void);

/**
 * As frame_cache_drain(), but passes over caches that are in use at this
 * moment.
 *
 * **Context:** as frame_take()
 */
void frame_cache_reclaim(void);

/**
 * Number of frames in all caches. Takes no lock, so it may be outdated at
 * once. Any context.
 */
__sz frame_cache_held(void);

#endif /* __UKPLAT_FRAME_CACHE_H__ */
