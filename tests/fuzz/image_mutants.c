/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Random mistakes in images: each one is refused with a sentence, or goes its
 * whole way within its bounds, in a bounded time
 *
 *     image_mutants count payload...
 *
 * Half of the images come from the payloads, which were built for the guest,
 * half are made up, in one piece and in pieces. Prints how often each sentence
 * was the answer, and the longest time.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "image_mutate.h"
#include "object.h"
#include "../unit/fixture_image.h"

#define PAYLOADS_MAX 4U
#define MADE	     16U
#define BYTES_MAX    256U
#define SENTENCES    64U
/* Of a CPU, with sanitizers: an image that is right takes some 10 ms */
#define MS_MAX	     2000.0

static struct image_base bases[PAYLOADS_MAX + MADE];
static struct fixture_image made[MADE];

static struct sentence {
	const char *what;
	unsigned int cnt;
} sentences[SENTENCES];

static void payload_read(struct image_base *base, const char *name)
{
	FILE *file = fopen(name, "rb");
	long len = -1;
	__u8 *bytes;

	if (file && !fseek(file, 0, SEEK_END))
		len = ftell(file);
	if (len <= 0)
		test_die("cannot read %s", name);
	rewind(file);
	bytes = malloc((size_t)len);
	EXPECT(bytes);
	if (fread(bytes, 1, (size_t)len, file) != (size_t)len)
		test_die("cannot read %s", name);
	(void)fclose(file);
	image_base_init(base, bytes, (__sz)len);
}

static void made_make(struct image_base *base, unsigned int i)
{
	__u64 seed = i;

	if (i)
		fixture_pieces(&made[i], &seed);
	else
		fixture_whole(&made[i]);
	image_base_init(base, made[i].bytes, made[i].len);
}

static void answer_count(const char *what)
{
	struct sentence *s = sentences;

	while (s->what && strcmp(s->what, what) != 0)
		s++;
	EXPECT(s < sentences + SENTENCES - 1);
	s->what = what;
	s->cnt++;
}

static int sentences_compare(const void *a, const void *b)
{
	unsigned int x = ((const struct sentence *)a)->cnt;
	unsigned int y = ((const struct sentence *)b)->cnt;

	return (x < y) - (x > y);
}

static double ms_now(void)
{
	struct timespec t;

	EXPECT(!clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t));
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The time of one image */
static double mutant_run(const struct image_base *base, struct random *random)
{
	__u8 *mutant = malloc(base->len), bytes[BYTES_MAX];
	struct input in = { bytes, sizeof(bytes) };
	enum image_door door;
	const char *what;
	double start;
	unsigned int i;
	__sz len;

	EXPECT(mutant);
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (__u8)random_next(random);
	len = image_mutate(base, &in, mutant, &door);
	start = ms_now();
	what = image_run(mutant, len, door, random_next(random));
	start = ms_now() - start;
	answer_count(what ? what : "(none: relocated)");
	free(mutant);
	return start;
}

static void mutants_run(unsigned int cnt, unsigned int payloads)
{
	struct random random = { .state = 1 };
	double ms, longest = 0;
	unsigned int i, which;

	for (i = 0; i < cnt; i++) {
		test_seed = i;
		which = payloads + (unsigned int)random_below(&random, MADE);
		if (payloads && i % 2)
			which = i / 2 % payloads;
		ms = mutant_run(&bases[which], &random);
		if (ms > longest)
			longest = ms;
		if (ms > MS_MAX)
			test_die("image %u of base %u took %.0f ms", i, which,
				 ms);
	}
	qsort(sentences, SENTENCES, sizeof(sentences[0]), sentences_compare);
	for (i = 0; sentences[i].what; i++)
		printf("%6u %s\n", sentences[i].cnt, sentences[i].what);
	printf("%u images, longest %.1f ms\n", cnt, longest);
}

int main(int argc, char **argv)
{
	unsigned int i, payloads = argc > 2 ? (unsigned int)argc - 2 : 0;

	if (argc < 2 || payloads > PAYLOADS_MAX) {
		(void)fprintf(stderr,
			      "usage: image_mutants count payload...\n");
		return 2;
	}
	for (i = 0; i < payloads; i++)
		payload_read(&bases[i], argv[i + 2]);
	for (i = 0; i < MADE; i++)
		made_make(&bases[payloads + i], i);
	/* What has no mistakes is taken */
	for (i = 0; i < payloads + MADE; i++) {
		const char *what = image_run(bases[i].bytes, bases[i].len,
					     IMAGE_DOOR_PAYLOAD, i);

		if (what)
			test_die("base %u is refused: %s", i, what);
	}
	mutants_run((unsigned int)strtoul(argv[1], NULL, 0), payloads);
	return 0;
}
