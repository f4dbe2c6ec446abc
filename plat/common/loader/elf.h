/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_ELF_H__
#define __UKPLAT_ELF_H__

/* As much of ELF as the loader reads
 *
 * Source
 *   System V ABI, chapters 4 and 5; its x86-64 supplement, 4.4; the generic
 *   ABI's proposal for DT_RELR
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

/* 0x7f, "ELF", 64 bit, little endian, version 1 */
#define ELF_IDENT	0x00010102464c457fUL
#define ELF_IDENT_MASK	0x00ffffffffffffffUL
#define ELF_ET_DYN	3
#define ELF_EM_X86_64	62
#define ELF_PT_LOAD	1U
#define ELF_PT_DYNAMIC	2U
#define ELF_PF_X	1U
#define ELF_PF_W	2U
#define ELF_PF_R	4U
#define ELF_DT_NULL	0
#define ELF_DT_PLTRELSZ 2
#define ELF_DT_RELA	7
#define ELF_DT_RELASZ	8
#define ELF_DT_RELAENT	9
#define ELF_DT_REL	17
#define ELF_DT_RELRSZ	35
#define ELF_DT_RELR	36
#define ELF_DT_RELRENT	37
#define ELF_R_RELATIVE	8U

struct elf_header {
	__u64 ident;
	__u64 pad;
	__u16 type;
	__u16 machine;
	__u32 version;
	__u64 entry;
	__u64 phoff;
	__u64 shoff;
	__u32 flags;
	__u16 ehsize;
	__u16 phentsize;
	__u16 phnum;
	__u16 shentsize;
	__u16 shnum;
	__u16 shstrndx;
};

UK_CTASSERT(sizeof(struct elf_header) == 64);

struct elf_phdr {
	__u32 type;
	__u32 flags;
	__u64 offset;
	__u64 vaddr;
	__u64 paddr;
	__u64 filesz;
	__u64 memsz;
	__u64 align;
};

UK_CTASSERT(sizeof(struct elf_phdr) == 56);

struct elf_dyn {
	__u64 tag;
	__u64 val;
};

struct elf_rela {
	__u64 offset;
	__u64 info;
	__u64 addend;
};

UK_CTASSERT(sizeof(struct elf_rela) == 24);

#endif /* __UKPLAT_ELF_H__ */
