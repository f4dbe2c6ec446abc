/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_ERRNO_H__
#define __STANDIN_ERRNO_H__

/* Stands for lib/nolibc/include/errno.h of Unikraft: a variable of the thread
 * if there is a scheduler.
 */

#define EPERM	1
#define ENOENT	2
#define ENOMEM	12
#define EFAULT	14
#define EEXIST	17
#define EINVAL	22
#define ENOSPC	28
#define ENOTSUP 95

extern __thread int errno;

#endif /* __STANDIN_ERRNO_H__ */
