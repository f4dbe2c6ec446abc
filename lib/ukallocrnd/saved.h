/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_SAVED_H__
#define __UKALLOCRND_SAVED_H__

/* Registers of 32 bytes that belong to somebody else
 *
 * Code for registers of 16 bytes is slower while the wide halves are in use.
 * Where the processor knew that they were not (XINUSE: Intel, Software
 * Developer's Manual, volume 1, 13.6), it knows it again afterwards. Assembly
 * that uses them begins and ends with these two; in between it leaves eax
 * alone, and label 9 is taken. Needs AVX2, and XGETBV with 1.
 */

/* Whether the wide halves are in use is in bit 2 of eax */
#define SAVED_WIDE_BEGIN "movl $1, %%ecx\nxgetbv\n"
#define SAVED_WIDE_END                                                         \
	"testb $4, %%al\n"                                                     \
	"jnz 9f\n"                                                             \
	"vzeroupper\n"                                                         \
	"9:\n"
/* What both change besides flags */
#define SAVED_WIDE_CLOBBERS "eax", "ecx", "edx"

#endif /* __UKALLOCRND_SAVED_H__ */
