/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __X86_INVLPGB_H__
#define __X86_INVLPGB_H__

/* Invalidation of the TLBs of all CPUs by one of them (AMD since Zen 3)
 *
 * Source
 *   AMD64 Architecture Programmer's Manual 3: INVLPGB, TLBSYNC
 */

/** Asks the processor; once, on the boot CPU. */
void invlpgb_init(void);

/** Tells whether the processor, and the hypervisor, have the instructions. */
int invlpgb_is_there(void);

/**
 * Makes all CPUs forget all translations and cached tables, and waits until
 * they have. Needs invlpgb_is_there().
 */
void invlpgb_flush_all(void);

#endif /* __X86_INVLPGB_H__ */
