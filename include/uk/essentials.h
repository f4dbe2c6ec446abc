/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UK_ESSENTIALS_H__
#define __UK_ESSENTIALS_H__

/* Compiler and arithmetic helpers with Unikraft's names
 *
 * Only what this project uses; meaning and spelling are upstream's.
 */

#ifndef __ASSEMBLY__

#define __NULL ((void *)0)

#ifndef __noreturn
#define __noreturn __attribute__((noreturn))
#endif
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef __align
#define __align(bytes) __attribute__((aligned(bytes)))
#endif
#ifndef __used
#define __used __attribute__((used))
#endif
#ifndef __unused
#define __unused __attribute__((unused))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((unused))
#endif
#ifndef __section
#define __section(s) __attribute__((section(s)))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif
#ifndef __alias
#define __alias(old) __attribute__((alias(#old)))
#endif
#ifndef __noinline
#define __noinline __attribute__((noinline))
#endif
#ifndef __printf
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))
#endif

#define likely(x)   (__builtin_expect(!!(x), 1))
#define unlikely(x) (__builtin_expect(!!(x), 0))

#define UK_CTASSERT(condition) _Static_assert(condition, #condition)

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

#define MIN(a, b)                                                              \
	({                                                                     \
		__typeof__(a) __min_a = (a);                                   \
		__typeof__(b) __min_b = (b);                                   \
		__min_a < __min_b ? __min_a : __min_b;                         \
	})
#define MAX(a, b)                                                              \
	({                                                                     \
		__typeof__(a) __max_a = (a);                                   \
		__typeof__(b) __max_b = (b);                                   \
		__max_a > __max_b ? __max_a : __max_b;                         \
	})

#define POWER_OF_2(expr)     ((expr) && !((expr) & ((expr)-1)))
#define ALIGN_UP(v, align)   (((v) + (align)-1) & ~((__typeof__(v))(align)-1))
#define ALIGN_DOWN(v, align) ((v) & ~((__typeof__(v))(align)-1))
#define DIV_ROUND_UP(n, d)   (((n) + (d)-1) / (d))

#define __containerof(ptr, type, field)                                        \
	((type *)(void *)((char *)(ptr) - __builtin_offsetof(type, field)))

/* The compiler must not move memory accesses across this line */
#define barrier() __asm__ __volatile__("" : : : "memory")

#endif /* !__ASSEMBLY__ */

#endif /* __UK_ESSENTIALS_H__ */
