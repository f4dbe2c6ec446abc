/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* Address ranges on Linux
 *
 * reserved = PROT_NONE mapping, committed = readable and writable, sealed =
 * readable. A private PROT_NONE mapping is not charged to the process; the
 * change to writable is, so that commit fails with ENOMEM under strict
 * overcommit or for absurd lengths, and not later by the OOM killer. (That is
 * why MAP_NORESERVE is not used: it would switch this accounting off.)
 *
 * Decommit maps fresh PROT_NONE memory over the range: it drops the contents
 * and lets the kernel merge the range with its reserved neighbours, which
 * madvise() + mprotect() would not. When the kernel refuses because the
 * process has too many mappings (vm.max_map_count), the contents are dropped
 * without making the range inaccessible, and from then on commit maps fresh
 * memory too, so that it still hands out zeroes only.
 *
 * Moving is one call that takes the pages and leaves a hole, and one that
 * reserves the hole. In between nothing of the heap can be reached there, but
 * another thread's mmap() may get a part of it. The kernel looks for room from
 * the top down and finds such a hole only if there is no other above it, so
 * this is next to impossible; it is noticed, and the caller is told.
 * (MREMAP_DONTUNMAP would leave no hole, but cannot move and grow at once, and
 * leaves the old range accessible until the next call.)
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "atomic.h"
#include "host.h"
#include "port.h"
#include "sys.h"

/* Linux 4.17; older kernels ignore it and take the address as a hint */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define MEM_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS)
#define MEM_RW	  (PROT_READ | PROT_WRITE)

/* Linux 4.14; older kernels refuse it, and freed pages are not parked */
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif

#ifndef MREMAP_FIXED
#define MREMAP_MAYMOVE 1
#define MREMAP_FIXED   2
#endif

/* A decommit left its range accessible; see above */
static __u8 mem_degraded;

static long mem_map(__uptr addr, __sz len, int prot, int flags)
{
	return rnd_sys(SYS_mmap, addr, len, (__uptr)prot,
		       (__uptr)(MEM_FLAGS | flags), (__uptr) - 1, 0);
}

static long mem_protect(__uptr addr, __sz len, int prot)
{
	return rnd_sys3(SYS_mprotect, addr, len, (__uptr)prot);
}

int rnd_port_reserve_at(__uptr addr, __sz len)
{
	long rc = rnd_host_inject(RND_HOST_RESERVE, addr, len);

	if (unlikely(rc))
		return (int)rc;

	rc = mem_map(addr, len, PROT_NONE, MAP_FIXED_NOREPLACE);
	if (likely(rc == (long)addr))
		return 0;
	if (rc > 0) {
		/* An old kernel found the range in use and chose another */
		rnd_port_release((__uptr)rc, len);
		return -EEXIST;
	}
	return rc == -EEXIST ? -EEXIST : -ENOMEM;
}

void rnd_port_release(__uptr addr, __sz len)
{
	/* Fails only if a split needs one mapping too many; then the range
	 * stays reserved, which costs addresses but no memory
	 */
	if (rnd_sys3(SYS_munmap, addr, len, 0) < 0)
		rnd_port_decommit(addr, len);
}

int rnd_port_commit(__uptr addr, __sz len, __bool touch __unused)
{
	long rc = rnd_host_inject(RND_HOST_COMMIT, addr, len);

	if (unlikely(rc))
		return (int)rc;

	if (unlikely(rnd_load_relaxed(&mem_degraded))) {
		rc = mem_map(addr, len, MEM_RW, MAP_FIXED);
		if (rc > 0)
			rc = 0;
	} else {
		rc = mem_protect(addr, len, MEM_RW);
	}
	if (likely(!rc))
		return 0;

	/* A range that spans several mappings may have changed in part */
	rnd_port_decommit(addr, len);
	return -ENOMEM;
}

void rnd_port_decommit(__uptr addr, __sz len)
{
	if (likely(mem_map(addr, len, PROT_NONE, MAP_FIXED) > 0))
		return;

	rnd_store_relaxed(&mem_degraded, 1);
	rnd_sys3(SYS_madvise, addr, len, MADV_DONTNEED);
	mem_protect(addr, len, PROT_NONE);
}

int rnd_port_move(__uptr from, __sz len, __uptr to, __sz to_len)
{
	long rc = rnd_host_inject(RND_HOST_MOVE, to, to_len);

	if (unlikely(rc || rnd_load_relaxed(&mem_degraded)))
		return -ENOTSUP;

	rc = rnd_sys(SYS_mremap, from, len, to_len,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to, 0);
	if (unlikely(rc != (long)to)) {
		/* More than one mapping, as after mprotect() by the user:
		 * kernels before 6.17 do not move those. Some see that when
		 * they have already made room
		 */
		mem_map(to, to_len, PROT_NONE, MAP_FIXED_NOREPLACE);
		return -ENOTSUP;
	}
	/* What the user may have done to all of it goes no further */
	mem_protect(to, to_len, MEM_RW);

	rc = mem_map(from, len, PROT_NONE, MAP_FIXED_NOREPLACE);
	if (likely(rc == (long)from))
		return 0;
	if (rc > 0)
		rnd_port_release((__uptr)rc, len);
	return 1;
}

/* A child that finds zeros in the object, or nothing, is what the last user
 * wanted, not the next one. The kernel refuses the first call where a file, or
 * shared memory, is mapped. Pages that were locked stay so: the process may
 * want that of all pages (mlockall())
 */
__bool rnd_port_reset(__uptr addr, __sz len)
{
	return !rnd_sys3(SYS_madvise, addr, len, MADV_WIPEONFORK) &&
	       !rnd_sys3(SYS_madvise, addr, len, MADV_KEEPONFORK) &&
	       !rnd_sys3(SYS_madvise, addr, len, MADV_DOFORK);
}

void rnd_port_backed(__uptr addr, __sz pages, __u8 *is_there)
{
	__sz i;

	if (rnd_sys3(SYS_mincore, addr, pages * RND_PAGE_LEN,
		     (__uptr)is_there)) {
		memset(is_there, 1, pages);
		return;
	}
	for (i = 0; i < pages; i++)
		is_there[i] &= 1;
}

__bool rnd_port_discard(__uptr addr, __sz len)
{
	return rnd_sys3(SYS_madvise, addr, len, MADV_DONTNEED) == 0;
}

int rnd_port_seal(__uptr addr, __sz len)
{
	int rc = rnd_host_inject(RND_HOST_SEAL, addr, len);

	if (unlikely(rc))
		return rc;
	return mem_protect(addr, len, PROT_READ) ? -ENOMEM : 0;
}
