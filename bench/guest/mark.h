/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __GUESTBENCH_MARK_H__
#define __GUESTBENCH_MARK_H__

/* Marks that the QEMU plug-in of bench/host/qemu_events.c sees
 *
 * A mark is a NOP of seven bytes with a memory operand that is never
 * accessed; its displacement tells which mark it is. It costs one
 * instruction, stands outside what bench_counter() counts, and does nothing
 * where no plug-in looks at it. Guest and plug-in include this file.
 */

/** Displacements; no code has them by chance */
#define BENCH_MARK_START 0x626d6b31
#define BENCH_MARK_STOP	 0x626d6b32

#define BENCH_MARK_TEXT1(mark) #mark
#define BENCH_MARK_TEXT(mark)  BENCH_MARK_TEXT1(mark)

/** From here on the plug-in counts; forgets an earlier start. */
static inline void bench_mark_start(void)
{
	__asm__ __volatile__("nopl " BENCH_MARK_TEXT(BENCH_MARK_START) "(%%rax)"
			     :
			     :
			     : "memory");
}

/**
 * The plug-in writes a line on what was executed since the start. There must
 * be a line of results for each of these.
 */
static inline void bench_mark_stop(void)
{
	__asm__ __volatile__("nopl " BENCH_MARK_TEXT(BENCH_MARK_STOP) "(%%rax)"
			     :
			     :
			     : "memory");
}

/**
 * Executes a known number of locked operations and of instructions that
 * change the interrupt flag, between marks, and prints both numbers: the
 * first line of the plug-in must say the same. Turns interrupts on for a
 * moment.
 */
void bench_known_events(void);

#endif /* __GUESTBENCH_MARK_H__ */
