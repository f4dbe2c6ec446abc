/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Unit test of x86_insn.c with the bytes of single instructions
 *
 * links: bench/host/x86_insn.c
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "x86_insn.h"

struct insn {
	const char *what;
	uint8_t len;
	uint8_t bytes[X86_INSN_MAX];
};

static void check_all(const struct insn *insns, size_t cnt, unsigned int want)
{
	size_t i;

	for (i = 0; i < cnt; i++)
		if (x86_events(insns[i].bytes, insns[i].len) != want)
			fail_msg("'%s' is event %x and not %x", insns[i].what,
				 x86_events(insns[i].bytes, insns[i].len),
				 want);
}

#define CHECK_ALL(insns, want)                                                 \
	check_all(insns, sizeof(insns) / sizeof((insns)[0]), want)

static void lock_prefix_locks(void **state)
{
	static const struct insn insns[] = {
		{ "lock incl (%rax)", 3, { 0xf0, 0xff, 0x00 } },
		{ "lock addq $1, (%rdi)", 5, { 0xf0, 0x48, 0x83, 0x07, 1 } },
		{ "lock addw $1, (%rdi)", 5, { 0x66, 0xf0, 0x83, 0x07, 1 } },
		{ "lock addl $1, (%edi)", 5, { 0x67, 0xf0, 0x83, 0x07, 1 } },
		{ "lock incl %gs:0",
		  9,
		  { 0x65, 0xf0, 0xff, 0x04, 0x25, 0, 0, 0, 0 } },
		{ "the same, other order",
		  9,
		  { 0xf0, 0x65, 0xff, 0x04, 0x25, 0, 0, 0, 0 } },
		{ "lock cmpxchgq", 5, { 0xf0, 0x48, 0x0f, 0xb1, 0x0f } },
		{ "lock cmpxchg16b", 5, { 0xf0, 0x48, 0x0f, 0xc7, 0x0f } },
		{ "lock xaddq %r8, (%r9)", 5, { 0xf0, 0x4d, 0x0f, 0xc1, 1 } },
		{ "lock btsl $1, (%rax)", 5, { 0xf0, 0x0f, 0xba, 0x28, 1 } },
		{ "xacquire lock incl", 4, { 0xf2, 0xf0, 0xff, 0x00 } },
		{ "REX before another prefix", 4, { 0x48, 0xf0, 0xff, 0x00 } },
		{ "lock xchg", 4, { 0xf0, 0x48, 0x87, 0x07 } },
	};

	(void)state;
	CHECK_ALL(insns, X86_LOCKED);
}

static void exchange_with_memory_locks(void **state)
{
	static const struct insn insns[] = {
		{ "xchgb %al, (%rdi)", 2, { 0x86, 0x07 } },
		{ "xchgl %eax, (%rdi)", 2, { 0x87, 0x07 } },
		{ "xchgq %rax, (%rdi)", 3, { 0x48, 0x87, 0x07 } },
		{ "xchgw %ax, (%rdi)", 3, { 0x66, 0x87, 0x07 } },
		{ "xchgq %r8, 8(%r9)", 4, { 0x4d, 0x87, 0x41, 8 } },
		{ "xchgl %eax, 256(%rdi)", 6, { 0x87, 0x87, 0, 1, 0, 0 } },
		{ "xchgl %eax, (%rip)", 6, { 0x87, 0x05, 0, 0, 0, 0 } },
		{ "xchgq %rax, %fs:(%rdi)", 4, { 0x64, 0x48, 0x87, 0x07 } },
	};

	(void)state;
	CHECK_ALL(insns, X86_LOCKED);
}

static void interrupt_flag_changes(void **state)
{
	static const struct insn insns[] = {
		{ "cli", 1, { 0xfa } },
		{ "sti", 1, { 0xfb } },
		{ "popfq", 1, { 0x9d } },
		{ "popfw", 2, { 0x66, 0x9d } },
		{ "rex.W popfq", 2, { 0x48, 0x9d } },
		{ "rep cli", 2, { 0xf3, 0xfa } },
	};

	(void)state;
	CHECK_ALL(insns, X86_IRQFLAG);
}

static void others_are_no_event(void **state)
{
	static const struct insn insns[] = {
		{ "nop", 1, { 0x90 } },
		{ "xchg %eax, %eax, as nop", 2, { 0x66, 0x90 } },
		{ "pause", 2, { 0xf3, 0x90 } },
		{ "xchgq %rax, %r8", 2, { 0x49, 0x90 } },
		{ "xchgl %ecx, %eax", 1, { 0x91 } },
		{ "xchgl %eax, %ecx", 2, { 0x87, 0xc1 } },
		{ "xchgq %r15, %r15", 3, { 0x4d, 0x87, 0xff } },
		{ "xchgb %al, %cl", 2, { 0x86, 0xc1 } },
		{ "incl (%rax)", 2, { 0xff, 0x00 } },
		{ "cmpxchgq without a lock", 4, { 0x48, 0x0f, 0xb1, 0x0f } },
		{ "pushfq", 1, { 0x9c } },
		{ "sahf", 1, { 0x9e } },
		{ "cld", 1, { 0xfc } },
		{ "cmc", 1, { 0xf5 } },
		{ "hlt", 1, { 0xf4 } },
		{ "iretq", 2, { 0x48, 0xcf } },
		{ "nothing", 0, { 0 } },
	};

	(void)state;
	CHECK_ALL(insns, 0);
}

