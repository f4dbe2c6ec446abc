/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <uk/arch/lcpu.h>
#include <uk/arch/paging.h>
#include <uk/assert.h>
#include <uk/essentials.h>
#include <uk/plat/memory.h>
#include <uk/plat/paging.h>

#include "../extable.h"
#include "../trap.h"

/* SDM 3A 6.14.1: 64-bit gate, present, interrupts disabled */
#define GATE_TYPE 0x8e

/* Length of a stub in trap_entry.S */
#define STUB_LEN 16

struct idt_gate {
	__u16 offset_lo;
	__u16 selector;
	__u8 ist;
	__u8 type;
	__u16 offset_mid;
	__u32 offset_hi;
	__u32 reserved;
};

UK_CTASSERT(sizeof(struct idt_gate) * TRAP_VECTORS == PAGE_SIZE);

struct idt_reg {
	__u16 limit;
	__u64 base;
} __packed;

extern const char trap_stubs[];

/* One page, read-only after trap_init() */
static __vaddr_t idt_base;

static __u8 gate_ist(unsigned int vector)
{
	switch (vector) {
	case TRAP_NMI:
		return TRAP_IST_NMI;
	case TRAP_DOUBLE_FAULT:
	case TRAP_STACK_FAULT:
	case TRAP_MCE:
		return TRAP_IST_FATAL;
	case TRAP_PAGE_FAULT:
		return TRAP_IST_PAGE;
	default:
		return 0;
	}
}

int trap_init(void)
{
	struct idt_gate *gates;
	unsigned int i;
	__u64 stub;
	int rc;

	UK_ASSERT(extable_is_sorted(__extable_start, __extable_end));
	rc = ukplat_area_map("IDT", __PADDR_ANY, 1, PAGE_ATTR_PROT_RW,
			     &idt_base);
	if (rc)
		return rc;
	gates = (struct idt_gate *)idt_base;
	for (i = 0; i < TRAP_VECTORS; i++) {
		stub = (__u64)(trap_stubs + (__sz)i * STUB_LEN);
		gates[i] = (struct idt_gate){
			.offset_lo = (__u16)stub,
			.selector = X86_SEL_CODE,
			.ist = gate_ist(i),
			.type = GATE_TYPE,
			.offset_mid = (__u16)(stub >> 16),
			.offset_hi = (__u32)(stub >> 32),
		};
	}
	return ukplat_page_set_attr(ukplat_pt_get_active(), idt_base, 1,
				    PAGE_ATTR_PROT_READ, 0);
}

void idt_load(void)
{
	struct idt_reg idtr = {
		.limit = PAGE_SIZE - 1,
		.base = idt_base,
	};

	__asm__ __volatile__("lidt %0" : : "m"(idtr) : "memory");
}
