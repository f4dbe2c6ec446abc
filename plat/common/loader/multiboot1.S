/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Header for multiboot 1, with addresses: the file is copied as it is. A file
 * with this header is never booted by PVH, so it is in a loader of its own.
 *
 * Source
 *   Multiboot Specification 0.6.96, 3.1
 */

#define MULTIBOOT_HEADER 0x1badb002
/* Modules aligned, memory map, addresses below are valid */
#define MULTIBOOT_FLAGS	 0x00010003

	.section .header.multiboot1, "a", @progbits
	.balign	4
multiboot1_header:
	.long	MULTIBOOT_HEADER
	.long	MULTIBOOT_FLAGS
	.long	-(MULTIBOOT_HEADER + MULTIBOOT_FLAGS)
	.long	multiboot1_header
	.long	loader_start
	.long	loader_bss_start
	.long	loader_end
	.long	multiboot_start

	.section .note.GNU-stack, "", @progbits
