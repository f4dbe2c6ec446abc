/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* From the loader to C: PVH entry, long mode, identity map
 *
 * The loader enters in 32-bit protected mode without paging, %ebx pointing to
 * struct hvm_start_info. There is no stack; the address we run at is found by
 * a call whose return address borrows the first word of that structure.
 *
 * Source
 *   Xen, docs/misc/pvh.pandoc; SDM 3A 9.8.5 (entering IA-32e mode)
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define BOOT_STACK_LEN 0x4000
/* Four directories of 2 MiB pages: the first 4 GiB */
#define BOOT_PD_CNT    4
#define BOOT_PTE_TABLE (X86_PTE_PRESENT | X86_PTE_RW)
#define BOOT_PTE_LARGE (X86_PTE_PRESENT | X86_PTE_RW | X86_PTE_PS)

#define CPUID_EXT	 0x80000001
#define CPUID_EXT_EDX_NX 20
#define CPUID_EXT_EDX_LM 29
#define DEBUG_EXIT_PORT	 0xf4
#define EXIT_NO_CPU	 98

/* The linker script adds the entry address */
	.section .note.pvh, "a", @note
	.balign	4
	.long	4
	.long	8
	.long	XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"

	.section .bss.boot, "aw", @nobits
	.balign	PAGE_SIZE
	.globl	boot_pml4
boot_pml4:
	.skip	PAGE_SIZE
boot_pdpt:
	.skip	PAGE_SIZE
boot_pd:
	.skip	PAGE_SIZE * BOOT_PD_CNT
boot_stack:
	.skip	BOOT_STACK_LEN
boot_stack_top:
boot_gdtr:
	.skip	16

	.section .text.boot, "ax", @progbits
	.code32
	.globl	pvh_start
	.type	pvh_start, @function
pvh_start:
	cli
	cld
	movl	(%ebx), %edx
	leal	4(%ebx), %esp
	call	1f
1:	popl	%ebp
	movl	%edx, (%ebx)
	leal	(boot_stack_top - 1b)(%ebp), %esp

	/* Whatever the loader left where zeroes should be */
	leal	(__bss_start - 1b)(%ebp), %edi
	leal	(__image_end - 1b)(%ebp), %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	rep stosb

	/* Long mode and no-execute, or nothing */
	pushl	%ebx
	movl	$CPUID_EXT, %eax
	cpuid
	popl	%ebx
	btl	$CPUID_EXT_EDX_LM, %edx
	jnc	pvh_unfit
	btl	$CPUID_EXT_EDX_NX, %edx
	jnc	pvh_unfit

	leal	(boot_pdpt - 1b + BOOT_PTE_TABLE)(%ebp), %eax
	movl	%eax, (boot_pml4 - 1b)(%ebp)
	leal	(boot_pd - 1b + BOOT_PTE_TABLE)(%ebp), %eax
	leal	(boot_pdpt - 1b)(%ebp), %edi
	movl	$BOOT_PD_CNT, %ecx
2:	movl	%eax, (%edi)
	addl	$PAGE_SIZE, %eax
	addl	$8, %edi
	loop	2b

	leal	(boot_pd - 1b)(%ebp), %edi
	movl	$BOOT_PTE_LARGE, %eax
	movl	$(BOOT_PD_CNT * UKARCH_PT_ENTRIES), %ecx
3:	movl	%eax, (%edi)
	addl	$(1 << PAGE_LARGE_SHIFT), %eax
	addl	$8, %edi
	loop	3b

	movl	$(X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT), %eax
	movl	%eax, %cr4
	leal	(boot_pml4 - 1b)(%ebp), %eax
	movl	%eax, %cr3
	movl	$X86_MSR_EFER, %ecx
	rdmsr
	orl	$(X86_EFER_LME | X86_EFER_NXE), %eax
	wrmsr
	movl	$(X86_CR0_PE | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP | \
		  X86_CR0_PG), %eax
	movl	%eax, %cr0

	leal	(boot_gdt - 1b)(%ebp), %eax
	movw	$(boot_gdt_end - boot_gdt - 1), (boot_gdtr - 1b)(%ebp)
	movl	%eax, (boot_gdtr - 1b + 2)(%ebp)
	lgdt	(boot_gdtr - 1b)(%ebp)
	leal	(boot_start64 - 1b)(%ebp), %eax
	pushl	$X86_SEL_CODE
	pushl	%eax
	lretl

pvh_unfit:
	movl	$EXIT_NO_CPU, %eax
	movl	$DEBUG_EXIT_PORT, %edx
	outb	%al, %dx
4:	hlt
	jmp	4b
	.size	pvh_start, . - pvh_start

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
boot_gdt_end:

	.code64
boot_start64:
	movl	$X86_SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%esp, %esp
	andq	$-16, %rsp
	movl	%ebx, %edi
	xorl	%ebp, %ebp
	call	boot_main
	ud2

/* void boot_jump(__paddr_t cr3, __vaddr_t stack_top, __vaddr_t high)
 *
 * Continues at boot_high, whose address in the final page table is `high`.
 * The upper half of the page table in use has the final mappings already.
 */
	.globl	boot_jump
	.type	boot_jump, @function
boot_jump:
	movq	%cr3, %rax
	movq	%rax, %cr3
	jmp	*%rdx
	.size	boot_jump, . - boot_jump

	.text
	.globl	boot_high
	.type	boot_high, @function
boot_high:
	movq	%rdi, %cr3
	movq	%rsi, %rsp
	xorl	%ebp, %ebp
	call	ukplat_entry
	ud2
	.size	boot_high, . - boot_high

	.section .note.GNU-stack, "", @progbits
