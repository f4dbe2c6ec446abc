/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __TESTS_FUZZ_INPUT_H__
#define __TESTS_FUZZ_INPUT_H__

/* Input: numbers from the bytes that a fuzzer makes up; zeros at the end */

#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *data;
	size_t len;
};

/** What the fuzzer, or replay.c, calls */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline unsigned int input_u8(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

/** A number of so many bytes */
static inline uint64_t input_word(struct input *in, unsigned int bytes)
{
	uint64_t word = 0;

	while (bytes--)
		word = word << 8 | input_u8(in);
	return word;
}

/** An index below cnt, which is not 0 */
static inline size_t input_index(struct input *in, size_t cnt)
{
	return input_word(in, cnt > 256 ? 2 : 1) % cnt;
}

/** A size that a program might want: mostly below 64 KiB */
static inline size_t input_size(struct input *in)
{
	unsigned int form = input_u8(in);

	switch (form % 4) {
	case 0:
		return form / 4;
	case 1:
		return input_word(in, 1) * (1 + form / 4);
	case 2:
		return input_word(in, 2);
	default:
		return input_word(in, 2) << form / 64;
	}
}

/** Any number, often at an edge of what fits */
static inline size_t input_any(struct input *in)
{
	unsigned int form = input_u8(in);

	switch (form % 8) {
	case 0:
		return input_word(in, 8);
	case 1:
		return input_word(in, 4);
	case 2:
		return -input_word(in, 2);
	case 3:
		return (size_t)INT64_MAX - input_word(in, 2);
	case 4:
		return (1UL << input_u8(in) % 64) + form / 8 - 16;
	case 5:
		return 1UL << input_u8(in) % 64;
	case 6:
		return input_word(in, 3) << form / 8;
	default:
		return input_size(in);
	}
}

#endif /* __TESTS_FUZZ_INPUT_H__ */
