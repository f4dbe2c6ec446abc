/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_HOST_SYS_H__
#define __UKALLOCRND_HOST_SYS_H__

/* System calls without the C library
 *
 * Why
 *   The wrappers of libc set errno, which free() must preserve, may be
 *   cancellation points and may be intercepted by a sanitizer or another
 *   preloaded library that allocates. These functions do none of this and
 *   work before libc is initialised.
 *
 * How
 *   The x86_64 Linux convention: number in rax, arguments in rdi, rsi, rdx,
 *   r10, r8, r9; rcx and r11 are clobbered. The result is the kernel's:
 *   negative errno on failure.
 */

#include <sys/syscall.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

/** Calls the kernel; unused arguments are 0 */
static inline long rnd_sys(long nr, __uptr a, __uptr b, __uptr c, __uptr d,
			   __uptr e, __uptr f)
{
	register __uptr r10 __asm__("r10") = d;
	register __uptr r8 __asm__("r8") = e;
	register __uptr r9 __asm__("r9") = f;
	long rc;

	__asm__ __volatile__("syscall"
			     : "=a"(rc)
			     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10),
			       "r"(r8), "r"(r9)
			     : "rcx", "r11", "memory");
	return rc;
}

static inline long rnd_sys0(long nr)
{
	return rnd_sys(nr, 0, 0, 0, 0, 0, 0);
}

static inline long rnd_sys1(long nr, __uptr a)
{
	return rnd_sys(nr, a, 0, 0, 0, 0, 0);
}

static inline long rnd_sys3(long nr, __uptr a, __uptr b, __uptr c)
{
	return rnd_sys(nr, a, b, c, 0, 0, 0);
}

static inline long rnd_sys4(long nr, __uptr a, __uptr b, __uptr c, __uptr d)
{
	return rnd_sys(nr, a, b, c, d, 0, 0);
}

#endif /* __UKALLOCRND_HOST_SYS_H__ */
