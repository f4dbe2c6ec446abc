/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_FUZZ_ASK_H__
#define __TESTS_FUZZ_ASK_H__

/* Requests with any numbers: what they ask for, and what answers are right */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "object.h"

#define PAGE_LEN 4096UL

/* Below the first, nothing may fail; nothing as long as the second can be */
#define SURELY_LEN (1UL << 20)
#define NEVER_LEN  (1UL << 47)

struct uk_alloc;

/* One call: what was asked for, and what is right */
struct ask {
	size_t size;  /* as passed */
	size_t cnt;   /* elements of that size, or 1 */
	size_t align; /* as passed, or 0 if none is */
	int way;      /* chooses between similar functions */
	size_t len;   /* bytes that the object must have at least */
	int too_long; /* no number for the length */
	int crooked;  /* alignment that must be refused */
	int is_quiet; /* does not set errno */
	int is_zeroed;
	void *ptr; /* result */
	int err;
};

/* One function that takes sizes */
struct asker {
	void (*fn)(struct ask *k);
	int takes_align;
};

/* Those of uk_alloc, and those of the preloaded library */
extern const struct asker askers_uk[], askers_pre[];
extern const size_t askers_uk_cnt, askers_pre_cnt;

/** The heap that is asked through uk_alloc */
extern struct uk_alloc *ask_heap;

/** Tells whether there is an object; ends the test if the answer is wrong */
int ask_check(const struct ask *k);

/** Sets the length to cnt times size */
void ask_set_len(struct ask *k);

static inline int is_power_of_2(size_t n)
{
	return n && !(n & (n - 1));
}

#endif /* __TESTS_FUZZ_ASK_H__ */
