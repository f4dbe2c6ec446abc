/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Beginning and end of the preloaded library
 *
 * The first allocation of a process comes from the dynamic linker, before
 * any constructor. It makes the heap, then registers the fork handlers: that
 * may allocate, which works because the heap is published first. Last, the
 * page with the pointer is sealed.
 */

#include "atomic.h"
#include "chacha_wide.h"
#include "heap.h"
#include "host.h"
#include "preload.h"
#include "report.h"
#include "world.h"

enum init_state {
	INIT_NONE,
	INIT_BUSY, /* a thread is making the heap */
	INIT_DONE,
};

struct rnd_heap rnd_preload_nowhere;

static __u32 init_state;

struct rnd_heap *rnd_preload_init(void)
{
	struct rnd_heap *heap;
	__u32 none = INIT_NONE;
	unsigned int turn = 0;

	if (!rnd_cas_relaxed(&init_state, &none, INIT_BUSY)) {
		/* Acquire: the heap is complete. Pairs with the release
		 * below
		 */
		do {
			rnd_port_yield(turn++);
			heap = rnd_load_acquire(&rnd_preload_page.heap);
		} while (heap == &rnd_preload_nowhere);
		return heap;
	}

	rnd_chacha_choose();
	heap = rnd_heap_create(0);
	if (!heap) {
		rnd_print("ukallocrnd: cannot make a heap: no address space "
			  "(is there a limit, ulimit -v?)\n");
		rnd_port_abort();
	}
	rnd_preload_choose(&rnd_preload_page);
	/* Release: publishes the heap. Pairs with the acquire above and
	 * in rnd_preload_heap()
	 */
	rnd_store_release(&rnd_preload_page.heap, heap);

	if (rnd_host_fork_init())
		rnd_print("ukallocrnd: no memory for fork handlers: fork() in "
			  "a process with threads is not safe\n");
	if (RND_OPT_FAULT_REPORT)
		rnd_host_fault_init();
	if (rnd_port_seal((__uptr) & rnd_preload_page, RND_PAGE_LEN))
		rnd_print("ukallocrnd: globals could not be sealed\n");
	rnd_store_release(&init_state, INIT_DONE);
	return heap;
}

/* For programs whose first allocation comes late: the fork handlers should
 * be registered before anybody else's
 */
static void __attribute__((constructor(101))) preload_begin(void)
{
	(void)rnd_preload_heap();
}

/* A double free whose second half waits in a list between threads would
 * otherwise go unseen
 */
static void __attribute__((destructor)) preload_end(void)
{
	rnd_world_exit_check();
}
