/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __HOSTBENCH_X86_INSN_H__
#define __HOSTBENCH_X86_INSN_H__

/* What an instruction of x86_64 does to other CPUs and to interrupts
 *
 * How
 *   Prefixes are skipped, then the opcode and, for an exchange, its operand
 *   tell. Nothing behind them is looked at, so constants cannot be taken for
 *   prefixes. What a CPU refuses (LOCK before VEX or EVEX) is no event.
 *
 * Source
 *   SDM 2A 2.1 (format), SDM 2D B, SDM 3A 8.1.2 (locked operations)
 */

#include <stddef.h>
#include <stdint.h>

/** Bytes of the longest instruction */
#define X86_INSN_MAX 15U

/* Kinds of events */
#define X86_LOCKED  0x1U /* LOCK prefix, or XCHG with an operand in memory */
#define X86_IRQFLAG 0x2U /* CLI, STI or POPF */

/**
 * Tells which events an instruction of 64 bit code is.
 *
 * @param insn
 *   Its bytes, from the first prefix on
 * @param len
 *   How many there are; fewer than it has are no event, unless they say enough
 *
 * @return
 *   X86_LOCKED, X86_IRQFLAG or 0
 */
unsigned int x86_events(const uint8_t *insn, size_t len);

/**
 * Reads a NOP of seven bytes, nopl displacement(%rax).
 *
 * @return
 *   The displacement, or 0 if it is another instruction
 */
uint32_t x86_nop_displacement(const uint8_t *insn, size_t len);

#endif /* __HOSTBENCH_X86_INSN_H__ */
