/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_ATOMIC_H__
#define __UKALLOCRND_ATOMIC_H__

/* Atomics with the memory order in the name
 *
 * Naming the order makes every weaker access visible at its use, and this
 * list the complete set of orders that the library relies on.
 */

#include <uk/arch/types.h>

#define rnd_load_relaxed(p)	    __atomic_load_n(p, __ATOMIC_RELAXED)
#define rnd_load_acquire(p)	    __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define rnd_store_relaxed(p, v)	    __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define rnd_store_release(p, v)	    __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define rnd_xchg_acquire(p, v)	    __atomic_exchange_n(p, v, __ATOMIC_ACQUIRE)
#define rnd_xchg_acq_rel(p, v)	    __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL)
#define rnd_fetch_or_acq_rel(p, v)  __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL)
#define rnd_fetch_and_acq_rel(p, v) __atomic_fetch_and(p, v, __ATOMIC_ACQ_REL)
#define rnd_add_relaxed(p, v)	    __atomic_add_fetch(p, v, __ATOMIC_RELAXED)
#define rnd_add_acq_rel(p, v)	    __atomic_add_fetch(p, v, __ATOMIC_ACQ_REL)
#define rnd_sub_relaxed(p, v)	    __atomic_sub_fetch(p, v, __ATOMIC_RELAXED)
#define rnd_sub_release(p, v)	    __atomic_sub_fetch(p, v, __ATOMIC_RELEASE)

/* On failure *exp receives the current value */
#define rnd_cas_weak_release(p, exp, v)                                        \
	__atomic_compare_exchange_n((p), (exp), (v), 1, __ATOMIC_RELEASE,      \
				    __ATOMIC_RELAXED)
#define rnd_cas_acquire(p, exp, v)                                             \
	__atomic_compare_exchange_n((p), (exp), (v), 0, __ATOMIC_ACQUIRE,      \
				    __ATOMIC_RELAXED)
#define rnd_cas_relaxed(p, exp, v)                                             \
	__atomic_compare_exchange_n((p), (exp), (v), 0, __ATOMIC_RELAXED,      \
				    __ATOMIC_RELAXED)

#define rnd_always_inline inline __attribute__((always_inline))

/**
 * Tells whether a word is not 0: one instruction and a jump. Relaxed; the
 * compiler does not merge an atomic load into a comparison.
 */
static rnd_always_inline __bool rnd_load_is_set(const __u32 *word)
{
#if defined(__x86_64__) && !defined(__clang_analyzer__)
	__asm__ goto("cmpl $0, %0\n\tjne %l1" : : "m"(*word) : "cc" : set);
	return 0;
set:
	return 1;
#else
	return rnd_load_relaxed(word) != 0;
#endif
}

/**
 * Loads a pointer that is published with release and whose target is reached
 * through it only: the processor orders the two accesses by itself.
 */
#ifdef __SANITIZE_THREAD__
#define rnd_load_pointer(p) rnd_load_acquire(p)
#else
#define rnd_load_pointer(p) (*(p))
#endif

/* Makes the compiler forget how a value was computed. It would otherwise
 * compute an address anew at each use to save the register it is in.
 */
#define rnd_hide(value) __asm__("" : "+r"(value))

#endif /* __UKALLOCRND_ATOMIC_H__ */
