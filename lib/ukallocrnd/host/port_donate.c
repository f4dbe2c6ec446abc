/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Memory that the user gives to a heap
 *
 * The kernel does not lend page frames by number: giving memory away means
 * dropping it, and the heap commits as many pages elsewhere later. What must
 * not happen is that memory is dropped which belongs to a file, is shared
 * with another process or is not there. Only /proc/self/maps knows.
 */

#include <errno.h>
#include <fcntl.h>

#include "port.h"
#include "sys.h"

#define DONATE_BUF_LEN 1024U

/* One line of /proc/self/maps, as far as it matters:
 * 7f12a000-7f12b000 rw-p 00000000 00:00 0   [name]
 */
struct donate_line {
	__uptr start;
	__uptr end;
	__bool is_private; /* "rw-p" */
	__bool is_file;	   /* inode not 0, or it has a name */
};

/* State of the reader: characters are consumed one by one */
struct donate_reader {
	long fd;
	__sz pos, len;
	char buf[DONATE_BUF_LEN];
};

/* Next character, or 0 at the end of the file */
static char donate_getc(struct donate_reader *r)
{
	long rc;

	if (r->pos == r->len) {
		do {
			rc = rnd_sys3(SYS_read, (__uptr)r->fd, (__uptr)r->buf,
				      sizeof(r->buf));
		} while (rc == -EINTR);
		if (rc <= 0)
			return 0;
		r->pos = 0;
		r->len = (__sz)rc;
	}
	return r->buf[r->pos++];
}

/* Reads a hexadecimal number and the character that ends it */
static __uptr donate_hex(struct donate_reader *r)
{
	__uptr value = 0;
	char c;

	for (;;) {
		c = donate_getc(r);
		if (c >= '0' && c <= '9')
			value = value << 4 | (__uptr)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (__uptr)(c - 'a' + 10);
		else
			return value;
	}
}

/* Reads one line; false at the end of the file */
static __bool donate_next(struct donate_reader *r, struct donate_line *line)
{
	char perms[4];
	unsigned int i;
	char c;

	line->start = donate_hex(r);
	line->end = donate_hex(r);
	if (!line->end)
		return 0;

	for (i = 0; i < sizeof(perms); i++)
		perms[i] = donate_getc(r);
	line->is_private = perms[0] == 'r' && perms[1] == 'w' &&
			   perms[2] == '-' && perms[3] == 'p';
	/* What is left: offset, device, inode, name. Anonymous memory has
	 * zeroes, blanks and a colon only
	 */
	line->is_file = 0;
	while ((c = donate_getc(r)) != 0 && c != '\n')
		if (c != '0' && c != ' ' && c != ':')
			line->is_file = 1;
	return 1;
}

/* True if [addr, addr + len) is covered by private, anonymous, writable and
 * unnamed mappings (a stack or the program break has a name)
 */
static __bool donate_is_private(__uptr addr, __sz len)
{
	struct donate_reader r = { .pos = 0, .len = 0 };
	struct donate_line line;
	__uptr next = addr;

	r.fd = rnd_sys3(SYS_open, (__uptr) "/proc/self/maps",
			O_RDONLY | O_CLOEXEC, 0);
	if (r.fd < 0)
		return 0;

	/* Lines come in the order of addresses */
	while (next < addr + len && donate_next(&r, &line)) {
		if (line.end <= next)
			continue;
		if (line.start > next || !line.is_private || line.is_file)
			break;
		next = line.end;
	}
	rnd_sys1(SYS_close, (__uptr)r.fd);
	return next >= addr + len;
}

int rnd_port_adopt(__uptr addr, __sz len)
{
	(void)addr;
	(void)len;

	return 0;
}

int rnd_port_donate(__uptr addr, __sz len)
{
	if (addr + len < addr || !donate_is_private(addr, len))
		return -EINVAL;

	/* The addresses stay blocked: a stale pointer faults */
	rnd_port_decommit(addr, len);
	return 0;
}
