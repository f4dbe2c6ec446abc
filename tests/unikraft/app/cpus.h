/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_APP_CPUS_H__
#define __UKALLOCRND_APP_CPUS_H__

#include <uk/config.h>

#if CONFIG_HAVE_SMP
#define CPUS CONFIG_UKPLAT_LCPU_MAXCOUNT
#else
#define CPUS 1
#endif

/* Starts all other CPUs, once. Returns how many there are, or 0. */
unsigned int cpus_start(void);

/* Calls a function on one CPU; waits until it is called, not for its end. On
 * other CPUs it runs in an interrupt handler, with interrupts disabled.
 */
void cpus_call(unsigned int cpu, void (*fn)(unsigned int cpu));

/* Calls a function on all CPUs and waits until all have returned. */
void cpus_call_all(void (*fn)(unsigned int cpu));

/* Waits until what was called on a CPU has returned. */
void cpus_wait(unsigned int cpu);

#endif /* __UKALLOCRND_APP_CPUS_H__ */
