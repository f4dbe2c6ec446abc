/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKPLAT_PIECES_H__
#define __UKPLAT_PIECES_H__

/* Libraries and functions that go to places of their own
 *
 * How
 *   Every unit gets two numbers: its place in the memory of the image, which
 *   for functions is another one than in the file, and the distance between
 *   the address as linked and the one where it runs. pieces_shuffle() chooses
 *   the places; who draws addresses sets the distances of segments. Then all
 *   fixups are applied, and sorted tables sorted.
 *
 * Invariants
 *   U1 Places of two units do not overlap, and lie in the segment of the unit.
 *   U2 Each fixup lies within one unit. No two of them overlap.
 *   U3 A unit has the first instruction.
 *
 * Concurrency
 *   None. Pure: touches nothing but its arguments.
 *
 * Source
 *   K. Accardi, "Function Granular KASLR", 2020: functions in an order of
 *   their own at each boot
 */

#include <uk/arch/types.h>

#include "image.h"

struct elf_phdr;

/* Segments of a library are at most so far apart: a reference of 32 bits
 * reaches all of it
 */
#define PIECES_WINDOW 0x40000000UL

/* Flag of a unit beside those in the file: its place was drawn */
#define PIECES_UNIT_DRAWN 0x8000U

struct pieces_unit_state {
	/** Offset of the first byte in the memory of the image */
	__u32 place;
	__u32 len;
	__u32 start;
	__u16 seg;
	/** PIECES_UNIT_* */
	__u16 flags;
	/** Address where it runs minus address as linked */
	__u64 distance;
};

/** Opens the table (image_open() calls it): I4 and libraries are tested. */
int pieces_open(struct image *img, const struct elf_phdr *ph,
		struct image_error *err);

/** Library of a segment. */
unsigned int pieces_lib_of(const struct image *img, unsigned int seg);

/** Name of a library: printable, terminated. */
const char *pieces_lib_name(const struct image *img, unsigned int lib);

/**
 * Reads and tests the units.
 *
 * @param img
 *   An image in pieces
 * @param[out] units
 *   Receives img->pieces.unit_cnt units, at their places as linked
 * @param[out] err
 *   Receives what is wrong
 *
 * @return
 *   - (0): Read
 *   - (-EINVAL): They break a rule
 */
int pieces_units_read(const struct image *img, struct pieces_unit_state *units,
		      struct image_error *err);

/**
 * Gives functions new places.
 *
 * @param units, cnt
 *   Units at their places as linked
 * @param order
 *   Room for cnt numbers
 * @param uniform, arg
 *   Draws a number from [0, bound)
 */
void pieces_shuffle(struct pieces_unit_state *units, __u32 cnt, __u32 *order,
		    __u64 (*uniform)(void *arg, __u64 bound), void *arg);

/**
 * Sets the distances: unit by unit, from where its segment runs.
 *
 * @param seg_vaddr
 *   Address where each segment runs
 */
void pieces_place(const struct image *img, struct pieces_unit_state *units,
		  const __u64 *seg_vaddr);

/**
 * Copies the contents of all segments, functions to their places. What is
 * between functions whose places were drawn becomes breakpoints.
 *
 * @param mem
 *   The memory of the image: img->span bytes, zero
 */
void pieces_copy(const struct image *img, const struct pieces_unit_state *units,
		 __u8 *mem);

/** Address where an offset of the image runs; 0 if no unit has it. */
__u64 pieces_vaddr(const struct image *img,
		   const struct pieces_unit_state *units, __u64 offset);

/**
 * Applies all fixups and sorts the tables that want it.
 *
 * @param mem
 *   The memory of the image: img->span bytes, contents at the places of units
 *
 * @return
 *   - (0): Done
 *   - (-EINVAL): A fixup breaks a rule; the memory is of no use
 */
int pieces_relocate(const struct image *img,
		    const struct pieces_unit_state *units, __u8 *mem,
		    struct image_error *err);

#endif /* __UKPLAT_PIECES_H__ */
