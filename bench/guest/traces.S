/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The traces of bench/trace, as they are. The build runs in the folder that
 * has bench.
 */

	.section .rodata, "a", @progbits

	.globl	traces_redis
traces_redis:
	.incbin	"bench/trace/redis.trace"
	.globl	traces_redis_end
traces_redis_end:

	.globl	traces_sqlite
traces_sqlite:
	.incbin	"bench/trace/sqlite.trace"
	.globl	traces_sqlite_end
traces_sqlite_end:

	.section .note.GNU-stack, "", @progbits
