/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_MISUSE_CRIME_H__
#define __TESTS_MISUSE_CRIME_H__

/* Crimes: one error each, in the middle of a valid history
 *
 * A crime picks its victim, announces which kind of error comes and which
 * pointer and size class the report must name, and commits it. Kinds that are
 * found by the very call do not come back. After the others the program goes
 * on with valid operations until they must have been found (settle.c).
 *
 * kinds.tsv says how a process has to end after each kind.
 */

#include "history.h"

struct crime {
	const char *name;
	unsigned int weight;
	void (*commit)(void);
};

/* Each file of crimes has one list, which ends with a NULL name */
extern const struct crime crimes_free[];
extern const struct crime crimes_pointer[];
extern const struct crime crimes_write[];
extern const struct crime crimes_kind[];

/* Besides the lengths of slots: no size class at all */
#define SLOT_NONE (SLOT_UNKNOWN - 1)

/* What a victim may be */
#define WANT_SLOT  1U /* in a slot of known length, with at least one byte */
#define WANT_LARGE 2U
#define WANT_EMPTY 4U /* of no bytes */
#define WANT_ANY   (WANT_SLOT | WANT_LARGE | WANT_EMPTY)

/* Which functions may have allocated it */
#define WANT_MALLOC 8U
#define WANT_CXX    16U

/** Takes a fitting thing of the history, or makes one; sized and untouched */
struct thing victim(unsigned int want);

/** The size class where the C library has objects of its own */
int slot_is_shared(size_t slot);

/** Tells whether memory can be read */
int is_mapped(const void *ptr);

/**
 * Says what comes.
 *
 * @param kind
 *   A line of kinds.tsv
 * @param ptr
 *   Pointer that the report must name; NULL: any
 * @param slot
 *   Size class that it must name; SLOT_UNKNOWN: any
 */
void announce(const char *kind, const void *ptr, size_t slot);

/** Makes a call that takes an object with a pointer that is none */
void misuse(const void *ptr);

/** Frees a victim by any way there is, moving by realloc() included */
void kill_thing(const struct thing *t);

/** What may happen between the two parts of a crime: nothing, a few valid
 * operations, a fork
 */
void interlude(void);

/** Goes on in the child of a fork, with as many threads as before */
void go_on_in_child(void);

/** What settle() has to bring about, besides freeing everything */
struct aftermath {
	size_t reuse; /* slots of this length must be handed out again */
	enum actor owner;
	int found_at_exit;
	int harmless; /* there is nothing to find */
};

extern struct aftermath aftermath;

/** Valid operations after which every crime must have been found */
void settle(void);

#endif /* __TESTS_MISUSE_CRIME_H__ */
