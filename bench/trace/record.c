/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Records what a program asks of its allocator
 *
 * How
 *   LD_PRELOAD="librecord.so libukallocrnd.so" UKTRACE=file program
 *   The functions below stand before those of the allocator, call them, and
 *   write one struct event each. encode.py makes a trace of the file: the
 *   addresses in it become numbers of objects there and go no further.
 *
 * Concurrency
 *   One lock is held over the call and its event: an address can be handed
 *   out again only after its free was written, so the file has the order in
 *   which things happened. The allocator calls nothing of this file. A child
 *   of fork() records nothing: its events would mix with the parent's.
 *
 * Early calls
 *   dlsym() allocates while it looks for the allocator. That memory comes
 *   from a small array and is never given back or recorded.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* As encode.py knows them */
enum op {
	OP_MALLOC,
	OP_CALLOC,
	OP_REALLOC,
	OP_FREE,
	OP_ALIGNED
};

struct event {
	uint64_t op, size, ptr, old; /* old: of realloc and free */
};

#define EVENTS 4096U

static struct event events[EVENTS];
static unsigned int event_cnt;
static int file = -1; /* < 0: nothing is recorded */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *(*next_malloc)(size_t size);
static void *(*next_calloc)(size_t cnt, size_t size);
static void *(*next_realloc)(void *ptr, size_t size);
static void (*next_free)(void *ptr);
static void *(*next_memalign)(size_t align, size_t size);

/* Memory for dlsym() */
static char early[16384] __attribute__((aligned(16)));
static size_t early_used;

static int is_early(const void *ptr)
{
	return (uintptr_t)ptr - (uintptr_t)early < sizeof(early);
}

/* Whatever follows in the array may be copied along */
static void *early_move(const char *old, size_t size)
{
	size_t left = (size_t)(early + sizeof(early) - old);
	void *ptr = malloc(size);

	return ptr ? memcpy(ptr, old, size < left ? size : left) : NULL;
}

static void *early_alloc(size_t size)
{
	size_t used = (size + 15) / 16 * 16;
	void *ptr = early + early_used;

	if (size > sizeof(early) || used > sizeof(early) - early_used)
		return NULL;
	early_used += used;
	return ptr;
}

static void fail(const char *what)
{
	dprintf(STDERR_FILENO, "record: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* ISO C knows no conversion from void * to a function */
static void resolve(const char *name, void *func)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found) {
		errno = ENOSYS;
		fail(name);
	}
	memcpy(func, &found, sizeof(found));
}

/* Whether the allocator can be called; false inside of dlsym() alone, which
 * the first call of the process, still on one thread, gets to
 */
static int is_ready(void)
{
	static int resolving;

	if (next_memalign)
		return 1;
	if (resolving)
		return 0;
	resolving = 1;
	resolve("malloc", &next_malloc);
	resolve("calloc", &next_calloc);
	resolve("realloc", &next_realloc);
	resolve("free", &next_free);
	resolve("memalign", &next_memalign);
	return 1;
}

static void flush(void)
{
	const char *from = (const char *)events;
	size_t left = event_cnt * sizeof(*events);

	while (left) {
		ssize_t n = write(file, from, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			fail("cannot write events");
		from += n;
		left -= (size_t)n;
	}
	event_cnt = 0;
}

static void begin(void)
{
	pthread_mutex_lock(&lock);
}

static void put(enum op op, size_t size, const void *ptr, const void *old)
{
	if (file < 0)
		return;
	events[event_cnt++] =
		(struct event){ op, size, (uintptr_t)ptr, (uintptr_t)old };
	if (event_cnt == EVENTS)
		flush();
}

/* The error number is the allocator's */
static void *end(void *ptr)
{
	pthread_mutex_unlock(&lock);
	return ptr;
}

EXPORT void *malloc(size_t size)
{
	void *ptr;

	if (!is_ready())
		return early_alloc(size);
	begin();
	ptr = next_malloc(size);
	if (ptr)
		put(OP_MALLOC, size, ptr, NULL);
	return end(ptr);
}

EXPORT void *calloc(size_t cnt, size_t size)
{
	void *ptr;

	if (!is_ready()) /* of .bss, and small */
		return early_alloc(cnt * size);
	begin();
	ptr = next_calloc(cnt, size);
	if (ptr)
		put(OP_CALLOC, cnt * size, ptr, NULL);
	return end(ptr);
}

EXPORT void *realloc(void *old, size_t size)
{
	void *ptr;

	if (old && is_early(old))
		return early_move(old, size);
	if (!is_ready())
		return early_alloc(size);
	begin();
	ptr = next_realloc(old, size);
	if (ptr)
		put(old ? OP_REALLOC : OP_MALLOC, size, ptr, old);
	else if (old && !size)
		put(OP_FREE, 0, NULL, old);
	return end(ptr);
}

EXPORT void free(void *ptr)
{
	if (!ptr || is_early(ptr) || !is_ready())
		return;
	begin();
	put(OP_FREE, 0, NULL, ptr);
	next_free(ptr);
	end(NULL);
}

EXPORT void *memalign(size_t align, size_t size)
{
	void *ptr;

	if (!is_ready())
		return NULL;
	begin();
	ptr = next_memalign(align, size);
	if (ptr)
		put(OP_ALIGNED, size, ptr, NULL);
	return end(ptr);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *ptr;

	if (align % sizeof(void *) || align & (align - 1) || !align)
		return EINVAL;
	ptr = memalign(align, size);
	errno = saved;
	if (!ptr)
		return ENOMEM;
	*out = ptr;
	return 0;
}

/* The child has one thread; the lock may be that of another */
static void stop_in_child(void)
{
	pthread_mutex_init(&lock, NULL);
	file = -1;
}

/* A high number, which programs that close what they inherit leave alone */
__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("UKTRACE");
	int fd;

	if (!path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(path);
	file = fcntl(fd, F_DUPFD_CLOEXEC, 500);
	if (file < 0)
		fail(path);
	close(fd);
	unsetenv("UKTRACE");
	if (pthread_atfork(NULL, NULL, stop_in_child))
		fail("pthread_atfork");
}

__attribute__((destructor)) static void stop(void)
{
	begin();
	if (file >= 0)
		flush();
	file = -1;
	end(NULL);
}
