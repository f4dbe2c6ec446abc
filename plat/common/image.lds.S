/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The application image: a static PIE in three segments. The loader reads its
 * program headers and relocations (loader/payload.h), maps it at a random place
 * and relocates it there.
 */

/* The page size, in a form that the linker reads */
#define IMAGE_ALIGN 0x1000

OUTPUT_FORMAT(elf64-x86-64)
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_entry)

PHDRS {
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	dynamic PT_DYNAMIC FLAGS(4);
}

SECTIONS {
	/* Where debuggers expect code of kernels: 2 GiB below the end */
	. = 0xffffffff80000000;

	.text : {
		*(.text .text.*)
		. = ALIGN(IMAGE_ALIGN);
	} :text

	.dynamic : { *(.dynamic) } :rodata :dynamic
	.relr.dyn : { *(.relr.dyn) } :rodata
	.rela.dyn : { *(.rela .rela.*) }
	.dynsym : { *(.dynsym) }
	.dynstr : { *(.dynstr) }
	.hash : { *(.hash) }
	.gnu.hash : { *(.gnu.hash) }
	.rodata : { *(.rodata .rodata.*) }
	.uk_extable : {
		__extable_start = .;
		KEEP(*(.uk_extable))
		__extable_end = .;
	}
	.eh_frame : { *(.eh_frame .eh_frame_hdr) }

	/* Constants with addresses: written by the loader only */
	.data.rel.ro : {
		*(.data.rel.ro .data.rel.ro.*)
		*(.got .got.plt)
		. = ALIGN(IMAGE_ALIGN);
	}

	.data : { *(.data .data.*) } :data
	.bss : {
		*(.bss .bss.* COMMON)
		. = ALIGN(IMAGE_ALIGN);
	}

	/DISCARD/ : {
		*(.comment .note.GNU-stack .note.gnu.* .interp)
	}
}

/* Without symbols all relocations are of one kind: one empty symbol is left */
ASSERT(SIZEOF(.dynsym) <= 24, "relocations with symbols")
