/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_port.h"

#define EXIT_ABORTED 33
#define RANGE_MAX    65536U

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

/* Away from what the kernel, the sanitizer's shadow and valgrind use */
#ifdef HAS_ASAN
#define VA_START 0x110000000000UL
#define VA_END	 0x500000000000UL
#else
#define VA_START 0x010000000000UL
#define VA_END	 0x0c0000000000UL
#endif

/* Disjoint ranges, ascending */
struct range_set {
	__u32 cnt;
	struct {
		__uptr start;
		__uptr end;
	} r[RANGE_MAX];
};

struct fake_port fake_port;
__thread __u32 rnd_host_cpu;

static struct range_set reserved;
static struct range_set committed;
static struct range_set sealed;
static struct range_set foreign;
static __u64 entropy;
static struct {
	unsigned int left;
	__bool is_lasting;
} failure[FAKE_CALL_COUNT];
/* Where a child's text goes; -1 in the parent */
static int text_fd = -1;

/*
 * Sets of ranges
 */

/* The first range that ends behind addr */
static __u32 set_find(const struct range_set *set, __uptr addr)
{
	__u32 low = 0, high = set->cnt, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (set->r[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}

	return low;
}

static __bool set_overlaps(const struct range_set *set, __uptr start,
			   __uptr end)
{
	__u32 i = set_find(set, start);

	return i < set->cnt && set->r[i].start < end;
}

/* All of it in one range */
static __bool set_has(const struct range_set *set, __uptr start, __uptr end)
{
	__u32 i = set_find(set, start);

	return i < set->cnt && set->r[i].start <= start && set->r[i].end >= end;
}

static void set_insert(struct range_set *set, __u32 i, __uptr start, __uptr end)
{
	assert_true(set->cnt < RANGE_MAX);
	memmove(&set->r[i + 1], &set->r[i], (set->cnt - i) * sizeof(set->r[0]));
	set->r[i].start = start;
	set->r[i].end = end;
	set->cnt++;
}

static void set_delete(struct range_set *set, __u32 i)
{
	set->cnt--;
	memmove(&set->r[i], &set->r[i + 1], (set->cnt - i) * sizeof(set->r[0]));
}

static void set_add(struct range_set *set, __uptr start, __uptr end)
{
	set_insert(set, set_find(set, start), start, end);
}

/* Adds a range that belongs together with its neighbours */
static void set_add_merged(struct range_set *set, __uptr start, __uptr end)
{
	__u32 i = set_find(set, start);

	if (i && set->r[i - 1].end == start) {
		start = set->r[i - 1].start;
		set_delete(set, --i);
	}
	if (i < set->cnt && set->r[i].start == end) {
		end = set->r[i].end;
		set_delete(set, i);
	}
	set_insert(set, i, start, end);
}

/* Takes the first part of [start, end) out; returns its length, 0: none */
static __sz set_cut(struct range_set *set, __uptr start, __uptr end,
		    __uptr *first)
{
	__u32 i = set_find(set, start);
	__uptr low, high;

	if (i >= set->cnt || set->r[i].start >= end)
		return 0;

	low = set->r[i].start;
	high = set->r[i].end;
	set_delete(set, i);
	if (high > end)
		set_insert(set, i, end, high);
	if (low < start)
		set_insert(set, i, low, start);
	*first = MAX(low, start);

	return MIN(high, end) - *first;
}

static __sz set_remove(struct range_set *set, __uptr start, __uptr end)
{
	__sz sum = 0, len;
	__uptr first;

	while ((len = set_cut(set, start, end, &first)) != 0)
		sum += len;

	return sum;
}

/* Takes the pages of [addr, end) away */
static void unmap(__uptr addr, __uptr end)
{
	__uptr first;
	__sz len;

	fake_port.sealed -= set_remove(&sealed, addr, end);
	while ((len = set_cut(&committed, addr, end, &first)) != 0) {
		assert_int_equal(0, munmap((void *)first, len));
		fake_port.committed -= len;
	}
}

/*
 * What tests use
 */

void fake_port_reset(__u64 seed)
{
	unmap(0, __SZ_MAX);
	reserved.cnt = 0;
	foreign.cnt = 0;
	memset(&fake_port, 0, sizeof(fake_port));
	memset(failure, 0, sizeof(failure));
	fake_port.va_start = VA_START;
	fake_port.va_end = VA_END;
	fake_port.available = 1UL << 40;
	fake_port.total = 1UL << 40;
	entropy = seed;
	rnd_host_cpu = 0;
}

void fake_port_set_cpu(__u32 cpu)
{
	rnd_host_cpu = cpu;
}

void fake_port_fail_at(enum fake_call call, unsigned int n)
{
	failure[call].left = n;
	failure[call].is_lasting = 0;
}

void fake_port_fail_from(enum fake_call call, unsigned int n)
{
	failure[call].left = n;
	failure[call].is_lasting = 1;
}

__bool fake_port_fail_pending(void)
{
	unsigned int i;

	for (i = 0; i < FAKE_CALL_COUNT; i++)
		if (failure[i].left)
			return 1;

	return 0;
}

void fake_port_occupy(__uptr addr, __sz len)
{
	set_add(&foreign, addr, addr + len);
}

__bool fake_port_is_reserved(__uptr addr, __sz len)
{
	return set_has(&reserved, addr, addr + len);
}

__bool fake_port_is_used(__uptr addr, __sz len)
{
	return set_overlaps(&reserved, addr, addr + len);
}

__bool fake_port_is_committed(__uptr addr, __sz len)
{
	return set_has(&committed, addr, addr + len);
}

__bool fake_port_is_backed(__uptr addr, __sz len)
{
	return set_overlaps(&committed, addr, addr + len);
}

__bool fake_port_can_read(const void *ptr)
{
	char byte;
	struct iovec local = { .iov_base = &byte, .iov_len = 1 };
	struct iovec there = { .iov_base = (void *)(__uptr)ptr, .iov_len = 1 };

	return process_vm_readv(getpid(), &local, 1, &there, 1, 0) == 1;
}

/* Writes back what was read */
__bool fake_port_can_write(void *ptr)
{
	char byte;
	struct iovec local = { .iov_base = &byte, .iov_len = 1 };
	struct iovec there = { .iov_base = ptr, .iov_len = 1 };

	return process_vm_readv(getpid(), &local, 1, &there, 1, 0) == 1 &&
	       process_vm_writev(getpid(), &local, 1, &there, 1, 0) == 1;
}

static void __noreturn child_run(void (*fn)(void *arg), void *arg, int fd)
{
	text_fd = fd;
	fake_port.text_len = 0;
	/* A wait that never ends fails as well */
	(void)alarm(60);
	fn(arg);
	_exit(1);
}

const char *fake_port_abort_text(void (*fn)(void *arg), void *arg)
{
	static char text[sizeof(fake_port.text)];
	int fds[2], status;
	__sz len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(0, pipe(fds));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		child_run(fn, arg, fds[1]);

	assert_int_equal(0, close(fds[1]));
	while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (__sz)n;
	text[len] = 0;
	assert_int_equal(0, close(fds[0]));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_ABORTED)
		fail_msg("no report, status 0x%x: %s", status, text);

	return text;
}

