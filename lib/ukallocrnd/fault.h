/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FAULT_H__
#define __UKALLOCRND_FAULT_H__

/* Faults: what an access to an address without memory was
 *
 * Guards and freed pages make the access itself fault. Here the address tells
 * which object was meant, from the metadata alone.
 *
 *   live object     in front of its pages   underflow
 *                   behind its pages        overflow
 *   object of size 0                        overflow
 *   freed object                            use after free
 *   none                                    wild access
 */

#include <uk/arch/types.h>

/** An access that faulted */
struct rnd_fault {
	__uptr addr;
	__uptr caller;	    /* instruction */
	const char *access; /* "read", "write"; __NULL: not known */
};

/**
 * Prints a report, unless the address is not one of a heap, or the calling
 * context was inside the library. The caller stops the system.
 *
 * Context: any, also a signal handler; takes locks that a context outside of
 * the library does not hold.
 *
 * @return
 *   1 if there is a report
 */
__bool rnd_fault_report(const struct rnd_fault *f);

#endif /* __UKALLOCRND_FAULT_H__ */
