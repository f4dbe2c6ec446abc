/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Misuse: a random valid history and one error, both chosen by a seed
 *
 *     misuse [--print] [--no-canary] [--crime name] --slots n,n,... seed
 *
 * Runs with the library preloaded, whose slots have the given lengths. The
 * expected end is a report, or a fault for some kinds: see crime.h. run.py
 * compares.
 *
 * Exit status 0: the end of the process is right if the announced kind is one
 * that does no harm, or is found by the library when the process ends. 3: the
 * error went unseen.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crime.h"

#define STATUS_USAGE  2
#define STATUS_SILENT 3

static const struct crime *const lists[] = {
	crimes_free,
	crimes_pointer,
	crimes_write,
	crimes_kind,
};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

static const struct crime *crime_find(const char *name)
{
	const struct crime *crime;
	size_t i;

	for (i = 0; i < LISTS; i++)
		for (crime = lists[i]; crime->name; crime++)
			if (!strcmp(crime->name, name))
				return crime;
	return NULL;
}

static const struct crime *crime_pick(void)
{
	const struct crime *crime;
	size_t i, sum = 0, n;

	for (i = 0; i < LISTS; i++)
		for (crime = lists[i]; crime->name; crime++)
			sum += crime->weight;
	n = pick(sum);
	for (i = 0; i < LISTS; i++)
		for (crime = lists[i]; crime->name; crime++) {
			if (n < crime->weight)
				return crime;
			n -= crime->weight;
		}
	return NULL;
}

/* What kind of program this is */
static void history_init(void)
{
	history.random.state = test_seed;
	/* Close seeds do not make similar programs */
	history.random.state = random_next(&history.random);
	history.actors = 1 + (unsigned int)pick(ACTOR_COUNT);
	history.live_usual = 1U << (1 + pick(9));
	history.size_max = 1UL << (4 + pick(18));
	if (one_in(2))
		history.size_max = 1UL << 20;
	note("seed %zu, actors %u, live %u, sizes up to %zu\n", test_seed,
	     history.actors, history.live_usual, history.size_max);
}

static int run(const struct crime *crime)
{
	history_init();
	if (!crime)
		crime = crime_pick();
	history_run((unsigned int)random_size(&history.random, 11));
	if (one_in(16))
		go_on_in_child();
	note("crime %s\n", crime->name);
	crime->commit();
	settle();
	if (aftermath.harmless || aftermath.found_at_exit)
		return 0;
	tell("SILENT %zu %s\n", test_seed, crime->name);
	return STATUS_SILENT;
}

int main(int argc, char **argv)
{
	const struct crime *crime = NULL;
	int i;

	history.canary_len = 8;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--print"))
			history.print = 1;
		else if (!strcmp(argv[i], "--no-canary"))
			history.canary_len = 0;
		else if (!strcmp(argv[i], "--crime") && i + 1 < argc &&
			 crime_find(argv[i + 1]))
			crime = crime_find(argv[++i]);
		else if (!strcmp(argv[i], "--slots") && i + 1 < argc &&
			 slots_read(argv[i + 1]))
			i++;
		else
			break;
	}
	if (i != argc - 1 || !history.slot_max) {
		tell("usage: misuse [--print] [--no-canary] [--crime name] "
		     "--slots n,n,... seed\n");
		return STATUS_USAGE;
	}
	test_seed = strtoull(argv[i], NULL, 0);
	forms_init();
	return run(crime);
}
