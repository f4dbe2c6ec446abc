/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_WORLD_H__
#define __UKALLOCRND_WORLD_H__

/* All contexts of all heaps at once: for fork, exit and CPUs that leave */

#include <uk/arch/types.h>

/**
 * Keeps every context out of the library and waits until none is inside, but
 * for an operation that the caller itself has interrupted (signal handler).
 * One context at a time: others wait. Ports without RND_PORT_CAN_STOP must be
 * quiescent already.
 */
void rnd_world_stop(void);

/** Lets the contexts in again */
void rnd_world_start(void);

/**
 * First words in the child of a fork, between stop and start: gives every
 * generator fresh entropy and forgets what was drawn ahead, so that parent
 * and child have nothing in common from here on.
 */
void rnd_world_child(void);

/**
 * Overwrites what the generators of the calling CPU have drawn ahead, in all
 * heaps. For an interrupt handler of a port with epochs, on every CPU when one
 * has begun: the fast paths, which look at nothing, then draw fresh bits.
 */
void rnd_world_renew(void);

/**
 * Sends off what CPU index cpu holds for others, in all heaps, before the
 * index is given up. The caller is the context that has leased it.
 */
void rnd_world_leave(__u32 cpu);

/**
 * Delivers all frees between CPUs, so that a double free that raced is found
 * before the process ends. Stops and starts the world.
 */
void rnd_world_exit_check(void);

#endif /* __UKALLOCRND_WORLD_H__ */
