/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PANIC_H__
#define __UKPLAT_PANIC_H__

/* Last words: one CPU speaks, the others stop */

/**
 * Begins the last words: disables interrupts, stops the other CPUs and opens
 * the console. The second CPU that comes here halts, so that reports do not
 * mix; the same CPU coming here again, by a fault in its report, ends the
 * guest at once.
 */
void panic_enter(void);

#endif /* __UKPLAT_PANIC_H__ */
