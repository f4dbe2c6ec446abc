/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __FAKE_PORT_H__
#define __FAKE_PORT_H__

/* port.h for unit tests: real memory, exact books, failures on demand
 *
 * Committed pages are mappings of the test's process; reserved pages are only
 * written down, so that they fault because nothing is there. The books know
 * every range: whoever commits what is not reserved, commits twice, decommits
 * what is not committed or releases what is not reserved fails the test in
 * that call. Entropy is a sequence that depends on the seed alone.
 *
 * A report cannot return, hence a test lets it happen in a child and gets the
 * text: fake_port_abort_text().
 *
 * Link it together with tests/unit/fake_assert.c.
 */

#include <uk/arch/types.h>

#include "port.h"

/* Functions of the port that can fail */
enum fake_call {
	FAKE_RESERVE,
	FAKE_COMMIT,
	FAKE_SEAL,
	FAKE_MOVE,
	FAKE_ANY, /* counts the calls of all of them */
	FAKE_CALL_COUNT
};

/** What tests may read at any time and, where marked (w), write */
struct fake_port {
	/** Bytes that are reserved, committed, sealed now */
	__sz reserved;
	__sz committed;
	__sz sealed;
	/** Calls so far, failed ones included */
	unsigned int calls[FAKE_CALL_COUNT];
	unsigned int decommits;
	unsigned int discards;
	__sz discarded;
	unsigned int releases;
	unsigned int moves;
	unsigned int entropy_calls;
	unsigned int fences;
	unsigned int yields;
	/** (w) rnd_port_va_range() */
	__uptr va_start;
	__uptr va_end;
	/** (w) rnd_port_available(), rnd_port_total() */
	__sz available;
	__sz total;
	/** (w) rnd_port_cpu_lease(): the index given to who has none */
	__u32 lease;
	/** (w) rnd_port_cpu_borrow(): index that nobody has; 0: none */
	__u32 unleased;
	/** (w) rnd_port_backed(): nothing was ever touched */
	__bool untouched;
	/** (w) rnd_port_move(): somebody else gets the old range */
	__bool move_loses;
	/** (w) rnd_port_cpu_thread(): thread of every index; 0: unknown */
	__u32 thread;
	/** (w) 1: what is to be reset is not the library's any more */
	__bool is_foreign;
	/** (w) Called by rnd_port_yield() */
	void (*on_yield)(void);
	/** (w) rnd_port_backtrace() */
	__uptr trace[40];
	__u32 trace_cnt;
	/** Printed since the last reset */
	char text[4096];
	__sz text_len;
};

extern struct fake_port fake_port;

/** Forgets everything, unmaps everything; the caller is CPU 0 again */
void fake_port_reset(__u64 seed);

/** The calling context has this CPU index from now on */
void fake_port_set_cpu(__u32 cpu);

/** Lets the n-th next call (from 1) fail with -ENOMEM, once; 0: none */
void fake_port_fail_at(enum fake_call call, unsigned int n);

/** Lets the n-th next call (from 1) and all later ones fail */
void fake_port_fail_from(enum fake_call call, unsigned int n);

/** Tells whether a failure asked for has not happened yet */
__bool fake_port_fail_pending(void);

/** Makes [addr, addr + len) somebody else's: reservations there exist */
void fake_port_occupy(__uptr addr, __sz len);

/** Tells whether all of [addr, addr + len) is in one reservation */
__bool fake_port_is_reserved(__uptr addr, __sz len);

/** Tells whether any page of [addr, addr + len) is reserved */
__bool fake_port_is_used(__uptr addr, __sz len);

/** Tells whether all of [addr, addr + len) is committed */
__bool fake_port_is_committed(__uptr addr, __sz len);

/** Tells whether any page of [addr, addr + len) is committed */
__bool fake_port_is_backed(__uptr addr, __sz len);

/** Asks the kernel whether a byte can be read, written */
__bool fake_port_can_read(const void *ptr);
__bool fake_port_can_write(void *ptr);

/**
 * Calls fn(arg) in a child, which has to end in rnd_port_abort().
 *
 * @return
 *   What it printed; valid until the next call
 */
const char *fake_port_abort_text(void (*fn)(void *arg), void *arg);

#endif /* __FAKE_PORT_H__ */
