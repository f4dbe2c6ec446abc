/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A program that does nothing: what it holds is what its libraries hold
 *
 * usage: empty [objects]
 *
 * With a number it first allocates and writes that many objects of 64 bytes,
 * so that an allocator that sets itself up late has done so. Prints resident
 * memory in KiB as the kernel sees it at the end, all of it and what belongs
 * to this process alone, and the library that malloc is from. Nothing but
 * that number of objects is allocated: reading and printing use buffers of
 * their own.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define OBJECT 64U

/* The number of KiB behind a key */
static unsigned long value(const char *text, const char *key)
{
	const char *found = strstr(text, key);

	return found ? strtoul(found + strlen(key), NULL, 10) : 0;
}

/* An object that leads to the one before: all stay in use */
static void *link_object(void *before)
{
	void **object = host_use(OBJECT);

	*object = before;
	return object;
}

int main(int argc, char *argv[])
{
	unsigned long objects = host_arg(argc, argv, 1, 0), i;
	static char text[4096], out[4096];
	static void *newest;
	ssize_t length;
	Dl_info info;
	int fd, used;

	for (i = 0; i < objects; i++)
		newest = link_object(newest);
	fd = open("/proc/self/smaps_rollup", O_RDONLY);
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		host_fail("cannot read smaps_rollup");
	if (!dladdr(dlsym(RTLD_DEFAULT, "malloc"), &info))
		host_fail("there is no malloc");
	used = snprintf(out, sizeof(out),
			"{\"rss_kib\":%lu,\"private_kib\":%lu,"
			"\"malloc\":\"%s\"}\n",
			value(text, "Rss:"),
			value(text, "Private_Dirty:") +
				value(text, "Private_Clean:"),
			info.dli_fname);
	return write(STDOUT_FILENO, out, (size_t)used) == used ? 0 : 1;
}
