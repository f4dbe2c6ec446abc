/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PAYLOAD_H__
#define __UKPLAT_PAYLOAD_H__

/* The application image as a file
 *
 *   +----------------+---------------------------------------------+
 *   | payload_header | ELF file: ET_DYN, PT_LOAD segments, and     |
 *   | magic, length, | PT_DYNAMIC with RELR and RELA (one piece)   |
 *   | SHA-256        | or PT_PIECES (libraries apart)              |
 *   +----------------+---------------------------------------------+
 *
 * An image in one piece has one distance between where it was linked and
 * where it runs. An image in pieces has one for each unit: a segment of a
 * library, or a function. Everything is little endian. `offset` below is an
 * address as linked minus the lowest p_vaddr.
 *
 * tests/support/payload.py writes this, the loader reads it and believes
 * nothing of it.
 */

#include <uk/arch/types.h>
#include <uk/essentials.h>

/* Eight bytes, the last one is the terminator */
#define PAYLOAD_MAGIC	"ukimage"
#define PAYLOAD_VERSION 1U

struct payload_header {
	__u8 magic[8];
	__u32 version;
	/** 0 */
	__u32 flags;
	/** Bytes that follow the header: the ELF file */
	__u64 len;
	/** Of these bytes */
	__u8 sha256[32];
	/** 0 */
	__u8 reserved[8];
};

UK_CTASSERT(sizeof(struct payload_header) == 64);

/* Type of the program header with the pieces: in the file, not in memory.
 * Contents: pieces_header, then arrays in the order of its counters.
 */
#define PT_PIECES 0x6b756b70U

#define PIECES_VERSION 1U

struct pieces_header {
	__u32 version;
	__u32 lib_cnt;
	/** Number of PT_LOAD segments */
	__u32 seg_cnt;
	__u32 unit_cnt;
	__u32 fixup_cnt;
	/** 0 */
	__u32 reserved[3];
};

UK_CTASSERT(sizeof(struct pieces_header) == 32);

/** A library: its segments go to one window of PIECES_WINDOW bytes */
struct pieces_lib {
	/** Terminated, printable, no blanks, not empty */
	char name[32];
};

/** The library of a PT_LOAD segment, in the order of the program headers;
 * segments of one library follow each other
 */
struct pieces_seg {
	__u32 lib;
};

/* Functions that may change places with their neighbours: start and place are
 * multiples of PIECES_ALIGN. All of them in a segment follow each other, with
 * less than PIECES_ALIGN bytes between.
 */
#define PIECES_UNIT_MOVE 1U
/* A table of entries of 16 bytes, sorted by their first 8 bytes (unsigned)
 * once everything is relocated
 */
#define PIECES_UNIT_SORT 2U

#define PIECES_ALIGN 16U

/** What moves as a whole. Units are sorted, do not overlap, and cover every
 * byte that a fixup mentions; one unit lies within the memory of one segment.
 */
struct pieces_unit {
	/** Offset of the first byte */
	__u32 start;
	__u32 len;
	/** Number of the segment */
	__u16 seg;
	/** PIECES_UNIT_* */
	__u16 flags;
};

UK_CTASSERT(sizeof(struct pieces_unit) == 12);

/* Set: 4 bytes, relative to their own place; clear: an address of 8 bytes */
#define PIECES_FIXUP_RELATIVE 0x80000000U

/** A place with an address in it, which is as linked; sorted by site, and no
 * two of them overlap. New value: old value + distance of the target's unit,
 * minus, if relative, the distance of the unit that the site is in. A relative
 * target is in the same library.
 */
struct pieces_fixup {
	/** Offset */
	__u32 site;
	/** Index of the unit that the address points into, PIECES_FIXUP_* */
	__u32 target;
};

UK_CTASSERT(sizeof(struct pieces_fixup) == 8);

#endif /* __UKPLAT_PAYLOAD_H__ */
