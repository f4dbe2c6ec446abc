/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A program that replaces operator new and operator delete, and nothing else
 *
 * Its operators put a header in front of each object, so that whatever does
 * not go through them cannot be freed. The array, nothrow and sized forms are
 * the library's and have to call these.
 */

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

static long live;
static long calls;

void *operator new(std::size_t size)
{
	char *ptr = static_cast<char *>(std::malloc(size + 16));

	if (!ptr)
		throw std::bad_alloc();
	live++;
	calls++;
	return ptr + 16;
}

void operator delete(void *ptr) noexcept
{
	if (!ptr)
		return;
	live--;
	std::free(static_cast<char *>(ptr) - 16);
}

struct aligned {
	alignas(64) char bytes[64];
};

/* Keeps the compiler from leaving pairs of new and delete out */
static aligned *volatile kept;

static bool sized_and_array_forms_come_here()
{
	long before = calls;

	delete new long(1);
	delete[] new long[5];
	::operator delete (::operator new(40), std::size_t{ 40 });
	return live == 0 && calls == before + 3;
}

static bool nothrow_forms_come_here()
{
	long before = calls;

	operator delete(operator new(40, std::nothrow), std::nothrow);
	operator delete[](operator new[](40, std::nothrow), std::nothrow);
	return live == 0 && calls == before + 2;
}

static bool aligned_forms_do_not()
{
	long before = calls;

	kept = new aligned;
	kept->bytes[63] = 1;
	delete kept;
	kept = new aligned[3];
	kept[2].bytes[63] = 1;
	delete[] kept;
	std::allocator<aligned>().deallocate(
		std::allocator<aligned>().allocate(0), 0);
	return live == 0 && calls == before;
}

static bool containers_come_here()
{
	long before = calls;

	{
		std::vector<std::string> strings(100, std::string(100, 'x'));

		strings.resize(1000);
	}
	return live == 0 && calls > before + 100;
}

static int failed;

static void tell(const char *name, bool ok)
{
	std::printf("%s %s\n", ok ? "ok" : "not ok", name);
	failed += !ok;
}

int main()
{
	tell("sized_and_array_forms_come_here",
	     sized_and_array_forms_come_here());
	tell("nothrow_forms_come_here", nothrow_forms_come_here());
	tell("aligned_forms_do_not", aligned_forms_do_not());
	tell("containers_come_here", containers_come_here());
	return failed != 0;
}