static void constants_are_no_prefixes(void **state)
{
	static const struct insn insns[] = {
		{ "movb $0xf0, %al", 2, { 0xb0, 0xf0 } },
		{ "pushq $-16", 2, { 0x6a, 0xf0 } },
		{ "jmp -16", 2, { 0xeb, 0xf0 } },
		{ "movl $0xf0fafb9d, %eax",
		  5,
		  { 0xb8, 0x9d, 0xfb, 0xfa, 0xf0 } },
		{ "addl %ebp, -16(%rax)", 3, { 0x01, 0x68, 0xf0 } },
		{ "addl %esi, %eax", 2, { 0x01, 0xf0 } },
		{ "rex.WB movabs",
		  10,
		  { 0x49, 0xb8, 0xf0, 0x87, 0x07, 0xfa, 0xfb, 0x9d, 0, 0 } },
		{ "cmpl %edi, %edx", 2, { 0x39, 0xfa } },
		{ "btsl $0xf0, %ecx", 4, { 0x0f, 0xba, 0xe9, 0xf0 } },
		{ "jae, near, opcode 0f 83",
		  6,
		  { 0x0f, 0x83, 0xf0, 0xfa, 0, 0 } },
		{ "ja, near, opcode 0f 87", 6, { 0x0f, 0x87, 0, 1, 0, 0 } },
		{ "jbe, near, opcode 0f 86", 6, { 0x0f, 0x86, 0, 1, 0, 0 } },
		{ "setge (%rax), opcode 0f 9d", 3, { 0x0f, 0x9d, 0x00 } },
		{ "psubd, opcode 0f fa", 4, { 0x66, 0x0f, 0xfa, 0xc1 } },
		{ "psubq, opcode 0f fb", 4, { 0x66, 0x0f, 0xfb, 0xc1 } },
		{ "lddqu, opcode 0f f0", 4, { 0xf2, 0x0f, 0xf0, 0x00 } },
	};

	(void)state;
	CHECK_ALL(insns, 0);
}

static void vector_encodings_are_no_prefixes(void **state)
{
	static const struct insn insns[] = {
		{ "vpsubd, two bytes of VEX", 4, { 0xc5, 0xf1, 0xfa, 0xc2 } },
		{ "vpsubq, VEX.vvvv as f0", 4, { 0xc5, 0xf0, 0xfb, 0xc2 } },
		{ "vlddqu", 4, { 0xc5, 0xfb, 0xf0, 0x00 } },
		{ "vpsubd, three bytes", 5, { 0xc4, 0xc1, 0xf1, 0xfa, 0xc0 } },
		{ "andn, VEX", 5, { 0xc4, 0xe2, 0xf0, 0xf2, 0x07 } },
		{ "vpsubd, EVEX", 6, { 0x62, 0xf1, 0x75, 0x48, 0xfa, 0xc2 } },
		{ "EVEX, an 87", 6, { 0x62, 0xf0, 0x75, 0x48, 0x87, 0x07 } },
	};

	(void)state;
	CHECK_ALL(insns, 0);
}

static void refused_locks_are_no_event(void **state)
{
	static const struct insn insns[] = {
		{ "lock before VEX", 5, { 0xf0, 0xc5, 0xf1, 0xfa, 0xc2 } },
		{ "lock before three bytes of VEX",
		  6,
		  { 0xf0, 0xc4, 0xc1, 0xf1, 0xfa, 0xc0 } },
		{ "lock before EVEX",
		  7,
		  { 0xf0, 0x62, 0xf1, 0x75, 0x48, 0xfa, 0xc2 } },
		{ "movq %rax, %cr8 by lock", 4, { 0xf0, 0x0f, 0x22, 0xc0 } },
		{ "movq %cr8, %rax by lock", 4, { 0xf0, 0x0f, 0x20, 0xc0 } },
	};

	(void)state;
	CHECK_ALL(insns, 0);
}

static void cut_off_is_no_event(void **state)
{
	static const struct insn insns[] = {
		{ "lock", 1, { 0xf0 } },
		{ "lock rex.W", 2, { 0xf0, 0x48 } },
		{ "lock, half an opcode", 2, { 0xf0, 0x0f } },
		{ "xchg without its operand", 1, { 0x87, 0x07 } },
		{ "rex.W xchg", 2, { 0x48, 0x87, 0x07 } },
	};

	(void)state;
	CHECK_ALL(insns, 0);
}

static void displacement_of_nop_is_read(void **state)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x80, 0x31,
				       0x6b, 0x6d, 0x62, 0x90 };
	static const uint8_t other[] = { 0x0f, 0x1f, 0x81, 0x31,
					 0x6b, 0x6d, 0x62 };

	(void)state;
	assert_int_equal(x86_nop_displacement(nop, 7), 0x626d6b31);
	assert_int_equal(x86_nop_displacement(nop, 6), 0);
	assert_int_equal(x86_nop_displacement(nop, 8), 0);
	assert_int_equal(x86_nop_displacement(other, 7), 0);
	assert_int_equal(x86_events(nop, 7), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_prefix_locks),
		cmocka_unit_test(exchange_with_memory_locks),
		cmocka_unit_test(interrupt_flag_changes),
		cmocka_unit_test(others_are_no_event),
		cmocka_unit_test(constants_are_no_prefixes),
		cmocka_unit_test(vector_encodings_are_no_prefixes),
		cmocka_unit_test(refused_locks_are_no_event),
		cmocka_unit_test(cut_off_is_no_event),
		cmocka_unit_test(displacement_of_nop_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
