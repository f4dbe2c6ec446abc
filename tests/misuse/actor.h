/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_MISUSE_ACTOR_H__
#define __TESTS_MISUSE_ACTOR_H__

/* Actors: the threads that do the operations of a program
 *
 * One at a time: an operation is handed to an actor and waited for, so that
 * the order of all operations is that of the seed. Only actor_race() lets two
 * of them run at once.
 */

enum actor {
	ACTOR_MAIN,
	ACTOR_A, /* threads that live until the process ends */
	ACTOR_B,
	ACTOR_NEW, /* a thread that ends after the operation */
	ACTOR_COUNT,
};

typedef void (*actor_func)(void *arg);

/** Runs fn(arg) in a thread and waits for its end */
void actor_run(enum actor actor, actor_func fn, void *arg);

/** Makes the threads that live, if they do not yet */
void actor_start(void);

/**
 * Runs fn(arg) in two threads at the same moment: both wait in a loop until
 * the other one is there.
 *
 * @param first, second
 *   Which ones; at most one of them ACTOR_MAIN, and not the same that lives
 */
void actor_race(enum actor first, enum actor second, actor_func fn, void *arg);

/** In the child of a fork: the threads are gone */
void actor_child(void);

extern const char *const actor_name[ACTOR_COUNT];

#endif /* __TESTS_MISUSE_ACTOR_H__ */
