/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FIXTURE_IMAGE_H__
#define __FIXTURE_IMAGE_H__

/* Application images that break no rule, for tests that break one
 *
 * The pointers lead into `bytes`. After a change, fixture_seal() makes length
 * and digest right again.
 */

#include <uk/arch/types.h>

#include "../../plat/common/loader/elf.h"
#include "../../plat/common/loader/payload.h"

/* Lowest address as linked */
#define FIXTURE_BASE 0x400000UL
#define FIXTURE_LEN  0x20000U

/* The image in one piece: code, nothing, constants, variables; the last ones
 * are longer in memory than in the file
 */
#define FIXTURE_TEXT	   FIXTURE_BASE
#define FIXTURE_TEXT_LEN   0x100UL
#define FIXTURE_RODATA	   (FIXTURE_BASE + 0x2000)
#define FIXTURE_RODATA_LEN 0x600UL
#define FIXTURE_DATA	   (FIXTURE_BASE + 0x3000)
#define FIXTURE_DATA_LEN   0x800UL
#define FIXTURE_DATA_MEM   0x2800UL
#define FIXTURE_SPAN	   0x6000UL

/* Program headers, in this order */
enum fixture_ph {
	PH_TEXT,
	PH_RODATA,
	PH_DATA,
	PH_DYNAMIC,
	PH_CNT
};

/* Entries of the dynamic section */
enum fixture_dyn {
	DYN_RELA,
	DYN_RELASZ,
	DYN_RELAENT,
	DYN_RELR,
	DYN_RELRSZ,
	DYN_RELRENT,
	DYN_NULL
};

/* Room for relocations, in entries */
#define FIXTURE_RELA_MAX 32U
#define FIXTURE_RELR_MAX 32U

struct fixture_image {
	/** Bytes, header included */
	__sz len;
	struct payload_header *head;
	struct elf_header *elf;
	struct elf_phdr *ph;
	/* In one piece: the table, at first with one entry each */
	struct elf_dyn *dyn;
	struct elf_rela *rela;
	__u64 *relr;
	/* In pieces */
	struct pieces_header *pieces;
	struct pieces_lib *lib;
	struct pieces_seg *seg_lib;
	struct pieces_unit *unit;
	struct pieces_fixup *fixup;
	__u8 bytes[FIXTURE_LEN] __align(64);
};

/** Makes the image in one piece. */
void fixture_whole(struct fixture_image *f);

/**
 * Makes an image in pieces.
 *
 * @param seed
 *   State of fixture_uniform(), from which all is drawn: up to four libraries
 *   with functions, constants, a table and variables each
 */
void fixture_pieces(struct fixture_image *f, __u64 *seed);

/** Begins an image that has no program headers yet. */
void fixture_begin(struct fixture_image *f);

/** Adds a program header. */
struct elf_phdr *fixture_phdr(struct fixture_image *f, __u32 type, __u32 flags,
			      __u64 vaddr, __u64 filesz, __u64 memsz);

/** Puts contents of so many bytes into the file, for the last header. */
__u8 *fixture_contents(struct fixture_image *f, __u64 len);

/** Contents at an address as linked, which the file has. */
__u8 *fixture_at(struct fixture_image *f, __u64 vaddr);

/** Makes length and digest right. */
void fixture_seal(struct fixture_image *f);

#endif /* __FIXTURE_IMAGE_H__ */
