/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Leases: which thread owns which per-CPU state
 *
 * Why
 *   The core keeps pools and quarantines per CPU and wants no lock on
 *   them. A thread that holds an index alone is as good as a CPU.
 *
 * How
 *   A bit per index says whether it is leased. A thread takes the lowest free
 *   one in its first slow path and gives it back when it ends, by the
 *   destructor of a thread-specific key. Threads that find no free index, and
 *   threads that are past their destructor, use index 0, which the core locks.
 *
 *   The destructor asks to be called again until the last round that POSIX
 *   guarantees, so that destructors of others still find the fast path.
 *
 * Invariants
 *   E1. rnd_host_cpu is 0 and rnd_host_pcpu RND_PCPU_NONE, or its bit is
 *       set and no other thread has it.
 *   E2. A thread leases at most once in its life, so that it cannot leave
 *       the process with a lease after its destructor ran.
 *
 * Concurrency
 *   Bits are set by compare and swap. pthread_setspecific() may allocate (not
 *   for the first 32 keys of a process); the nested call finds lease_state
 *   BUSY and uses index 0.
 */

#include <limits.h>
#include <pthread.h>

#include "atomic.h"
#include "config.h"
#include "host.h"
#include "pcpu.h"
#include "port.h"
#include "sys.h"
#include "world.h"

/* Rounds of destructors that a thread lives through. ThreadSanitizer, which
 * RND_PORT_WINDOW_SHIFT tells of, takes its own leave in the last one.
 */
#ifdef RND_PORT_WINDOW_SHIFT
#define LEASE_ROUNDS (PTHREAD_DESTRUCTOR_ITERATIONS - 1)
#else
#define LEASE_ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS
#endif

#define LEASE_WORD_BITS 64U
#define LEASE_WORDS	DIV_ROUND_UP(RND_CPU_COUNT, LEASE_WORD_BITS)

enum lease_state {
	LEASE_NONE, /* not tried yet */
	LEASE_BUSY, /* being taken; a nested call must not */
	LEASE_HELD, /* rnd_host_cpu is ours */
	LEASE_FULL, /* no index was free; may try again */
	LEASE_GONE, /* the destructor ran, or there is no destructor */
};

enum lease_key {
	LEASE_KEY_NONE,
	LEASE_KEY_BUSY,
	LEASE_KEY_READY,
	LEASE_KEY_FAILED,
};

__thread __u32 rnd_host_cpu __attribute__((tls_model("initial-exec")));
__thread struct rnd_pcpu *rnd_host_pcpu
	__attribute__((tls_model("initial-exec"))) = RND_PCPU_NONE;
static __thread __u32 lease_state __attribute__((tls_model("initial-exec")));
static __thread __u32 lease_rounds __attribute__((tls_model("initial-exec")));

/* (a) One bit per index; index 0 is nobody's */
static __u64 lease_bits[LEASE_WORDS] = { 1 };

/* (a) By index: the last thread that leased it; number of leases, up to two.
 * For reports
 */
static __u32 lease_thread[RND_CPU_COUNT];
static __u8 lease_cnt[RND_CPU_COUNT];

static __u32 lease_key_state;
static pthread_key_t lease_key;

