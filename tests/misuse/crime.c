/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crime.h"

extern const char __executable_start[], etext[];

struct aftermath aftermath;

void announce(const char *kind, const void *ptr, size_t slot)
{
	char class[24];

	if (slot == SLOT_LARGE)
		(void)snprintf(class, sizeof(class), "large");
	else if (slot == SLOT_NONE)
		(void)snprintf(class, sizeof(class), "none");
	else if (slot == SLOT_UNKNOWN)
		(void)snprintf(class, sizeof(class), "any");
	else
		(void)snprintf(class, sizeof(class), "%zu", slot);
	tell("crime=%s ptr=%#zx class=%s text=%#zx-%#zx\n", kind, (size_t)ptr,
	     class, (size_t)__executable_start, (size_t)etext);
}

/* The thread descriptors' tables of the C library: 14 spare entries of 16
 * bytes and those of the libraries that have thread-local variables
 */
int slot_is_shared(size_t slot)
{
	return slot >= slot_of(17UL * 16) && slot <= slot_of(40UL * 16);
}

int is_mapped(const void *ptr)
{
	static int fds[2] = { -1, -1 };
	char byte;

	if (fds[0] < 0)
		EXPECT(!pipe2(fds, O_CLOEXEC));
	if (write(fds[1], ptr, 1) != 1)
		return 0;
	EXPECT(read(fds[0], &byte, 1) == 1);
	return 1;
}

static unsigned int category(const struct thing *t)
{
	unsigned int family = t->family == FAMILY_MALLOC ? WANT_MALLOC :
							   WANT_CXX;

	if (!t->sized || t->opaque || t->slot == SLOT_UNKNOWN)
		return 0;
	if (t->slot == SLOT_LARGE)
		return family | WANT_LARGE;
	return family | (t->o.size ? WANT_SLOT : WANT_EMPTY);
}

static int is_wanted(const struct thing *t, unsigned int want)
{
	unsigned int found = category(t);

	if (!(want & (WANT_MALLOC | WANT_CXX)))
		want |= WANT_MALLOC | WANT_CXX;
	return (found & want & WANT_ANY) && (found & want & ~WANT_ANY);
}

/* One of the places where a victim may be: in a slot twice as often as not */
static unsigned int pick_place(unsigned int want)
{
	static const unsigned int places[] = {
		WANT_SLOT, WANT_SLOT,  WANT_SLOT,  WANT_SLOT,  WANT_SLOT,
		WANT_SLOT, WANT_LARGE, WANT_LARGE, WANT_EMPTY,
	};
	unsigned int place;

	do {
		place = places[pick(sizeof(places) / sizeof(places[0]))];
	} while (!(place & want));
	return place;
}

static size_t victim_size(unsigned int place)
{
	if (place == WANT_EMPTY)
		return 0;
	if (place == WANT_LARGE)
		return history.slot_max + 1 + random_size(&history.random, 20);
	if (one_in(2))
		return 1 + random_size(&history.random, 10);
	return 1024 + pick(history.slot_max - 8 - 1024);
}

struct thing victim(unsigned int want)
{
	unsigned int i, at;
	struct form *form;
	size_t size;

	want = (want & ~WANT_ANY) | pick_place(want & WANT_ANY);
	if (history.live_cnt && one_in(2)) {
		at = (unsigned int)pick(history.live_cnt);
		for (i = 0; i < history.live_cnt; i++, at++) {
			at %= history.live_cnt;
			if (is_wanted(&history.live[at], want))
				return history_take(at);
		}
	}

	size = victim_size(want & WANT_ANY);
	do {
		form = &alloc_forms[pick(alloc_forms_cnt)];
	} while (form->flags & (FORM_ALIGNED | FORM_PAGED) ||
		 (want & WANT_MALLOC && form->family != FAMILY_MALLOC) ||
		 (want & WANT_CXX && form->family == FAMILY_MALLOC));
	EXPECT(is_wanted(history_alloc(pick_actor(), form, size), want));
	return history_take(history.live_cnt - 1);
}

void misuse(const void *ptr)
{
	struct call call = { .ptr = (void *)(uintptr_t)ptr,
			     .size = pick_size(),
			     .align = 1UL << pick(13) };
	size_t row = pick(free_forms_cnt + 4);

	if (row < free_forms_cnt)
		call.form = &free_forms[row];
	else if (row < free_forms_cnt + 2)
		call.form = &form_realloc;
	else
		call.form = &form_usable;
	call.size += !call.size;
	history_call(pick_actor(), &call);
}

void kill_thing(const struct thing *t)
{
	struct call call = { .form = &form_realloc, .ptr = t->o.ptr };
	enum actor actor = pick_actor();
	struct thing moved = *t;

	if (t->family != FAMILY_MALLOC || !one_in(3)) {
		history_free(t, actor);
		return;
	}

	/* To where it cannot stay */
	call.size = t->slot == SLOT_LARGE ? 1 + pick(1000) :
					    history.slot_max + pick(10000);
	history_call(actor, &call);
	EXPECT(call.ptr && call.ptr != t->o.ptr);
	history.frees++;
	moved.o.ptr = call.ptr;
	moved.o.size = call.size;
	moved.slot = SLOT_UNKNOWN;
	moved.owner = actor;
	object_fill(&moved.o, &history.random);
	history_put(&moved);
}

void go_on_in_child(void)
{
	int status = 0;
	pid_t pid;

	pid = fork();
	EXPECT(pid >= 0);
	if (!pid) {
		note("child %d\n", getpid());
		actor_child();
		return;
	}

	/* Ends as the child does */
	EXPECT(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status)) {
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)raise(WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

void interlude(void)
{
	size_t what = pick(8);

	if (what == 0)
		go_on_in_child();
	else if (what < 4)
		history_run_briefly();
}
