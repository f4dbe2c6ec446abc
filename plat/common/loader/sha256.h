/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_SHA256_H__
#define __UKPLAT_SHA256_H__

/* SHA-256
 *
 * Source
 *   FIPS 180-4, 6.2
 */

#include <uk/arch/types.h>

#define SHA256_LEN 32

/**
 * Computes the digest of a message.
 *
 * @param data
 *   The message
 * @param len
 *   Its length in bytes
 * @param[out] digest
 *   Receives SHA256_LEN bytes
 */
void sha256(const __u8 *data, __sz len, __u8 *digest);

#endif /* __UKPLAT_SHA256_H__ */
