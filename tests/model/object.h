/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_OBJECT_H__
#define __TESTS_OBJECT_H__

/* Objects that know what they contain
 *
 * The reference against which the allocator is tested: every object has an
 * address, a size and a pattern that no other object has. If two objects
 * overlap, if one moves without its contents, or if anybody else writes to
 * it, the pattern tells.
 *
 * Failures end the program at once: they may happen in any thread.
 */

#include <stdint.h>
#include <stdlib.h>

/* 1: built with ThreadSanitizer, which makes everything ten times slower */
#if defined(__SANITIZE_THREAD__)
#define TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_TSAN 1
#endif
#endif
#ifndef TEST_TSAN
#define TEST_TSAN 0
#endif

struct object {
	uint64_t *ptr;
	size_t size;
	size_t align; /* what ptr is a multiple of */
	uint64_t tag; /* different for every filling */
	int is_pages; /* from palloc; size in bytes all the same */
};

/** Pseudo random numbers of a thread: splitmix64, S. Vigna, public domain */
struct random {
	uint64_t state;
};

uint64_t random_next(struct random *r);

/** A number below bound; the bias does not matter here */
static inline uint64_t random_below(struct random *r, uint64_t bound)
{
	return random_next(r) % bound;
}

/** Mostly small, seldom large: 0 to 2^max_bits - 1, uniform in magnitude */
size_t random_size(struct random *r, unsigned int max_bits);

/** Fills an object with a new pattern */
void object_fill(struct object *o, struct random *r);

/** Tests the whole pattern and the alignment */
void object_check(const struct object *o, const char *when);

/** Tests the pattern up to a length, at the address of another object */
void object_check_prefix(const struct object *o, const void *at, size_t len,
			 const char *when);

/** Tests that the whole object is zero */
void object_check_zero(const struct object *o);

/**
 * Tests that no two objects overlap and that all addresses differ.
 *
 * @param objects
 *   Array of n pointers; sorted by address on return
 */
void objects_check_disjoint(struct object **objects, size_t n);

/** Prints a message with the seed and aborts */
void test_die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/** Ends the test unless the condition holds */
#define EXPECT(condition)                                                      \
	do {                                                                   \
		if (!(condition))                                              \
			test_die("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/** For test_die(): how to run the program again */
extern uint64_t test_seed;

/** Reads the seed from the command line, if there is one, and prints it */
void test_seed_init(int argc, char **argv);

#endif /* __TESTS_OBJECT_H__ */
