/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKMI_PORT_H__
#define __UKMI_PORT_H__

/* mimalloc in the guest: what it asks of a system
 *
 * Why
 *   A reference that people know, on the same interface, in the same guest,
 *   counted by the same counter. Its source is Debian's, unchanged, and not
 *   part of this repository: `make mimalloc` fetches it.
 *
 * How
 *   Upstream 2.0 has no layer of primitives: src/os.c and src/random.c call
 *   Linux. They are compiled as they are, so that what is measured is what
 *   upstream does, hints, over-allocation and delayed purging included. The
 *   calls end here: this file is included before each file of upstream, and
 *   each system header that upstream names is an empty one that the build
 *   makes. What stands for what:
 *
 *     mmap, munmap     areas of ukvmem; an address is a hint, frames come
 *                      with the first touch
 *     mprotect         uk_vma_set_attr(); PROT_NONE keeps the contents
 *     madvise          uk_vma_advise(), MADV_DONTNEED only
 *     getrandom        ukplat_random_bytes()
 *     clock_gettime    ukplat_monotonic_clock()
 *     threads          CPUs; thread.c gives each one its thread-local data,
 *                      with which it is a thread. None ever ends
 *     constructor      unit.c, called once by alloc.c
 *     environment      none (MI_NO_GETENV): all options have their defaults
 *     files, NUMA      none: upstream takes one node
 *     stderr           the console
 *
 *   Plain and secure (MI_SECURE=4) are two objects of one image; all names but
 *   those of uk_mimalloc.h are local to each.
 *
 * Concurrency
 *   That of upstream: any CPU, but not from interrupts. An interrupt handler
 *   that allocates while its CPU is inside of mimalloc would corrupt it.
 *
 * What differs from a build for Linux
 *   No vector registers, local-exec instead of initial-exec for thread-local
 *   data, no red zone. Optimization is that of upstream's release build, -O3
 *   with NDEBUG and built-in functions. One comparison with 0.0 at the start
 *   takes the x87 unit, which nothing else in the guest uses.
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef long ssize_t;

/* Memory: memory.c. Values as on Linux. Without MADV_FREE and the flags for
 * huge pages upstream does not try them.
 */
#define PROT_NONE     0
#define PROT_READ     1
#define PROT_WRITE    2
#define MAP_PRIVATE   0x02
#define MAP_ANONYMOUS 0x20
#define MAP_NORESERVE 0x4000
#define MAP_FAILED    ((void *)-1)
#define MADV_NORMAL   0
#define MADV_DONTNEED 4

#define mmap	 ukmi_mmap
#define munmap	 ukmi_munmap
#define mprotect ukmi_mprotect
#define madvise	 ukmi_madvise

/**
 * Maps zeroed memory; pages come when they are touched first.
 *
 * @param addr
 *   Where the caller would like it, or NULL
 * @param len
 *   Bytes, a multiple of the page length
 * @param prot
 *   PROT_NONE or PROT_READ | PROT_WRITE
 *
 * @return
 *   The memory, or MAP_FAILED with errno ENOMEM: no addresses, or more than
 *   all the memory that is free at the moment
 */
void *ukmi_mmap(void *addr, size_t len, int prot, int flags, int fd,
		long offset);

/** Unmaps a range, also a part of what was mapped. 0, or -1 with errno. */
int ukmi_munmap(void *addr, size_t len);

/** Changes what is allowed in a range. 0, or -1 with errno. */
int ukmi_mprotect(void *addr, size_t len, int prot);

/** Forgets the contents of a range (MADV_DONTNEED). 0, or -1 with errno. */
int ukmi_madvise(void *addr, size_t len, int advice);

#define _SC_PAGESIZE  30
#define sysconf(name) ((name) == _SC_PAGESIZE ? 4096L : -1L)

/* Randomness: the only system call that upstream makes by number is this */
#define SYS_getrandom		     318
#define syscall(nr, buf, len, flags) ukmi_getrandom((buf), (len))

/** Fills a buffer with random bytes; returns their number. */
long ukmi_getrandom(void *buf, size_t len);

/* Time */
#define CLOCK_MONOTONIC 1

struct timespec {
	long tv_sec;
	long tv_nsec;
};

#define clock_gettime(clock, t) ukmi_clock(t)

/** Time since the boot. */
int ukmi_clock(struct timespec *t);

/* Nobody counts what CPUs do for one allocator */
struct timeval {
	long tv_sec;
	long tv_usec;
};

struct rusage {
	struct timeval ru_utime;
	struct timeval ru_stime;
	long ru_maxrss;
	long ru_majflt;
};

#define RUSAGE_SELF 0

static inline int getrusage(int who, struct rusage *usage)
{
	(void)who;
	memset(usage, 0, sizeof(*usage));
	return 0;
}

/* CPUs do not end, so nothing need happen when they do */
typedef unsigned int pthread_key_t;

static inline int pthread_key_create(pthread_key_t *key, void (*fn)(void *arg))
{
	(void)fn;
	*key = 0;
	return 0;
}

static inline int pthread_setspecific(pthread_key_t key, const void *value)
{
	(void)key;
	(void)value;
	return 0;
}

/* There are no files */
#define O_RDONLY 0
#define R_OK	 4

static inline int open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	errno = ENOENT;
	return -1;
}

static inline ssize_t read(int fd, void *buf, size_t len)
{
	(void)fd;
	(void)buf;
	(void)len;
	errno = EBADF;
	return -1;
}

static inline int close(int fd)
{
	(void)fd;
	errno = EBADF;
	return -1;
}

static inline int access(const char *path, int mode)
{
	(void)path;
	(void)mode;
	errno = ENOENT;
	return -1;
}

#define PATH_MAX     4096
#define _PC_PATH_MAX 4

static inline long pathconf(const char *path, int name)
{
	(void)path;
	return name == _PC_PATH_MAX ? PATH_MAX : -1;
}

static inline char *realpath(const char *path, char *resolved)
{
	(void)path;
	(void)resolved;
	errno = ENOENT;
	return NULL;
}

/* Output */
typedef struct ukmi_file FILE;

#define stdout		   ((FILE *)1)
#define stderr		   ((FILE *)2)
#define fprintf(file, ...) ((void)(file), printf(__VA_ARGS__))

static inline int fputs(const char *s, FILE *file)
{
	(void)file;
	return printf("%s", s);
}

/* The rest */
static inline int atexit(void (*fn)(void))
{
	(void)fn;
	return 0;
}

static inline char *getenv(const char *name)
{
	(void)name;
	return NULL;
}

static inline int toupper(int c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static inline const char *strerror(int err)
{
	return err == ENOMEM ? "out of memory" : "error";
}

/**
 * Gives every online CPU its thread-local data. Until then no CPU may call
 * mimalloc.
 *
 * Context: one CPU, interrupts enabled; the others must be idle. Does nothing
 * the second time.
 *
 * @return
 *   0, or -ENOMEM
 */
int ukmi_threads_start(void);

#endif /* __UKMI_PORT_H__ */
