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

#include "host.h"
#include "world.h"

static void fork_child(void)
{
	rnd_world_child();
	rnd_host_lease_child();
	rnd_world_start();
}

int rnd_host_fork_init(void)
{
	int rc;

	rc = pthread_atfork(rnd_world_stop, rnd_world_start, fork_child);
	return rc ? -ENOMEM : 0;
}
