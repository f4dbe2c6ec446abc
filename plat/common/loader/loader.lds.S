/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The loader: linked for 1 MiB, one segment, everything in the file but the
 * zeroes. Headers come first: multiboot looks at the first 8 KiB, or 32 KiB.
 */

/* The page size, in a form that the linker reads */
#define IMAGE_ALIGN 0x1000

OUTPUT_FORMAT(elf64-x86-64)
OUTPUT_ARCH(i386:x86-64)
ENTRY(multiboot_start)

PHDRS {
	load PT_LOAD FLAGS(7);
	note PT_NOTE FLAGS(4);
}

SECTIONS {
	. = 0x100000;
	loader_start = .;
	.text : {
		KEEP(*(.header.multiboot1))
		KEEP(*(.header))
		*(.text.boot)
		*(.text .text.*)
	} :load
	.note.pvh : { KEEP(*(.note.pvh)) } :load :note
	.rodata : { *(.rodata .rodata.*) } :load
	.data : {
		*(.data .data.* .got .got.plt)
		*(.payload)
		. = ALIGN(IMAGE_ALIGN);
	} :load
	loader_bss_start = .;
	.bss : {
		*(.bss .bss.* COMMON)
		. = ALIGN(IMAGE_ALIGN);
	} :load
	loader_end = .;

	/DISCARD/ : { *(.comment .note.GNU-stack .note.gnu.* .eh_frame) }
}
