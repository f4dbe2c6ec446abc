/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_FALLOC_PRIV_H__
#define __UKPLAT_FALLOC_PRIV_H__

/* Start of the frame allocator; its use is <uk/falloc.h> */

#include <uk/arch/types.h>

/** Bytes of metadata for a number of frames, a multiple of the page size. */
__sz falloc_meta_len(__u64 frames);

/**
 * Starts the frame allocator without frames.
 *
 * @param meta
 *   Memory of falloc_meta_len(frames) bytes
 * @param frames
 *   Number of frames that may be added
 */
void falloc_init(void *meta, __u64 frames);

/**
 * Tells where the metadata is mapped now, after the image has moved.
 *
 * @param meta
 *   New address of what falloc_init() got
 */
void falloc_rebase(void *meta);

#endif /* __UKPLAT_FALLOC_PRIV_H__ */
