/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_SPINLOCK_H__
#define __UK_SPINLOCK_H__

/* Spinlocks: test and test-and-set
 *
 * Why
 *   No FIFO lock: when there are more virtual CPUs than real ones, the next
 *   in the queue is often not running, and everybody waits for the host's
 *   scheduler (measured: 0.8 ms an operation with a ticket lock).
 *
 * Concurrency
 *   A waiter polls for TLB shootdowns in the guest, so the holder of a lock
 *   may wait for one, and a waiter may have interrupts disabled. A lock that
 *   an interrupt handler takes is taken elsewhere with the _irqsave variant
 *   only.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

/* The guest is built freestanding; on the host there are no interrupts to
 * disable and nothing to poll for.
 */
#if __STDC_HOSTED__
static inline void uk_spin_poll(void) {}

static inline unsigned long uk_spin_irq_save(void)
{
	return 0;
}

static inline void uk_spin_irq_restore(unsigned long flags)
{
	(void)flags;
}
#else /* !__STDC_HOSTED__ */
#include <uk/plat/irq.h>
#include <uk/plat/tlb.h>

static inline void uk_spin_poll(void)
{
	ukplat_tlb_poll();
}

static inline unsigned long uk_spin_irq_save(void)
{
	return ukplat_lcpu_save_irqf();
}

static inline void uk_spin_irq_restore(unsigned long flags)
{
	ukplat_lcpu_restore_irqf(flags);
}
#endif /* !__STDC_HOSTED__ */

struct uk_spinlock {
	/** (a) 0: free, 1: held */
	__u32 locked;
};

/* Initializer of a free lock */
#define UK_SPINLOCK_INITIALIZER()                                              \
	{                                                                      \
		.locked = 0                                                    \
	}

/**
 * Makes a lock free, whatever it was.
 */
static inline void uk_spin_init(struct uk_spinlock *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELAXED);
}

/**
 * Takes a lock if it is free.
 *
 * @return
 *   1 if the caller holds the lock now, 0 if it was taken
 */
static inline int uk_spin_trylock(struct uk_spinlock *lock)
{
	/* Look first: a failing exchange would steal the cache line */
	if (__atomic_load_n(&lock->locked, __ATOMIC_RELAXED))
		return 0;
	/* Acquire: pairs with the release in uk_spin_unlock() */
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE);
}

/**
 * Takes a lock, waiting for it in a loop. Not recursive.
 */
static inline void uk_spin_lock(struct uk_spinlock *lock)
{
	while (unlikely(!uk_spin_trylock(lock))) {
		uk_spin_poll();
		__builtin_ia32_pause();
	}
}

/**
 * Releases a lock that the caller holds.
 */
static inline void uk_spin_unlock(struct uk_spinlock *lock)
{
	/* Release: pairs with the acquire in uk_spin_trylock() */
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

/**
 * Disables interrupts on this CPU, then takes a lock.
 *
 * @return
 *   The interrupt state for uk_spin_unlock_irqrestore()
 */
static inline unsigned long uk_spin_lock_irqsave(struct uk_spinlock *lock)
{
	unsigned long flags = uk_spin_irq_save();

	uk_spin_lock(lock);
	return flags;
}

/**
 * Disables interrupts on this CPU and takes a lock if it is free.
 *
 * @param[out] flags
 *   The interrupt state for uk_spin_unlock_irqrestore() on success
 *
 * @return
 *   1 if the caller holds the lock now, 0 if it was taken; interrupts are
 *   then as before
 */
static inline int uk_spin_trylock_irqsave(struct uk_spinlock *lock,
					  unsigned long *flags)
{
	*flags = uk_spin_irq_save();
	if (uk_spin_trylock(lock))
		return 1;
	uk_spin_irq_restore(*flags);
	return 0;
}

/**
 * Releases a lock, then restores the interrupt state.
 *
 * @param flags
 *   What uk_spin_lock_irqsave() returned
 */
static inline void uk_spin_unlock_irqrestore(struct uk_spinlock *lock,
					     unsigned long flags)
{
	uk_spin_unlock(lock);
	uk_spin_irq_restore(flags);
}

#endif /* __UK_SPINLOCK_H__ */
