/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* A program that replaces the array forms and the aligned single forms
 *
 * The other half of api_replaced.cc: the first link of the chain of the array
 * forms, and the second one of the aligned array forms. Objects have a header
 * again, which the library would not find.
 */

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

struct refused {
	std::size_t size;
};

static const std::size_t refused_size = 12345;
static const std::align_val_t align{ 64 };

static long arrays, array_calls, aligned, aligned_calls;

static void *put_header(void *start, std::size_t header)
{
	return start ? static_cast<char *>(start) + header : nullptr;
}

void *operator new[](std::size_t size)
{
	if (size == refused_size)
		throw refused{ size };
	arrays++;
	array_calls++;
	return put_header(std::malloc(size + 16), 16);
}

void operator delete[](void *ptr) noexcept
{
	arrays--;
	std::free(static_cast<char *>(ptr) - 16);
}

void *operator new(std::size_t size, std::align_val_t)
{
	if (size == refused_size)
		throw refused{ size };
	aligned++;
	aligned_calls++;
	return put_header(std::aligned_alloc(64, size + 64), 64);
}

void operator delete(void *ptr, std::align_val_t) noexcept
{
	aligned--;
	std::free(static_cast<char *>(ptr) - 64);
}

static bool array_forms_come_here()
{
	long before = array_calls;

	::operator delete[](::operator new[](40), std::size_t{ 40 });
	::operator delete[](::operator new[](40, std::nothrow), std::nothrow);
	::operator delete[](::operator new[](40, std::nothrow));
	return arrays == 0 && array_calls == before + 3;
}

static bool single_forms_do_not()
{
	long before = array_calls + aligned_calls;

	::operator delete (::operator new(40), std::size_t{ 40 });
	::operator delete(::operator new(40, std::nothrow), std::nothrow);
	return arrays == 0 && aligned == 0 &&
	       array_calls + aligned_calls == before;
}

static bool aligned_forms_come_here()
{
	long before = aligned_calls;

	::operator delete (::operator new(40, align), std::size_t{ 40 }, align);
	::operator delete(::operator new(40, align, std::nothrow), align,
			  std::nothrow);
	::operator delete[](::operator new[](40, align), align);
	::operator delete[](::operator new[](40, align), std::size_t{ 40 },
			    align);
	::operator delete[](::operator new[](40, align, std::nothrow), align,
			    std::nothrow);
	return aligned == 0 && aligned_calls == before + 5 && arrays == 0;
}

/* The array form is the library's: the exception crosses its frame */
static bool exceptions_pass()
{
	try {
		::operator delete[](::operator new[](refused_size, align),
				    align);
	} catch (const refused &reason) {
		return reason.size == refused_size && aligned == 0;
	}
	return false;
}

static int failed;

static void tell(const char *name, bool ok)
{
	std::printf("%s %s\n", ok ? "ok" : "not ok", name);
	std::fflush(stdout);
	failed += !ok;
}

int main()
{
	tell("array_forms_come_here", array_forms_come_here());
	tell("single_forms_do_not", single_forms_do_not());
	tell("aligned_forms_come_here", aligned_forms_come_here());
	tell("exceptions_pass", exceptions_pass());
	return failed != 0;
}
