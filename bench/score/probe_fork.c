/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Fork: do children that start from one state draw the same?
 *
 * All children of a round are born before the parent draws again. Each one
 * draws a row of objects, one of a class that the parent has never used, and
 * two large ones; the parent draws last.
 */

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#define DRAWS	   (PROBE_ROW_LEN + 3U)
/* Size of the class that is new in round 0; it doubles from round to round */
#define NEW_CLASS  600UL
#define ROUNDS_MAX 6U

static void draw(size_t size, size_t new_size, uint64_t row[DRAWS])
{
	unsigned int i;

	for (i = 0; i < DRAWS; i++) {
		size_t len = i < PROBE_ROW_LEN	? size :
			     i == PROBE_ROW_LEN ? new_size :
						  PROBE_LARGE_LEN;

		row[i] = (uint64_t)(uintptr_t)probe_new_used(len);
	}
}

static void put_row(const uint64_t row[DRAWS])
{
	unsigned int i;

	for (i = 0; i < DRAWS; i++)
		probe_put(row[i]);
}

static void child_row(size_t size, size_t new_size, uint64_t row[DRAWS])
{
	size_t got = 0;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds))
		probe_fail("no pipe");
	pid = fork();
	if (pid < 0)
		probe_fail("no fork");
	if (pid == 0) {
		draw(size, new_size, row);
		probe_write(fds[1], row, DRAWS * sizeof(row[0]));
		_exit(0);
	}
	(void)close(fds[1]);
	while (got < DRAWS * sizeof(row[0])) {
		ssize_t len = read(fds[0], (char *)row + got,
				   DRAWS * sizeof(row[0]) - got);

		if (len <= 0)
			probe_fail("a child said too little");
		got += (size_t)len;
	}
	(void)close(fds[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		probe_fail("a child failed");
}

void probe_fork(const struct probe_args *args)
{
	uint64_t row[DRAWS];
	size_t i, child;

	if (args->n > ROUNDS_MAX)
		probe_fail("too many rounds");
	probe_fill_live(args);
	for (i = 0; i < args->n; i++) {
		for (child = 0; child < PROBE_CHILDREN; child++) {
			child_row(args->size, NEW_CLASS << i, row);
			put_row(row);
		}
		draw(args->size, NEW_CLASS << i, row);
		put_row(row);
	}
}
