/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_ESSENTIALS_H__
#define __STANDIN_UK_ESSENTIALS_H__

/* Stands for include/uk/essentials.h and include/uk/compiler.h of Unikraft.
 * MIN() and MAX() are no constant expressions there.
 */

#include <uk/arch/types.h>
#include <uk/config.h>

#define __align(bytes)	    __attribute__((aligned(bytes)))
#define __maybe_unused	    __attribute__((unused))
#define __noinline	    __attribute__((noinline))
#define __noreturn	    __attribute__((noreturn))
#define __packed	    __attribute__((packed))
#define __printf(fmt, args) __attribute__((format(printf, (fmt), (args))))
#define __section(s)	    __attribute__((section(s)))
#define __unused	    __attribute__((unused))
#define __used		    __attribute__((used))
#define __weak		    __attribute__((weak))

#define __containerof(ptr, type, field)                                        \
	((type *)((char *)(ptr) - __builtin_offsetof(type, field)))

#define UK_CTASSERT(condition) _Static_assert(condition, #condition)

#define ARRAY_SIZE(x)	   (sizeof(x) / sizeof((x)[0]))
#define DIV_ROUND_UP(v, d) (((v) + (d)-1) / (d))
#define POWER_OF_2(v)	   ((v) && !((v) & ((v)-1)))
#define ALIGN_DOWN(v, a)   ((v) & ~((a)-1))
#define ALIGN_UP(v, a)	   ALIGN_DOWN((v) + (a)-1, a)

#define MIN(a, b)                                                              \
	({                                                                     \
		__typeof__(a) min_a = (a);                                     \
		__typeof__(b) min_b = (b);                                     \
		min_b < min_a ? min_b : min_a;                                 \
	})
#define MAX(a, b)                                                              \
	({                                                                     \
		__typeof__(a) max_a = (a);                                     \
		__typeof__(b) max_b = (b);                                     \
		max_b > max_a ? max_b : max_a;                                 \
	})

#endif /* __STANDIN_UK_ESSENTIALS_H__ */
