/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The image: a static PIE in three segments
 *
 * Linked for 0, loaded at 1 MiB; boot.c moves it, by page table and
 * relocation, to the random base of this boot. The relocation table, all
 * of type R_X86_64_RELATIVE (boot.c tests that), is needed twice and stays
 * in the constants.
 *
 * The last part, .bss.boot, is not mapped after the boot; its frames are
 * freed.
 */

#include "image.h"

OUTPUT_FORMAT(elf64-x86-64)
OUTPUT_ARCH(i386:x86-64)
ENTRY(pvh_start)

PHDRS {
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	note PT_NOTE FLAGS(4);
	dynamic PT_DYNAMIC FLAGS(4);
}

SECTIONS {
	. = IMAGE_LINK_BASE;
	__image_start = .;

	.text : AT(IMAGE_LOAD_BASE) {
		*(.text.boot)
		*(.text .text.*)
		. = ALIGN(IMAGE_ALIGN);
	} :text
	__text_end = .;

	/* The address without a relocation: the linker writes it */
	.note.pvh : {
		KEEP(*(.note.pvh))
		QUAD(pvh_start + IMAGE_LOAD_BASE)
	} :rodata :note

	.dynamic : { *(.dynamic) } :rodata :dynamic
	.rela.plt : { *(.rela.plt .rela.iplt) }
	.rela.dyn : {
		__rela_start = .;
		*(.rela .rela.*)
		__rela_end = .;
	} :rodata
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

	/* Constants with addresses: written by the relocation only */
	.data.rel.ro : {
		*(.data.rel.ro .data.rel.ro.*)
		*(.got .got.plt)
		. = ALIGN(IMAGE_ALIGN);
	}
	__rodata_end = .;

	.data : { *(.data .data.*) } :data
	.bss : {
		__bss_start = .;
		*(.bss .bss.[!b]* COMMON)
		. = ALIGN(IMAGE_ALIGN);
		__data_end = .;
		*(.bss.boot)
		. = ALIGN(IMAGE_ALIGN);
	}
	__image_end = .;

	/DISCARD/ : {
		*(.comment .note.GNU-stack .note.gnu.* .interp)
	}
}

ASSERT(__text_end % IMAGE_ALIGN == 0, "text ends within a page")
ASSERT(__rodata_end % IMAGE_ALIGN == 0, "constants end within a page")
/* Without symbols and without indirect functions all relocations are of type
 * R_X86_64_RELATIVE: one empty symbol is left
 */
ASSERT(SIZEOF(.rela.plt) == 0, "indirect functions")
ASSERT(SIZEOF(.dynsym) <= 24, "relocations with symbols")
