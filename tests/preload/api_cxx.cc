/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

/* operator new and delete in all forms, and what C++ builds on them */

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static int failed_checks;

#define API_CHECK(x)                                                           \
	do {                                                                   \
		if (!(x)) {                                                    \
			failed_checks++;                                       \
			std::printf("# %s:%d: not true: %s\n", __FILE__,       \
				    __LINE__, #x);                             \
		}                                                              \
	} while (0)

static volatile std::size_t huge = SIZE_MAX / 4;

struct alignas(256) wide {
	char bytes[512];
};

struct counted {
	static int alive;
	std::string text;

	counted() : text(100, 'x')
	{
		alive++;
	}
	~counted()
	{
		alive--;
	}
};

int counted::alive;

static void all_forms()
{
	auto *one = new int(5);
	auto *many = new std::string[100];
	auto *quiet = new (std::nothrow) long[10];
	auto *aligned = new wide;
	auto *row = new wide[7];
	auto *objects = new counted[9];

	quiet[9] = 1;
	aligned->bytes[511] = 1;
	row[6].bytes[511] = 1;
	API_CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 256 == 0);
	API_CHECK(reinterpret_cast<std::uintptr_t>(row) % 256 == 0);
	API_CHECK(counted::alive == 9);
	delete one;
	delete[] many;
	delete[] quiet;
	delete aligned;
	delete[] row;
	delete[] objects;
	API_CHECK(counted::alive == 0);
	::operator delete(::operator new(40), std::size_t(40));
	::operator delete[](::operator new[](40), std::size_t(40));
	::operator delete(::operator new(40, std::nothrow), std::nothrow);
	::operator delete(::operator new(40, std::align_val_t(64)),
			  std::size_t(40), std::align_val_t(64));
	::operator delete(nullptr);
}

/* Aligned storage for nothing has an address that can be given back */
static void no_elements()
{
	const std::align_val_t aligns[] = { std::align_val_t(16),
					    std::align_val_t(64),
					    std::align_val_t(8192) };
	std::allocator<wide> allocator;
	wide *none = allocator.allocate(0);

	API_CHECK(reinterpret_cast<std::uintptr_t>(none) % 256 == 0);
	allocator.deallocate(none, 0);
	for (std::align_val_t align : aligns) {
		::operator delete(::operator new(0, align), std::size_t(0),
				  align);
		::operator delete[](::operator new[](0, align), std::size_t(0),
				    align);
		::operator delete(::operator new(0, align, std::nothrow), align,
				  std::nothrow);
	}
	::operator delete(::operator new(0), std::size_t(0));
}

static void exhaustion_throws()
{
	bool thrown = false;

	try {
		::operator delete(::operator new(huge));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	API_CHECK(thrown);
	thrown = false;
	try {
		::operator delete[](::operator new[](huge,
						     std::align_val_t(64)),
				    std::align_val_t(64));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	API_CHECK(thrown);
	API_CHECK(!::operator new(huge, std::nothrow));
	API_CHECK(!::operator new[](huge, std::align_val_t(64), std::nothrow));
}

static int handler_calls;

static void handler()
{
	if (++handler_calls == 3)
		std::set_new_handler(nullptr);
}

static void handler_is_asked_until_it_gives_up()
{
	bool thrown = false;

	std::set_new_handler(handler);
	try {
		::operator delete(::operator new(huge));
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	API_CHECK(thrown && handler_calls == 3);
}

static thread_local std::vector<std::string> per_thread;

static void containers_and_threads()
{
	std::vector<std::thread> threads;
	std::map<int, std::shared_ptr<std::string>> shared;

	for (int i = 0; i < 1000; i++)
		shared[i] = std::make_shared<std::string>(i, 'a');
	for (int t = 0; t < 8; t++)
		threads.emplace_back([shared]() mutable {
			for (int i = 0; i < 1000; i++) {
				per_thread.push_back(*shared[i]);
				shared.erase(i);
			}
		});
	shared.clear();
	for (auto &thread : threads)
		thread.join();
	API_CHECK(per_thread.empty());
}

static void exceptions_carry_strings()
{
	int caught = 0;

	for (int i = 0; i < 1000; i++) {
		try {
			throw std::runtime_error(std::string(i, 'e'));
		} catch (const std::runtime_error &error) {
			caught += std::string(error.what()).size() ==
				  std::size_t(i);
		}
	}
	API_CHECK(caught == 1000);
}

int main()
{
	static const struct {
		const char *name;
		void (*run)();
	} tests[] = {
		{ "all_forms", all_forms },
		{ "no_elements", no_elements },
		{ "exhaustion_throws", exhaustion_throws },
		{ "handler_is_asked_until_it_gives_up",
		  handler_is_asked_until_it_gives_up },
		{ "containers_and_threads", containers_and_threads },
		{ "exceptions_carry_strings", exceptions_carry_strings },
	};
	int failed_tests = 0;

	for (const auto &test : tests) {
		failed_checks = 0;
		test.run();
		failed_tests += failed_checks > 0;
		std::printf("%s %s\n", failed_checks ? "not ok" : "ok",
			    test.name);
	}
	return failed_tests > 0;
}
