/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* First instructions of the image, see bootinfo.h: leaves the loader's page
 * table, with which its fixed addresses go, and its stack
 */

	.text
	.globl	boot_entry
	.type	boot_entry, @function
boot_entry:
	movq	%rdi, %cr3
	movq	%rsi, %rsp
	movq	%rdx, %rdi
	xorl	%ebp, %ebp
	call	ukplat_entry
	ud2
	.size	boot_entry, . - boot_entry

	.section .note.GNU-stack, "", @progbits
