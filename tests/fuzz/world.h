/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_FUZZ_WORLD_H__
#define __TESTS_FUZZ_WORLD_H__

/* World: a heap, and a reference that knows what must be true of it
 *
 * The reference is two lists: what is live, with address, size and contents,
 * and what was freed lately. Every call is made by one of three threads, one
 * at a time, and its result compared with what the lists say.
 */

#include <uk/allocrnd.h>

#include "caught.h"
#include "input.h"
#include "object.h"

#define WORLD_LIVE 256U
#define WORLD_DEAD 64U
#define PAGE_LEN   4096UL

enum call_what {
	CALL_MALLOC,
	CALL_CALLOC,
	CALL_REALLOC,
	CALL_MEMALIGN,
	CALL_POSIX_MEMALIGN,
	CALL_PALLOC,
	CALL_FREE,
	CALL_PFREE,
	CALL_USABLE,
	CALL_FLUSH,
	CALL_PURGE,
};

/* One call of the interface */
struct call {
	enum call_what what;
	void *ptr;    /* argument, then result */
	size_t size;  /* bytes, pages for PALLOC and PFREE; then result */
	size_t align; /* or number of elements */
	int err;      /* errno, or the error returned */
	struct caught caught;
};

struct world {
	struct uk_alloc *a;
	struct object live[WORLD_LIVE];
	unsigned int live_cnt;
	size_t live_len; /* bytes */
	/* A ring of what was freed, sizes as requested; and how many bytes had
	 * been freed when it was
	 */
	struct object dead[WORLD_DEAD];
	size_t dead_at[WORLD_DEAD];
	unsigned int dead_cnt;
	size_t freed_len;
	unsigned int inputs; /* that this heap has seen */
	uint64_t tags;
};

extern struct world world;

/** Before an input: there is a heap, and nothing in it */
void world_begin(void);

/** Makes a call in the thread that the input says */
void world_call(struct input *in, struct call *call);

/** Makes a call that is valid: no report may end it */
void world_call_valid(struct input *in, struct call *call);

/** Does one random operation, a valid one */
void world_op(struct input *in);

/** Tells whether a freed object must still be in quarantine */
int world_is_quarantined(unsigned int dead);

/** Frees a live object, or a part of its pages, validly */
void world_free(struct input *in, unsigned int i);
void world_pfree(struct input *in, unsigned int i, size_t first, size_t cnt);

/** Resizes a live object; size 0 frees it */
void world_realloc(struct input *in, unsigned int i, size_t size);

/** Asks for the usable size of a live object */
void world_usable(struct input *in, unsigned int i);

/** After an input: frees everything, the heap must be sound and empty */
void world_end(void);

/** After a report: throws the heap away */
void world_drop(void);

#endif /* __TESTS_FUZZ_WORLD_H__ */
