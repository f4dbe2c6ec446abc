/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_MISUSE_HISTORY_H__
#define __TESTS_MISUSE_HISTORY_H__

/* History: random operations that are all valid, and what must be true after
 * them
 *
 * The reference is a list of live things: address, size, contents, which
 * functions may free it. Contents are compared whenever a thing is touched.
 * All of it lies in static memory: the only user of the heap is the history.
 */

#include <stddef.h>

#include "actor.h"
#include "forms.h"
#include "object.h"

#define LIVE_MAX 2048U
#define PAGE_LEN 4096UL

/* Slot lengths that are none */
#define SLOT_LARGE   0UL
#define SLOT_UNKNOWN (~0UL)

struct thing {
	struct object o;
	size_t slot;  /* length of its slot, if it is known */
	size_t align; /* what an aligned form was told */
	enum family family;
	enum actor owner; /* who allocated it */
	int over;	  /* from an aligned form of new */
	int sized;	  /* o.size is what was requested */
	int opaque;	  /* contents are not known any more */
};

struct history {
	struct random random;
	struct thing live[LIVE_MAX];
	unsigned int live_cnt;
	unsigned int live_usual; /* how many there are at most times */
	unsigned int actors;	 /* those that take part, from ACTOR_MAIN on */
	size_t size_max;
	size_t slot_max;     /* length of the longest slot */
	size_t canary_len;   /* least slack of a slot */
	unsigned long frees; /* so far */
	int print;
};

extern struct history history;

/** A number below bound, of the seed */
static inline size_t pick(size_t bound)
{
	return random_below(&history.random, bound);
}

/** 1 with probability 1/n */
static inline int one_in(size_t n)
{
	return pick(n) == 0;
}

/** One of the threads that take part */
static inline enum actor pick_actor(void)
{
	return (enum actor)pick(history.actors);
}

/** Reads the lengths of all slots, with commas between; 0: it is no list */
int slots_read(const char *list);

/** Length of the slot that a request gets, or SLOT_LARGE */
size_t slot_of(size_t size);

/** A size up to history.size_max: of all magnitudes, often at an edge */
size_t pick_size(void);

/** Does so many random operations */
void history_run(unsigned int ops);

/** Goes on with small sizes, and only as long as no address that was free
 * before may come back
 */
void history_run_briefly(void);

/** Frees everything that is live, in random order and by all threads */
void history_free_all(void);

/**
 * Allocates a thing; it is the last one of the list then.
 *
 * @param form
 *   A row of alloc_forms, or NULL: one that is told no alignment
 */
struct thing *history_alloc(enum actor actor, struct form *form, size_t size);

/** Takes a thing from the list; its contents are as they should be */
struct thing history_take(unsigned int i);

/** Puts a thing back on the list */
void history_put(const struct thing *t);

/** Frees a thing that was taken, by any form that may */
void history_free(const struct thing *t, enum actor actor);

/** A form that may free a thing */
struct form *history_free_form(const struct thing *t);

/** The call that frees a thing by a form */
struct call history_free_call(const struct thing *t, struct form *form);

/** Makes a call in an actor, and a line of the dump about it */
void history_call(enum actor actor, struct call *call);

/** The live thing that starts at ptr, or NULL */
struct thing *history_find(const void *ptr);

/** Remembers that an object starts at ptr */
void history_know(const void *ptr);

/** Tells whether any object ever started at ptr */
int history_knows(const void *ptr);

/** Prints a line, without the heap */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** The same for the dump, if there is to be one */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* __TESTS_MISUSE_HISTORY_H__ */
