/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* From the machine to C: PVH and multiboot entries, long mode, identity map
 *
 * All of them enter in 32-bit protected mode without paging, %ebx pointing to
 * what the machine tells. There is no stack yet.
 *
 * Source
 *   Xen, docs/misc/pvh.pandoc; Multiboot Specification 0.6.96, 3.2;
 *   Multiboot2 Specification 2.0, 3.3; SDM 3A 9.8.5 (entering IA-32e mode)
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define MULTIBOOT2_HEADER 0xe85250d6

#define BOOT_STACK_LEN 0x8000
/* Four directories of 2 MiB pages: the first 4 GiB */
#define BOOT_PD_CNT    4
#define BOOT_PTE_TABLE (X86_PTE_PRESENT | X86_PTE_RW)
#define BOOT_PTE_LARGE (X86_PTE_PRESENT | X86_PTE_RW | X86_PTE_PS)

#define CPUID_EXT	 0x80000001
#define CPUID_EXT_EDX_NX 20
#define CPUID_EXT_EDX_LM 29
#define DEBUG_EXIT_PORT	 0xf4
#define EXIT_NO_CPU	 98

	.section .note.pvh, "a", @note
	.balign	4
	.long	4
	.long	8
	.long	XEN_ELFNOTE_PHYS32_ENTRY
	.asciz	"Xen"
	.quad	pvh_start

	.section .header, "a", @progbits
	.balign	8
multiboot2_header:
	.long	MULTIBOOT2_HEADER
	.long	0
	.long	multiboot2_header_end - multiboot2_header
	.long	-(MULTIBOOT2_HEADER + multiboot2_header_end - multiboot2_header)
	/* Entry address */
	.word	3, 0
	.long	12
	.long	multiboot_start
	.balign	8
	/* End */
	.word	0, 0
	.long	8
multiboot2_header_end:

	.section .bss.boot, "aw", @nobits
	.balign	PAGE_SIZE
	.globl	loader_pml4
loader_pml4:
	.skip	PAGE_SIZE
boot_pdpt:
	.skip	PAGE_SIZE
boot_pd:
	.skip	PAGE_SIZE * BOOT_PD_CNT
boot_stack:
	.skip	BOOT_STACK_LEN
boot_stack_top:

	.section .text.boot, "ax", @progbits
	.code32
	.globl	pvh_start
	.type	pvh_start, @function
pvh_start:
	xorl	%eax, %eax
	.globl	multiboot_start
	.type	multiboot_start, @function
multiboot_start:
	cli
	cld
	movl	%eax, %esi
	rdtsc
	movl	%eax, %ebp

	/* Whatever was left where zeroes should be */
	movl	$loader_bss_start, %edi
	movl	$loader_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	rep stosb
	movl	$boot_stack_top, %esp
	pushl	%edx
	pushl	%ebp

	/* Long mode and no-execute, or nothing */
	pushl	%ebx
	movl	$CPUID_EXT, %eax
	cpuid
	popl	%ebx
	btl	$CPUID_EXT_EDX_LM, %edx
	jnc	unfit
	btl	$CPUID_EXT_EDX_NX, %edx
	jnc	unfit

	movl	$(boot_pdpt + BOOT_PTE_TABLE), loader_pml4
	movl	$(boot_pd + BOOT_PTE_TABLE), %eax
	movl	$boot_pdpt, %edi
	movl	$BOOT_PD_CNT, %ecx
2:	movl	%eax, (%edi)
	addl	$PAGE_SIZE, %eax
	addl	$8, %edi
	loop	2b

	movl	$boot_pd, %edi
	movl	$BOOT_PTE_LARGE, %eax
	movl	$(BOOT_PD_CNT * UKARCH_PT_ENTRIES), %ecx
3:	movl	%eax, (%edi)
	addl	$(1 << PAGE_LARGE_SHIFT), %eax
	addl	$8, %edi
	loop	3b

	movl	$(X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT), %eax
	movl	%eax, %cr4
	movl	$loader_pml4, %eax
	movl	%eax, %cr3
	movl	$X86_MSR_EFER, %ecx
	rdmsr
	orl	$(X86_EFER_LME | X86_EFER_NXE), %eax
	wrmsr
	movl	$(X86_CR0_PE | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP | \
		  X86_CR0_PG), %eax
	movl	%eax, %cr0
	lgdt	boot_gdtr
	ljmpl	$X86_SEL_CODE, $start64

unfit:
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
boot_gdtr:
	.word	boot_gdt_end - boot_gdt - 1
	.long	boot_gdt

	.code64
start64:
	movl	$X86_SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	xorl	%eax, %eax
	movl	%eax, %fs
	movl	%eax, %gs
	/* Time stamp, address and kind of what the machine tells */
	popq	%rdx
	movl	%ebx, %edi
	movl	%esi, %esi
	movl	$boot_stack_top, %esp
	xorl	%ebp, %ebp
	call	loader_main
	ud2

/* void loader_leave(__paddr_t cr3, __vaddr_t stack_top, __vaddr_t info,
 *		     __vaddr_t entry)
 *
 * The page table in use has the mappings of the final one, too. No register
 * keeps anything.
 */
	.globl	loader_leave
	.type	loader_leave, @function
loader_leave:
	movq	%cr3, %rax
	movq	%rax, %cr3
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	jmp	*%rcx
	.size	loader_leave, . - loader_leave

	.section .note.GNU-stack, "", @progbits
