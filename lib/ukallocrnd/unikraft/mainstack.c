/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A random stack for main()
 *
 * ukboot calls main() on the boot stack, which lies where the memory of the
 * machine starts, in every boot. The linker sends that call here (--wrap): main
 * gets pages of the default allocator, at a random place between guards, and
 * starts at a random distance from their end.
 */

#include <uk/alloc.h>
#include <uk/arch/limits.h>
#include <uk/essentials.h>

#include "../port.h"
#include "../report.h"

#define STACK_PAGES (__STACK_SIZE >> RND_PAGE_SHIFT)

/* A page for the distance */
#define PLACES (RND_PAGE_LEN / 16)

int __real_main(int argc, char *argv[]);
int __wrap_main(int argc, char *argv[]);

static __uptr random_top(void *stack)
{
	__u32 draw;

	rnd_port_entropy(&draw, sizeof(draw));

	return (__uptr)stack + (STACK_PAGES + 1) * RND_PAGE_LEN -
	       draw % PLACES * 16;
}

/* %rbx keeps the old stack: a callee saves it */
static int call_on(__uptr top, int argc, char *argv[])
{
	int rc;

	__asm__ __volatile__("movq %%rsp, %%rbx\n"
			     "movq %[top], %%rsp\n"
			     "call __real_main\n"
			     "movq %%rbx, %%rsp\n"
			     : "=a"(rc), "+D"(argc), "+S"(argv)
			     : [top] "r"(top)
			     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11",
			       "cc", "memory");
	return rc;
}

int __wrap_main(int argc, char *argv[])
{
	struct uk_alloc *a = uk_alloc_get_default();
	void *stack = uk_palloc(a, STACK_PAGES + 1);
	int rc;

	if (!stack) {
		rnd_print("ukallocrnd: no memory for a stack: main() runs on "
			  "the boot stack\n");
		return __real_main(argc, argv);
	}
	rc = call_on(random_top(stack), argc, argv);
	uk_pfree(a, stack, STACK_PAGES + 1);

	return rc;
}
