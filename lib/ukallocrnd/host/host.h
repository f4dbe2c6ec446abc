/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HOST_H__
#define __UKALLOCRND_HOST_H__

/* What the parts of the Linux port and the preloaded library share
 *
 *   port_host.c     console, end of the process, fences, limits
 *   port_mem.c      states of address ranges
 *   port_donate.c   memory that the user gives away
 *   port_entropy.c  seeds
 *   port_lease.c    which thread owns which per-CPU state
 *   port_fork.c     fork from any thread
 *   port_trace.c    return addresses, files
 *   port_assert.c   broken contracts
 *   preload.c       the malloc family; preload_init.c beginning and end,
 *                   preload_info.c figures, preload_fault.c accesses that
 *                   fault, cxx.c the operators of C++
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

/** Operations of the port that a test can make fail */
enum rnd_host_op {
	RND_HOST_RESERVE,
	RND_HOST_COMMIT,
	RND_HOST_SEAL,
	RND_HOST_MOVE,
};

/**
 * Failure injection. Not defined by the library: a test program that defines
 * it decides before each operation whether it fails. A function and not a
 * pointer, so that production builds contain nothing that could be
 * overwritten.
 *
 * @return
 *   0, or the negative errno with which the operation fails
 */
int rnd_host_fail(enum rnd_host_op op, __uptr addr, __sz len) __weak;

/** Asks rnd_host_fail(), where there is one */
static inline int rnd_host_inject(enum rnd_host_op op, __uptr addr, __sz len)
{
	if (rnd_host_fail)
		return rnd_host_fail(op, addr, len);
	return 0;
}

/**
 * Registers the fork handlers of the library, once per process. The earlier
 * this is called the better: the prepare handler registered first runs last,
 * so that handlers of other libraries can still allocate.
 *
 * Context: before the process has a second thread, or under a lock.
 *
 * @return
 *   - (0): Registered
 *   - (-ENOMEM): The C library could not remember the handlers
 */
int rnd_host_fork_init(void);

/** Installs the handler that reports faults, once per process */
void rnd_host_fault_init(void);

/**
 * Takes the leases of all threads but the calling one back. For the child of
 * a fork, where those threads do not exist.
 */
void rnd_host_lease_child(void);

#endif /* __UKALLOCRND_HOST_H__ */
