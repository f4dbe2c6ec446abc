/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Remote functions
 *
 * How
 *   Each CPU has one slot. A caller claims it, fills it and posts it; the CPU
 *   empties it before it runs the function, so that the next one can be
 *   posted meanwhile. A CPU looks at its slot before it sleeps, hence only a
 *   CPU that sleeps already needs an interrupt.
 *
 *               claim              post             lcpu_call_run
 *       FREE ----------> CLAIMED ----------> READY ---------------> FREE
 *
 * Invariants
 *   R1 done <= posted; equal if and only if the CPU has nothing to do
 *   R2 a CPU runs one function at a time, also when the function sleeps
 */

#include <errno.h>
#include <uk/assert.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>

#include "lcpu.h"

/* Rounds of looking before a waiter sleeps. A short function is over by then,
 * and the sleep costs an interrupt on both sides.
 */
#define WAIT_SPINS 256

int lcpu_call_is_pending(const struct lcpu *self)
{
	return !self->call.busy &&
	       __atomic_load_n(&self->call.slot, __ATOMIC_SEQ_CST) ==
		       LCPU_SLOT_READY;
}

int lcpu_call_run(void)
{
	struct lcpu *self = lcpu_current();
	struct lcpu_call *call = &self->call;
	struct ukplat_lcpu_func func;
	__u32 waiter;

	ukplat_lcpu_disable_irq();
	if (!lcpu_call_is_pending(self))
		return 0;

	func = call->func;
	call->busy = 1;
	/* Release: the copy is complete. Pairs with the acquire in
	 * call_claim()
	 */
	__atomic_store_n(&call->slot, LCPU_SLOT_FREE, __ATOMIC_RELEASE);
	ukplat_lcpu_enable_irq();
	func.fn(__NULL, func.user);
	ukplat_lcpu_disable_irq();
	call->busy = 0;

	/* Seq_cst: publishes what the function did, pairs with the acquire in
	 * call_is_done(); and orders the load of the waiter behind it, pairs
	 * with the exchange in done_sleep()
	 */
	__atomic_add_fetch(&call->done, 1, __ATOMIC_SEQ_CST);
	waiter = __atomic_load_n(&call->waiter, __ATOMIC_SEQ_CST);
	if (waiter)
		lcpu_ipi_wake(lcpus[waiter - 1]);
	return 1;
}

static int call_claim(struct lcpu_call *call)
{
	__u32 slot = LCPU_SLOT_FREE;

	/* Acquire: pairs with the release in lcpu_call_run() */
	return __atomic_compare_exchange_n(&call->slot, &slot,
					   LCPU_SLOT_CLAIMED, 0,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void call_post(struct lcpu *target, const struct ukplat_lcpu_func *fn)
{
	struct lcpu_call *call = &target->call;

	call->func = *fn;
	__atomic_add_fetch(&call->posted, 1, __ATOMIC_RELAXED);
	/* Seq_cst: publishes the function, and orders the load of idle behind
	 * it. Pairs with idle_enter()
	 */
	__atomic_store_n(&call->slot, LCPU_SLOT_READY, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&target->idle, __ATOMIC_SEQ_CST))
		lcpu_ipi_wake(target);
}

/* One round of waiting for another CPU, which may be waiting for this one */
static void help_others(void)
{
	if (!ukplat_lcpu_irqs_disabled()) {
		lcpu_call_run();
		ukplat_lcpu_enable_irq();
	}
	ukplat_tlb_poll();
	__builtin_ia32_pause();
}

/* Gives a function to one CPU, waiting for its slot if it may */
static int call_send(struct lcpu *target, const struct ukplat_lcpu_func *fn,
		     int flags)
{
	while (!call_claim(&target->call)) {
		if (flags & UKPLAT_LCPU_RFLG_DONOTBLOCK)
			return -EAGAIN;
		if (!lcpu_is_online(target))
			return -EINVAL;
		help_others();
	}
	call_post(target, fn);
	return 0;
}

/* The CPU if others may give it functions, else __NULL */
static struct lcpu *target_find(__u32 idx)
{
	if (idx == ukplat_lcpu_idx() || !ukplat_lcpu_is_online(idx))
		return __NULL;
	return lcpus[idx];
}

int ukplat_lcpu_run(const __u32 lcpuidx[], unsigned int *num,
		    const struct ukplat_lcpu_func *fn, int flags)
{
	unsigned int n = lcpuidx ? *num : lcpu_cnt;
	unsigned int i, sent = 0;
	int rc = 0;

	UK_ASSERT(fn && fn->fn);
	for (i = 0; i < n && !rc; i++) {
		struct lcpu *target = target_find(lcpuidx ? lcpuidx[i] : i);

		if (!target) {
			rc = lcpuidx ? -EINVAL : 0;
			continue;
		}
		rc = call_send(target, fn, flags);
		if (!rc)
			sent++;
	}
	if (num)
		*num = sent;
	return rc;
}

static int call_is_done(const struct lcpu_call *call, __u64 posted)
{
	/* Acquire: pairs with the addition in lcpu_call_run() */
	return __atomic_load_n(&call->done, __ATOMIC_ACQUIRE) >= posted;
}

/* Sleeps until the target reports or the time comes. Someone else may sleep
 * for the same target; then there is nothing to do but to look again.
 */
static void done_sleep(struct lcpu_call *call, __u64 posted, __nsec until)
{
	__u32 nobody = 0;

	/* Seq_cst: the target that does not see the waiter has finished before
	 * the test below. Pairs with lcpu_call_run()
	 */
	if (!__atomic_compare_exchange_n(&call->waiter, &nobody,
					 ukplat_lcpu_idx() + 1, 0,
					 __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return;
	ukplat_lcpu_disable_irq();
	if (!call_is_done(call, posted)) {
		if (until)
			ukplat_lcpu_halt_irq_until(until);
		else
			ukplat_lcpu_halt_irq();
	}
	ukplat_lcpu_enable_irq();
	__atomic_store_n(&call->waiter, 0, __ATOMIC_RELAXED);
}

static int done_wait(struct lcpu *target, __nsec until)
{
	struct lcpu_call *call = &target->call;
	__u64 posted = __atomic_load_n(&call->posted, __ATOMIC_RELAXED);
	unsigned int spins = 0;

	while (!call_is_done(call, posted)) {
		if (until && ukplat_monotonic_clock() >= until)
			return -ETIMEDOUT;
		help_others();
		if (++spins > WAIT_SPINS)
			done_sleep(call, posted, until);
	}
	return 0;
}

int ukplat_lcpu_wait(const __u32 lcpuidx[], unsigned int *num, __nsec timeout)
{
	__nsec now = ukplat_monotonic_clock();
	__nsec until = timeout ? now + MIN(timeout, __U64_MAX - now) : 0;
	unsigned int n = lcpuidx ? *num : lcpu_cnt;
	unsigned int i, finished = 0;
	int rc = 0;

	UK_ASSERT(!ukplat_lcpu_irqs_disabled());
	for (i = 0; i < n && !rc; i++) {
		struct lcpu *target = target_find(lcpuidx ? lcpuidx[i] : i);

		if (!target) {
			rc = lcpuidx ? -EINVAL : 0;
			continue;
		}
		rc = done_wait(target, until);
		if (!rc)
			finished++;
	}
	if (num)
		*num = finished;
	return rc;
}
