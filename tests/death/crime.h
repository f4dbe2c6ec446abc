/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_DEATH_CRIME_H__
#define __TESTS_DEATH_CRIME_H__

/* Crimes: one misuse of the heap each, committed by a process of its own
 *
 * A crime allocates, announces the pointer that the report must name, and
 * misuses it. The report ends the process; a crime that returns went unseen.
 *
 * The programs are compiled without optimisation and without builtins: the
 * compiler must not see through what is done here.
 */

#include <stddef.h>

/** What the table says about a run */
struct crime_args {
	size_t size;   /* requested size of the object */
	size_t offset; /* meaning depends on the crime */
};

struct crime {
	const char *name;
	void (*commit)(const struct crime_args *args);
};

/* Each file of crimes has one list, which ends with a NULL name */
extern const struct crime crimes_free[];
extern const struct crime crimes_pointer[];
extern const struct crime crimes_write[];
extern const struct crime crimes_neighbour[];
extern const struct crime crimes_metadata[];
extern const struct crime crimes_cxx[];
extern const struct crime crimes_sample[];

/**
 * Prints the pointer that the report has to name; NULL: any. Does not
 * allocate.
 */
void crime_announce(const void *ptr);

/**
 * Prints the object that the report has to tell the distance from, if it is
 * not at the pointer
 */
void crime_announce_object(const void *obj);

/**
 * Prints that the calling thread frees the object; the first call counts.
 * Without any, it is the thread that announced the pointer.
 */
void crime_announce_freer(void);

/** Prints why the crime cannot be committed and exits with status 77 */
void crime_skip(const char *why) __attribute__((noreturn));

/** Allocates; a failure ends the process */
void *crime_malloc(size_t size);

/** A mapping of the process: [start, end) */
struct crime_area {
	size_t start;
	size_t end; /* 0: there is none */
};

/**
 * Finds the first mapping from an address on that is anonymous, writable
 * memory without a name: the heap's slots and its metadata, and little else.
 * Does not allocate.
 */
struct crime_area crime_next_area(size_t from);

/** Runs a function in a second thread and waits for its end */
void crime_in_thread(void *(*fn)(void *arg), void *arg);

/** Changes one byte so that it certainly differs */
void crime_flip(void *ptr, size_t offset);

#endif /* __TESTS_DEATH_CRIME_H__ */
