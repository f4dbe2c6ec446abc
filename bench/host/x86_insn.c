/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <string.h>

#include "x86_insn.h"

#define LOCK 0xf0U

/* Opcodes */
#define XCHG_BYTE    0x86U
#define XCHG_WORD    0x87U
#define POPF	     0x9dU
#define CLI	     0xfaU
#define STI	     0xfbU
#define EVEX	     0x62U
#define VEX_3	     0xc4U
#define VEX_2	     0xc5U
#define TWO_BYTES    0x0fU /* the opcode is the next byte */
#define MOV_FROM_CR  0x20U
#define MOV_TO_CR    0x22U
#define REX_MASK     0xf0U
#define REX	     0x40U
#define MODRM_SHIFT  6U
#define MODRM_IS_REG 3U

static int is_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26: /* segments */
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66: /* size of operands and of addresses */
	case 0x67:
	case 0xf2: /* repetition */
	case 0xf3:
	case LOCK:
		return 1;
	default:
		/* One that is not the last has no effect, and is allowed */
		return (byte & REX_MASK) == REX;
	}
}

/* The operand of ModRM is in memory */
static int has_memory(const uint8_t *modrm, const uint8_t *end)
{
	return modrm < end && *modrm >> MODRM_SHIFT != MODRM_IS_REG;
}

/* Tells whether LOCK before this opcode locks. It is another name of CR8
 * before a move from or to a control register.
 */
static int can_lock(const uint8_t *opcode, const uint8_t *end)
{
	if (*opcode == VEX_2 || *opcode == VEX_3 || *opcode == EVEX)
		return 0;
	if (*opcode != TWO_BYTES)
		return 1;
	return opcode + 1 < end && opcode[1] != MOV_FROM_CR &&
	       opcode[1] != MOV_TO_CR;
}

unsigned int x86_events(const uint8_t *insn, size_t len)
{
	const uint8_t *opcode = insn, *end = insn + len;
	int has_lock = 0;

	while (opcode < end && is_prefix(*opcode))
		has_lock |= *opcode++ == LOCK;
	if (opcode == end)
		return 0;
	if (has_lock)
		return can_lock(opcode, end) ? X86_LOCKED : 0;
	switch (*opcode) {
	case XCHG_BYTE:
	case XCHG_WORD:
		return has_memory(opcode + 1, end) ? X86_LOCKED : 0;
	case CLI:
	case STI:
	case POPF:
		return X86_IRQFLAG;
	default:
		return 0;
	}
}

uint32_t x86_nop_displacement(const uint8_t *insn, size_t len)
{
	static const uint8_t start[] = { TWO_BYTES, 0x1f, 0x80 };
	uint32_t displacement;

	if (len != sizeof(start) + sizeof(displacement) ||
	    memcmp(insn, start, sizeof(start)) != 0)
		return 0;
	memcpy(&displacement, insn + sizeof(start), sizeof(displacement));
	return displacement;
}
