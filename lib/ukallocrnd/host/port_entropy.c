/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Seeds from the kernel
 *
 * getrandom() blocks until the kernel's generator is seeded, which is what a
 * seed needs. Where the call is forbidden (old kernel, sandbox) the device
 * serves. With neither there is no secret to build on: the process ends.
 */

#include <errno.h>
#include <fcntl.h>

#include "port.h"
#include "report.h"
#include "sys.h"

/* Reads len bytes with getrandom(); returns how many it got */
static __sz entropy_call(__u8 *buf, __sz len)
{
	__sz done = 0;
	long rc;

	while (done < len) {
		rc = rnd_sys3(SYS_getrandom, (__uptr)(buf + done), len - done,
			      0);
		if (rc == -EINTR)
			continue;
		if (rc <= 0)
			break;
		done += (__sz)rc;
	}
	return done;
}

/* Reads len bytes from the device; returns how many it got */
static __sz entropy_device(__u8 *buf, __sz len)
{
	__sz done = 0;
	long fd, rc;

	do {
		fd = rnd_sys3(SYS_open, (__uptr) "/dev/urandom",
			      O_RDONLY | O_CLOEXEC, 0);
	} while (fd == -EINTR);
	if (fd < 0)
		return 0;

	while (done < len) {
		rc = rnd_sys3(SYS_read, (__uptr)fd, (__uptr)(buf + done),
			      len - done);
		if (rc == -EINTR)
			continue;
		if (rc <= 0)
			break;
		done += (__sz)rc;
	}
	rnd_sys1(SYS_close, (__uptr)fd);
	return done;
}

/* Weak: the statistical tests bring a source of their own, which repeats */
void __weak rnd_port_entropy(void *buf, __sz len)
{
	__u8 *dst = buf;
	__sz done = entropy_call(dst, len);

	if (unlikely(done < len))
		done += entropy_device(dst + done, len - done);
	if (unlikely(done < len)) {
		rnd_print("ukallocrnd: no entropy: getrandom and /dev/urandom "
			  "failed\n");
		rnd_port_abort();
	}
}
