/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __NOLIBC_ERRNO_H__
#define __NOLIBC_ERRNO_H__

/* Error numbers, values as on Linux */

#ifdef __cplusplus
extern "C" {
#endif

int *__errno_location(void);

#ifdef __cplusplus
}
#endif

#define errno (*__errno_location())

#define EPERM	   1
#define ENOENT	   2
#define EINTR	   4
#define EIO	   5
#define ENXIO	   6
#define E2BIG	   7
#define EBADF	   9
#define EAGAIN	   11
#define ENOMEM	   12
#define EACCES	   13
#define EFAULT	   14
#define EBUSY	   16
#define EEXIST	   17
#define ENODEV	   19
#define EINVAL	   22
#define ENFILE	   23
#define EMFILE	   24
#define ENOSPC	   28
#define EDOM	   33
#define ERANGE	   34
#define EDEADLK	   35
#define ENOSYS	   38
#define ENODATA	   61
#define ETIME	   62
#define EPROTO	   71
#define EOVERFLOW  75
#define EILSEQ	   84
#define ENOTSUP	   95
#define EOPNOTSUPP 95
#define ETIMEDOUT  110
#define EALREADY   114
#define ECANCELED  125

#endif /* __NOLIBC_ERRNO_H__ */