static __u32 lease_bits_take(void)
{
	__u64 old, bit;
	__u32 word, idx;

	for (word = 0; word < LEASE_WORDS; word++) {
		old = rnd_load_relaxed(&lease_bits[word]);
		while (~old) {
			bit = ~old & (old + 1);
			idx = word * LEASE_WORD_BITS +
			      (__u32)__builtin_ctzl(bit);
			if (idx >= RND_CPU_COUNT)
				return 0;
			/* Acquire: the last owner is done with the state.
			 * Pairs with the release in lease_bits_return()
			 */
			if (__atomic_compare_exchange_n(
				    &lease_bits[word], &old, old | bit, 0,
				    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				return idx;
		}
	}
	return 0;
}

static void lease_bits_return(__u32 idx)
{
	__u64 bit = 1UL << (idx % LEASE_WORD_BITS);

	/* Release: everything done to the state comes before its next owner.
	 * Pairs with the acquire in lease_bits_take()
	 */
	__atomic_fetch_and(&lease_bits[idx / LEASE_WORD_BITS], ~bit,
			   __ATOMIC_RELEASE);
}

__bool rnd_port_cpu_borrow(__u32 idx)
{
	__u64 bit = 1UL << (idx % LEASE_WORD_BITS);
	__u64 *word = &lease_bits[idx / LEASE_WORD_BITS];
	__u64 old = rnd_load_relaxed(word);

	/* Acquire: as in lease_bits_take() */
	while (!(old & bit))
		if (rnd_cas_acquire(word, &old, old | bit))
			return 1;
	return 0;
}

void rnd_port_cpu_return(__u32 idx)
{
	lease_bits_return(idx);
}

/* The calling thread has an index from now on */
static void lease_sign(__u32 idx)
{
	rnd_store_relaxed(&lease_thread[idx], (__u32)rnd_sys0(SYS_gettid));
	if (lease_cnt[idx] < 2)
		rnd_store_relaxed(&lease_cnt[idx], (__u8)(lease_cnt[idx] + 1));
}

__u32 rnd_port_cpu_thread(__u32 idx, __bool *more)
{
	*more = rnd_load_relaxed(&lease_cnt[idx]) > 1;
	return rnd_load_relaxed(&lease_thread[idx]);
}

/* Runs in the ending thread */
static void lease_end(void *arg)
{
	__u32 cpu = rnd_host_cpu;

	if (++lease_rounds < LEASE_ROUNDS &&
	    !pthread_setspecific(lease_key, arg))
		return;

	lease_state = LEASE_GONE;
	if (!cpu)
		return;
	rnd_world_leave(cpu);
	/* In this order: a signal handler in between that allocates would take
	 * a copy of the state again as long as the index is ours
	 */
	rnd_host_cpu = 0;
	barrier();
	rnd_host_pcpu = RND_PCPU_NONE;
	barrier();
	lease_bits_return(cpu);
}

/* True if the key exists */
static __bool lease_key_get(void)
{
	__u32 state = rnd_load_acquire(&lease_key_state);
	__u32 none = LEASE_KEY_NONE;

	if (likely(state == LEASE_KEY_READY))
		return 1;
	if (state != LEASE_KEY_NONE ||
	    !rnd_cas_relaxed(&lease_key_state, &none, LEASE_KEY_BUSY))
		return 0;

	state = pthread_key_create(&lease_key, lease_end) ? LEASE_KEY_FAILED :
							    LEASE_KEY_READY;
	/* Release: publishes lease_key. Pairs with the acquire above */
	rnd_store_release(&lease_key_state, state);
	return state == LEASE_KEY_READY;
}

__u32 rnd_port_cpu_lease(void)
{
	__u32 cpu;

	if (lease_state != LEASE_NONE && lease_state != LEASE_FULL)
		return rnd_host_cpu;

	lease_state = LEASE_BUSY;
	cpu = lease_bits_take();
	if (!cpu) {
		lease_state = LEASE_FULL;
		return 0;
	}
	/* Without a destructor the index would never come back */
	if (!lease_key_get() || pthread_setspecific(lease_key, &lease_bits)) {
		lease_bits_return(cpu);
		lease_state = LEASE_FULL;
		return 0;
	}
	lease_state = LEASE_HELD;
	lease_sign(cpu);
	rnd_host_cpu = cpu;
	return cpu;
}

void rnd_host_lease_child(void)
{
	__u32 own = rnd_host_cpu;
	__u64 bits;
	__u32 word;

	/* A handler forked while the thread took an index, nobody knows which:
	 * all stay taken
	 */
	if (lease_state == LEASE_BUSY)
		return;

	for (word = 0; word < LEASE_WORDS; word++) {
		bits = word ? 0 : 1;
		if (own / LEASE_WORD_BITS == word)
			bits |= 1UL << (own % LEASE_WORD_BITS);
		rnd_store_relaxed(&lease_bits[word], bits);
	}
	/* What was freed before the fork was freed by the parent's thread */
	if (own)
		lease_sign(own);
}
