/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __SCORE_PROBE_H__
#define __SCORE_PROBE_H__

/* A program that shows where an allocator puts things
 *
 * How
 *   Each mode drives malloc and free in one pattern and writes the addresses
 *   that it was given to standard output, 64-bit words and nothing else. What
 *   they mean is worked out in measure.py; here is no statistics.
 *
 *   The allocator sees the calls of the mode only: tables are static, output
 *   goes through write(), and nothing of stdio is touched. Choices that the
 *   pattern leaves open come from a generator with a fixed seed, so that what
 *   differs between two runs is the allocator's doing.
 */

#include <stddef.h>
#include <stdint.h>

/** What the command line asks for */
struct probe_args {
	size_t size;	 /**< bytes of an object */
	size_t n;	 /**< draws, trials or rounds; the mode says which */
	size_t live_cnt; /**< objects that live all the time */
};

/** Words of the tables below, and with it the largest n */
#define PROBE_WORDS_MAX (1UL << 21)

/** Bytes of a large object */
#define PROBE_LARGE_LEN (1UL << 20)

/** Objects that a process or a child of fork shows */
#define PROBE_ROW_LEN 65U

/** Words that are written at the end */
extern uint64_t probe_out[PROBE_WORDS_MAX];
/** How many there are */
extern size_t probe_out_cnt;

/** Objects that a mode holds; PROBE_WORDS_MAX of them */
extern char *probe_live[];

/** Ends the program with a message */
void probe_fail(const char *why) __attribute__((noreturn));

/** Appends a word to the output */
void probe_put(uint64_t word);

/** Writes bytes to a descriptor, all of them */
void probe_write(int fd, const void *buf, size_t len);

/** A number below n, from the fixed seed */
size_t probe_below(size_t n);

/** malloc() that ends the program rather than to return NULL; the compiler
 * knows nothing about the result
 */
char *probe_new(size_t size);

/** Same, and the first byte is written, so that memory is behind it */
char *probe_new_used(size_t size);

/** Fills probe_live and ages it: half of it is freed at random and drawn
 * again, so that the allocator is no longer in its first state
 */
void probe_fill_live(const struct probe_args *args);

/** Puts n pointers into random order */
void probe_shuffle(char **ptrs, size_t n);

/** Size of a class that has nothing to do with that of size */
size_t probe_other_size(size_t size);

/** Lets another thread free n objects, and waits until it has done so */
void probe_free_remote(char **ptrs, size_t n);

/** Name of the file that malloc() comes from, as text */
void probe_who(const struct probe_args *args);

/** First objects of a process, other classes, libc, program, stack */
void probe_start(const struct probe_args *args);

/** n objects, none of which is freed */
void probe_growth(const struct probe_args *args);

/** n objects, in rounds: a quarter of the live ones is freed in random order,
 * as many are drawn
 */
void probe_aged(const struct probe_args *args);

/** n steps: a random live object is freed, one is drawn; both addresses */
void probe_churn(const struct probe_args *args);

/** n steps: the object of the step before is freed, one is drawn */
void probe_pair(const struct probe_args *args);

/** n steps: realloc() moves a random live object to another class and back;
 * the address that it left, if it did, and where it is then
 */
void probe_resize(const struct probe_args *args);

/** As churn, but another thread frees, PROBE_REMOTE_BATCH at a time */
void probe_remote(const struct probe_args *args);
#define PROBE_REMOTE_BATCH 64U

/** n trials: one object is freed, PROBE_SPRAY_LEN are drawn and kept; the
 * number of the draw that returned the freed address, or 0
 */
void probe_spray(const struct probe_args *args);
#define PROBE_SPRAY_LEN 4096U

/** n trials: what a dangling pointer reads */
void probe_after(const struct probe_args *args);

/** n times: what the children of one parent draw, and the parent itself */
void probe_fork(const struct probe_args *args);
#define PROBE_CHILDREN 16U

#endif /* __SCORE_PROBE_H__ */
