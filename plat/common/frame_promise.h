/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FRAME_PROMISE_H__
#define __UKPLAT_FRAME_PROMISE_H__

/* Promises of frames: memory that is certain, but not taken yet
 *
 *   promise --+--> frame_take(), then the end of the promise     (common)
 *             +--> frame_take_promised()         (no other frame is left)
 *             +--> the end of the promise             (nobody touched it)
 *
 * Who has a promise takes frames as everybody does, which is fast, and gives
 * the promise up for them. Only if that fails the promise is needed.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

/**
 * Promises frames.
 *
 * **Context:** any CPU, interrupts enabled or disabled, not from NMI. Waits
 * for no lock but the frame lock.
 *
 * @param cnt
 *   Number of frames
 *
 * @return
 *   - (0): Promised
 *   - (-ENOMEM): Not that many are free
 */
int frame_promise(unsigned long cnt);

/**
 * Ends a promise of so many frames, or a part of one.
 *
 * **Context:** as frame_promise(); locks above the frame lock may be held
 */
void frame_promise_end(unsigned long cnt);

/**
 * Takes a frame for a promise, which ends. Cannot fail.
 *
 * **Context:** as frame_promise_end()
 *
 * @return
 *   Physical address; the frame contains only zeros
 */
__paddr_t frame_take_promised(void);

#endif /* __UKPLAT_FRAME_PROMISE_H__ */
