/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* fork() from any thread
 *
 * Before the process is duplicated every other thread is brought out of the
 * heap, so that the child finds it in one piece. The child reseeds its
 * generators: two processes must not continue with the same random choices.
 * vfork() and posix_spawn() run no handlers and need none: their child
 * borrows the memory of the parent and may not allocate.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "host.h"
#include "sys.h"
#include "world.h"

/* Signals of the forking thread, while the world is stopped; owned with it */
static __u64 fork_mask;

/* A handler in between that allocates, or forks, would wait for its own thread:
 * signals wait until the world goes on. The C library lets them in again before
 * the handlers for the parent and the child run.
 */
static void fork_prepare(void)
{
	const __u64 all = ~0UL;
	__u64 mask = 0;

	rnd_sys4(SYS_rt_sigprocmask, SIG_SETMASK, (__uptr) & all,
		 (__uptr) & mask, sizeof(mask));
	rnd_world_stop();
	fork_mask = mask;
}

static void fork_parent(void)
{
	__u64 mask = fork_mask;

	rnd_world_start();
	rnd_sys4(SYS_rt_sigprocmask, SIG_SETMASK, (__uptr) & mask, 0,
		 sizeof(mask));
}

static void fork_child(void)
{
	rnd_world_child();
	rnd_host_lease_child();
	fork_parent();
}

int rnd_host_fork_init(void)
{
	int rc;

	rc = pthread_atfork(fork_prepare, fork_parent, fork_child);
	return rc ? -ENOMEM : 0;
}
