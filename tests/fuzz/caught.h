/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_FUZZ_CAUGHT_H__
#define __TESTS_FUZZ_CAUGHT_H__

/* Reports that a fuzzer expects
 *
 * The linker puts rnd_report() of caught.c between the library and the real
 * one. A report of a call that is made through caught_run() ends the call and
 * not the process. The heap is not usable any more then: the call was inside.
 */

#include "report.h"

struct caught {
	int is_report;
	enum rnd_bug bug;
	const void *ptr;
};

/** Makes a call, in the calling thread; says if it ended in a report */
struct caught caught_run(void (*fn)(void *arg), void *arg);

#endif /* __TESTS_FUZZ_CAUGHT_H__ */
