/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Start of an application processor
 *
 * start16_begin to start16_end is copied to a page below 1 MiB, where the
 * processor begins in real mode with CS:IP = page / 16 : 0. It goes straight
 * to long mode under a temporary page table that maps this page at its
 * physical address, and the image where it is.
 *
 * The copy is read-only for the processor. Hence the accessed bits of the
 * descriptors are set beforehand.
 *
 * smp.c fills the variables before each start.
 */

#include <uk/arch/lcpu.h>

#include "../lcpu.h"

#define START16(sym) ((sym) - start16_begin)

	.section .rodata.start16, "a", @progbits
	.balign	16
	.code16
	.globl	start16_begin
start16_begin:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	lgdtl	START16(start16_gdtr)
	movl	START16(start16_cr4), %eax
	movl	%eax, %cr4
	movl	START16(start16_cr3), %eax
	movl	%eax, %cr3
	movl	$X86_MSR_EFER, %ecx
	movl	START16(start16_efer), %eax
	xorl	%edx, %edx
	wrmsr
	movl	START16(start16_cr0), %eax
	movl	%eax, %cr0
	ljmpl	*START16(start16_jump64)

	.code64
	.globl	start16_code64
start16_code64:
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movq	start16_lcpu(%rip), %rdi
	jmpq	*start16_entry(%rip)

	.balign	8
start16_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08: code, 64 bit, accessed */
start16_gdt_end:

	.globl	start16_gdtr
start16_gdtr:
	.word	start16_gdt_end - start16_gdt - 1
	.globl	start16_gdt_paddr
start16_gdt_paddr:
	.long	START16(start16_gdt)	/* smp.c adds the page */

	.globl	start16_jump64
start16_jump64:
	.long	START16(start16_code64)	/* smp.c adds the page */
	.word	0x08

	.balign	8
	.globl	start16_cr0
start16_cr0:
	.long	0
	.globl	start16_cr3
start16_cr3:
	.long	0
	.globl	start16_cr4
start16_cr4:
	.long	0
	.globl	start16_efer
start16_efer:
	.long	0
	.globl	start16_lcpu
start16_lcpu:
	.quad	0
	.globl	start16_entry
start16_entry:
	.quad	0
	.globl	start16_end
start16_end:

/* In the image: leaves the temporary page table, then needs the low page no
 * longer. RDI is the struct lcpu.
 */
	.text
	.globl	smp_start64
	.type	smp_start64, @function
smp_start64:
	movq	smp_cr3(%rip), %rax
	movq	%rax, %cr3
	movq	LCPU_STACK_OFFSET(%rdi), %rsp
	xorl	%ebp, %ebp
	call	smp_cpu_entry
	ud2
	.size	smp_start64, . - smp_start64

	.section .note.GNU-stack, "", @progbits
