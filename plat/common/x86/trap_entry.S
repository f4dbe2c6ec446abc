/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Entry stubs of all vectors, 16 bytes each, and the common path
 *
 * The stack is aligned by the processor; with error code and vector, struct
 * __regs has 22 words, so a call finds it aligned again.
 */

#include <uk/arch/lcpu.h>

/* Vectors for which the processor pushes an error code: 8, 10 to 14, 17, 21,
 * 29, 30
 */
#define HAS_ERROR_CODE 0x60227d00

#define STUB_LEN 16

	.text
	.balign	STUB_LEN
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	STUB_LEN
	.if	vector >= 32 || !((HAS_ERROR_CODE >> (vector & 31)) & 1)
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.balign	16
	.type	trap_common, @function
trap_common:
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	call	trap_handle
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	iretq
	.size	trap_common, . - trap_common

/* int ukplat_probe_read(__vaddr_t addr, __u8 *val)
 * int ukplat_probe_write(__vaddr_t addr, __u8 val)
 */
#define EFAULT 14

	.macro	may_fault insn:vararg
9999:	\insn
	.pushsection .uk_extable, "aw", @progbits
	.balign	8
	.quad	9999b, probe_faulted
	.popsection
	.endm

	.globl	ukplat_probe_read
	.type	ukplat_probe_read, @function
ukplat_probe_read:
	may_fault movzbl (%rdi), %eax
	movb	%al, (%rsi)
	xorl	%eax, %eax
	ret
	.size	ukplat_probe_read, . - ukplat_probe_read

	.globl	ukplat_probe_write
	.type	ukplat_probe_write, @function
ukplat_probe_write:
	movl	%esi, %eax
	may_fault movb %al, (%rdi)
	xorl	%eax, %eax
	ret
	.size	ukplat_probe_write, . - ukplat_probe_write

probe_faulted:
	movl	$-EFAULT, %eax
	ret

	.section .note.GNU-stack, "", @progbits