/*
 * The port
 */

/* Counts a call; 1 if it has to fail */
static __bool is_failing(enum fake_call call)
{
	fake_port.calls[call]++;
	if (failure[call].left && --failure[call].left == 0) {
		failure[call].left = failure[call].is_lasting;
		return 1;
	}

	return call != FAKE_ANY && is_failing(FAKE_ANY);
}

static void check_range(__uptr addr, __sz len)
{
	assert_true(len != 0);
	assert_int_equal(0, addr % RND_PAGE_LEN);
	assert_int_equal(0, len % RND_PAGE_LEN);
	assert_true(addr + len > addr);
}

void rnd_port_va_range(__uptr *start, __uptr *end)
{
	*start = fake_port.va_start;
	*end = fake_port.va_end;
}

int rnd_port_reserve_at(__uptr addr, __sz len)
{
	check_range(addr, len);
	assert_true(addr >= fake_port.va_start);
	assert_true(addr + len <= fake_port.va_end);
	if (is_failing(FAKE_RESERVE))
		return -ENOMEM;
	if (set_overlaps(&reserved, addr, addr + len) ||
	    set_overlaps(&foreign, addr, addr + len))
		return -EEXIST;

	set_add(&reserved, addr, addr + len);
	fake_port.reserved += len;

	return 0;
}

void rnd_port_release(__uptr addr, __sz len)
{
	check_range(addr, len);
	assert_true(set_has(&reserved, addr, addr + len));
	unmap(addr, addr + len);
	fake_port.reserved -= set_remove(&reserved, addr, addr + len);
	fake_port.releases++;
}

int rnd_port_commit(__uptr addr, __sz len, __bool touch __unused)
{
	void *map;

	check_range(addr, len);
	assert_true(set_has(&reserved, addr, addr + len));
	assert_false(set_overlaps(&committed, addr, addr + len));
	if (is_failing(FAKE_COMMIT))
		return -ENOMEM;

	map = mmap((void *)addr, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			   MAP_FIXED_NOREPLACE,
		   -1, 0);
	assert_ptr_equal((void *)addr, map);
	set_add_merged(&committed, addr, addr + len);
	fake_port.committed += len;

	return 0;
}

void rnd_port_decommit(__uptr addr, __sz len)
{
	check_range(addr, len);
	assert_true(set_has(&reserved, addr, addr + len));
	assert_true(set_has(&committed, addr, addr + len));
	unmap(addr, addr + len);
	fake_port.decommits++;
}

__bool rnd_port_reset(__uptr addr, __sz len)
{
	check_range(addr, len);
	assert_true(set_has(&committed, addr, addr + len));
	return !fake_port.is_foreign;
}

