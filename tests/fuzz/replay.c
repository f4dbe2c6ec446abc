/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Runs a fuzz target without the fuzzer
 *
 *     replay [--random n] file...
 *
 * A file whose name ends in .hex has one input a line; any other one is an
 * input. The inputs that are known reach all of the code; random ones add
 * many of the cases that look the same to a measure of coverage.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "object.h"

#define INPUT_MAX 8192U

static uint8_t input[INPUT_MAX];
static char line[2 * INPUT_MAX + 2];

static unsigned int hex_digit(char c)
{
	EXPECT((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static unsigned int replay_hex(FILE *file)
{
	unsigned int n = 0;
	const char *at;
	size_t len;

	while (fgets(line, sizeof(line), file)) {
		for (at = line, len = 0; *at != '\n'; at += 2)
			input[len++] = (uint8_t)(hex_digit(at[0]) << 4 |
						 hex_digit(at[1]));
		test_seed = ++n; /* of which failures tell */
		LLVMFuzzerTestOneInput(input, len);
	}
	return n;
}

static unsigned int replay(const char *name)
{
	size_t len = strlen(name);
	FILE *file = fopen(name, "rb");
	unsigned int n = 1;

	if (!file)
		test_die("cannot read %s", name);
	if (len > 4 && !strcmp(name + len - 4, ".hex"))
		n = replay_hex(file);
	else
		LLVMFuzzerTestOneInput(input,
				       fread(input, 1, sizeof(input), file));
	EXPECT(!ferror(file));
	(void)fclose(file);
	return n;
}

static void replay_random(unsigned int cnt)
{
	struct random random = { .state = 1 };
	unsigned int n;
	size_t i, len;

	for (n = 0; n < cnt; n++) {
		test_seed = n;
		len = random_size(&random, 10);
		for (i = 0; i < len; i++)
			input[i] = (uint8_t)random_next(&random);
		LLVMFuzzerTestOneInput(input, len);
	}
	printf("%u random inputs\n", cnt);
}

int main(int argc, char **argv)
{
	int i = 1;

	if (argc > 2 && !strcmp(argv[1], "--random")) {
		replay_random((unsigned int)strtoul(argv[2], NULL, 0));
		i = 3;
	}
	for (; i < argc; i++) {
		unsigned int n = replay(argv[i]);

		printf("%s: %u inputs\n", argv[i], n);
		EXPECT(n);
	}
	return argc < 2;
}
