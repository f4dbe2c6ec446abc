/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* The application image, as it was built for this loader. LOADER_PAYLOAD is
 * its file.
 */

	.section .payload, "a", @progbits
	.balign	64
	.globl	loader_payload
loader_payload:
	.incbin	LOADER_PAYLOAD
	.globl	loader_payload_end
loader_payload_end:

	.section .note.GNU-stack, "", @progbits