int rnd_port_move(__uptr from, __sz len, __uptr to, __sz to_len)
{
	void *map;

	check_range(from, len);
	check_range(to, to_len);
	assert_true(to_len >= len);
	assert_true(set_has(&reserved, from, from + len));
	assert_true(set_has(&committed, from, from + len));
	assert_false(set_overlaps(&sealed, from, from + len));
	assert_true(set_has(&reserved, to, to + to_len));
	assert_false(set_overlaps(&committed, to, to + to_len));
	if (is_failing(FAKE_MOVE))
		return -ENOTSUP;

	map = mmap((void *)to, to_len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			   MAP_FIXED_NOREPLACE,
		   -1, 0);
	assert_ptr_equal((void *)to, map);
	memcpy(map, (void *)from, len);
	set_add_merged(&committed, to, to + to_len);
	fake_port.committed += to_len;
	unmap(from, from + len);
	fake_port.moves++;
	if (!fake_port.move_loses)
		return 0;

	fake_port.reserved -= set_remove(&reserved, from, from + len);
	set_add(&foreign, from, from + len);
	return 1;
}

void rnd_port_backed(__uptr addr, __sz pages, __u8 *is_there)
{
	__sz len = pages * RND_PAGE_LEN;

	check_range(addr, len);
	assert_in_range(pages, 1, RND_PORT_LOOK);
	assert_true(set_has(&committed, addr, addr + len));
	memset(is_there, !fake_port.untouched, pages);
}

/* The contents are gone, as with a system that fills pages on touch */
__bool rnd_port_discard(__uptr addr, __sz len)
{
	check_range(addr, len);
	assert_true(set_has(&committed, addr, addr + len));
	memset((void *)addr, 0, len);
	fake_port.discards++;
	fake_port.discarded += len;

	return 1;
}

int rnd_port_seal(__uptr addr, __sz len)
{
	check_range(addr, len);
	assert_true(set_has(&committed, addr, addr + len));
	assert_false(set_overlaps(&sealed, addr, addr + len));
	if (is_failing(FAKE_SEAL))
		return -ENOMEM;

	assert_int_equal(0, mprotect((void *)addr, len, PROT_READ));
	set_add(&sealed, addr, addr + len);
	fake_port.sealed += len;

	return 0;
}

int rnd_port_donate(__uptr addr, __sz len)
{
	check_range(addr, len);

	return -ENOTSUP;
}

__sz rnd_port_total(void)
{
	return fake_port.total;
}

__bool rnd_port_cpu_borrow(__u32 idx)
{
	return fake_port.unleased && idx == fake_port.unleased;
}

void rnd_port_cpu_return(__u32 idx)
{
	assert_int_equal(fake_port.unleased, idx);
}

__sz rnd_port_available(void)
{
	return fake_port.available;
}

void rnd_port_entropy(void *buf, __sz len)
{
	__u8 *byte = buf;
	__u64 z;

	fake_port.entropy_calls++;
	/* splitmix64 */
	while (len--) {
		entropy += 0x9e3779b97f4a7c15UL;
		z = (entropy ^ (entropy >> 30)) * 0xbf58476d1ce4e5b9UL;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
		*byte++ = (__u8)(z >> 56);
	}
}

__u32 rnd_port_cpu_lease(void)
{
	rnd_host_cpu = fake_port.lease;

	return rnd_host_cpu;
}

__u32 rnd_port_cpu_thread(__u32 idx, __bool *more)
{
	(void)idx;
	*more = 0;

	return fake_port.thread;
}

void rnd_port_fence_all(void)
{
	fake_port.fences++;
}

void rnd_port_yield(unsigned int turn)
{
	assert_true(turn <= fake_port.yields);
	fake_port.yields++;
	if (fake_port.on_yield)
		fake_port.on_yield();
}

/* As if every context came by the same way */
__u32 rnd_port_backtrace(__uptr *buf, __u32 max)
{
	__u32 cnt = MIN(fake_port.trace_cnt, max);

	memcpy(buf, fake_port.trace, cnt * sizeof(*buf));
	return cnt;
}

const char *rnd_port_module(__uptr addr, __uptr *base)
{
	*base = 0x1000;
	return addr < *base ? __NULL : "fake";
}

void rnd_port_print(const char *text, __sz len)
{
	len = MIN(len, sizeof(fake_port.text) - 1 - fake_port.text_len);
	memcpy(fake_port.text + fake_port.text_len, text, len);
	fake_port.text_len += len;
	fake_port.text[fake_port.text_len] = 0;
}

void __noreturn rnd_port_abort(void)
{
	ssize_t n;

	if (text_fd < 0)
		fail_msg("report that no test asked for: %s", fake_port.text);
	n = write(text_fd, fake_port.text, fake_port.text_len);
	_exit(n == (ssize_t)fake_port.text_len ? EXIT_ABORTED : 1);
}
