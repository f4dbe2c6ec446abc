/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crime.h"

#define STATUS_SKIP  77
#define STATUS_USAGE 2

extern const char __executable_start[], etext[];

static const struct crime *const lists[] = {
	crimes_free,	 crimes_pointer, crimes_write,	crimes_neighbour,
	crimes_metadata, crimes_cxx,	 crimes_sample,
};

/* The C library's streams allocate, which would change the heap */
static void print(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(STATUS_USAGE);
}

void crime_announce(const void *ptr)
{
	char line[128];

	(void)snprintf(line, sizeof(line),
		       "ptr=%#zx\ntext=%#zx-%#zx\nthread=%ld\n", (size_t)ptr,
		       (size_t)__executable_start, (size_t)etext,
		       syscall(SYS_gettid));
	print(line);
}

void crime_announce_object(const void *obj)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "obj=%#zx\n", (size_t)obj);
	print(line);
}

void crime_announce_freer(void)
{
	static int announced;
	char line[64];

	if (announced++)
		return;
	(void)snprintf(line, sizeof(line), "freer=%ld\n", syscall(SYS_gettid));
	print(line);
}

void crime_skip(const char *why)
{
	print(why);
	print("\n");
	_exit(STATUS_SKIP);
}

void *crime_malloc(size_t size)
{
	void *ptr = malloc(size);

	if (!ptr)
		crime_skip("malloc failed");
	return ptr;
}

/* True if a line of /proc/self/maps is anonymous and writable */
static int parse_area(const char *line, struct crime_area *area)
{
	char perms[5], name[64] = "";
	unsigned long inode;

	if (sscanf(line, "%zx-%zx %4s %*s %*s %lu %63s", &area->start,
		   &area->end, perms, &inode, name) < 4)
		return 0;
	return !strcmp(perms, "rw-p") && !inode && !name[0];
}

struct crime_area crime_next_area(size_t from)
{
	static char text[1 << 20];
	struct crime_area area;
	ssize_t got, len = 0;
	char *line, *rest;
	int fd;

	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	while ((got = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += got;
	close(fd);
	text[len] = 0;

	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (parse_area(line, &area) && area.start >= from)
			return area;
	return (struct crime_area){ 0, 0 };
}

void crime_in_thread(void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, arg))
		crime_skip("pthread_create failed");
	pthread_join(thread, NULL);
}

void crime_flip(void *ptr, size_t offset)
{
	volatile unsigned char *byte = (unsigned char *)ptr + offset;

	*byte = (unsigned char)(*byte ^ 1);
}

static const struct crime *find(const char *name)
{
	const struct crime *crime;
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (crime = lists[i]; crime->name; crime++)
			if (!strcmp(crime->name, name))
				return crime;
	return NULL;
}

int main(int argc, char **argv)
{
	const struct crime *crime = argc == 4 ? find(argv[1]) : NULL;
	struct crime_args args;

	if (!crime) {
		print("usage: crime name size offset\n");
		return STATUS_USAGE;
	}
	args.size = strtoul(argv[2], NULL, 0);
	args.offset = strtoul(argv[3], NULL, 0);
	crime->commit(&args);
	print("unseen\n");
	return 0;
}
