/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_MISUSE_FORMS_H__
#define __TESTS_MISUSE_FORMS_H__

/* Forms: every function that allocates or frees, as rows of two tables
 *
 * The functions are looked up at run time: the program is linked with no
 * allocator, and the compiler knows nothing about what is called.
 */

#include <stddef.h>

/* Function family; what one allocates no other may free */
enum family {
	FAMILY_MALLOC,
	FAMILY_NEW,
	FAMILY_ARRAY,
	FAMILY_COUNT,
};

/* What a form needs to know */
struct call {
	const struct form *form;
	void *ptr;    /* to be freed, or the result */
	size_t size;  /* requested, or told to a sized delete */
	size_t align; /* told to an aligned form */
};

struct form {
	const char *name;
	const char *symbol;
	enum family family;
	unsigned int flags;
	void (*run)(void (*fn)(void), struct call *call);
	void (*fn)(void);
};

/* Values of flags */
#define FORM_ALIGNED 1U	 /* takes an alignment */
#define FORM_ZEROED  2U	 /* gives zeroed memory */
#define FORM_SIZED   4U	 /* frees, and takes the size */
#define FORM_PAGED   8U	 /* aligned to a page, without being told */
#define FORM_ROUNDED 16U /* rounds the size up to whole pages */

extern struct form alloc_forms[], free_forms[];
extern const unsigned int alloc_forms_cnt, free_forms_cnt;

/* Neither allocates nor frees only */
extern struct form form_realloc, form_usable;

/** Looks up all functions; ends the program if one is missing */
void forms_init(void);

/** Makes a call: sets ptr if it allocates */
static inline void form_run(struct call *call)
{
	call->form->run(call->form->fn, call);
}

#endif /* __TESTS_MISUSE_FORMS_H__ */
