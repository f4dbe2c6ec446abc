/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_DIAG_H__
#define __UKALLOCRND_DIAG_H__

/* Diagnosis: what exactly is wrong with a pointer
 *
 * The fast paths only find out that something is not as it should be. Here
 * the truth is derived again, slowly and from the metadata alone, before
 * anything is said.
 */

#include "heap.h"
#include "report.h"

/**
 * Reports why a pointer cannot be freed (resized, measured). Called when a
 * check has failed.
 *
 * @param ptr
 *   What the user passed
 * @param call
 *   Function, caller and expectations
 */
void __noreturn rnd_diag_pointer(struct rnd_heap *h, const void *ptr,
				 const struct rnd_call *call);

/**
 * Reports changed bytes behind an object in a slot, and what lies behind
 * these.
 *
 * @param len
 *   Slot length
 * @param req
 *   Requested size
 * @param bad
 *   First changed byte
 */
void __noreturn rnd_diag_overflow(struct rnd_heap *h, const void *ptr, __sz len,
				  __sz req, const void *bad,
				  const struct rnd_call *call);

/** Reports changed bytes around a large object or a sample */
void __noreturn rnd_diag_span(struct rnd_heap *h, const struct rnd_span *sp,
			      const void *bad, const struct rnd_call *call);

#endif /* __UKALLOCRND_DIAG_H__ */
