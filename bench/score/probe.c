/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Command line, output, and what the modes share */

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

uint64_t probe_out[PROBE_WORDS_MAX];
size_t probe_out_cnt;
char *probe_live[PROBE_WORDS_MAX];

static unsigned short seed[3] = { 0x5eed, 0x0bad, 0x1dea };

static const struct {
	const char *name;
	void (*run)(const struct probe_args *args);
} modes[] = {
	{ "who", probe_who },	    { "start", probe_start },
	{ "growth", probe_growth }, { "aged", probe_aged },
	{ "churn", probe_churn },   { "pair", probe_pair },
	{ "resize", probe_resize }, { "remote", probe_remote },
	{ "spray", probe_spray },   { "after", probe_after },
	{ "fork", probe_fork },
};

void probe_fail(const char *why)
{
	probe_write(STDERR_FILENO, "probe: ", 7);
	probe_write(STDERR_FILENO, why, strlen(why));
	probe_write(STDERR_FILENO, "\n", 1);
	_exit(1);
}

void probe_write(int fd, const void *buf, size_t len)
{
	const char *src = buf;

	while (len) {
		ssize_t done = write(fd, src, len);

		if (done <= 0)
			_exit(2);
		src += done;
		len -= (size_t)done;
	}
}

void probe_put(uint64_t word)
{
	if (probe_out_cnt == PROBE_WORDS_MAX)
		probe_fail("too many words");
	probe_out[probe_out_cnt++] = word;
}

size_t probe_below(size_t n)
{
	return (size_t)nrand48(seed) % n;
}

char *probe_new(size_t size)
{
	char *ptr = malloc(size);

	__asm__ __volatile__("" : "+r"(ptr) : : "memory");
	if (!ptr)
		probe_fail("out of memory");
	return ptr;
}

char *probe_new_used(size_t size)
{
	char *ptr = probe_new(size);

	*ptr = 1;
	return ptr;
}

void probe_shuffle(char **ptrs, size_t n)
{
	size_t i;

	for (i = n; i > 1; i--) {
		size_t j = probe_below(i);
		char *ptr = ptrs[i - 1];

		ptrs[i - 1] = ptrs[j];
		ptrs[j] = ptr;
	}
}

void probe_fill_live(const struct probe_args *args)
{
	size_t i, half = args->live_cnt / 2;

	for (i = 0; i < args->live_cnt; i++)
		probe_live[i] = probe_new_used(args->size);
	probe_shuffle(probe_live, args->live_cnt);
	for (i = 0; i < half; i++)
		free(probe_live[i]);
	for (i = 0; i < half; i++)
		probe_live[i] = probe_new_used(args->size);
}

size_t probe_other_size(size_t size)
{
	return size < 512 ? 1000 : 64;
}

struct batch {
	char **ptrs;
	size_t n;
};

static void *free_batch(void *arg)
{
	const struct batch *batch = arg;
	size_t i;

	for (i = 0; i < batch->n; i++)
		free(batch->ptrs[i]);
	return NULL;
}

/* A new thread each time: its end delivers what the allocator keeps back for
 * the owner, which is the earliest that the owner can see it
 */
void probe_free_remote(char **ptrs, size_t n)
{
	struct batch batch = { ptrs, n };
	pthread_t thread;

	if (pthread_create(&thread, NULL, free_batch, &batch) ||
	    pthread_join(thread, NULL))
		probe_fail("no thread");
}

void probe_who(const struct probe_args *args)
{
	void *(*fn)(size_t) = malloc;
	void *addr;
	Dl_info info;

	(void)args;
	memcpy(&addr, &fn, sizeof(addr));
	if (!dladdr(addr, &info) || !info.dli_fname)
		probe_fail("malloc has no file");
	probe_write(STDOUT_FILENO, info.dli_fname, strlen(info.dli_fname));
}

static size_t number(const char *text, size_t max)
{
	size_t n = strtoul(text, NULL, 0);

	if (n == 0 || n > max)
		probe_fail("number out of range");
	return n;
}

int main(int argc, char **argv)
{
	struct probe_args args;
	size_t i;

	if (argc != 5)
		probe_fail("usage: probe MODE SIZE N LIVE");
	args.size = number(argv[2], 1UL << 30);
	args.n = number(argv[3], PROBE_WORDS_MAX);
	args.live_cnt = number(argv[4], PROBE_WORDS_MAX);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, argv[1]) != 0)
			continue;
		modes[i].run(&args);
		probe_write(STDOUT_FILENO, probe_out,
			    probe_out_cnt * sizeof(probe_out[0]));
		/* Nothing is freed at the end: not part of any pattern */
		_exit(0);
	}
	probe_fail("no such mode");
}
