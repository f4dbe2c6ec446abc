/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __STANDIN_UK_EVENT_H__
#define __STANDIN_UK_EVENT_H__

/* Stands for include/uk/event.h of Unikraft: a handler is a pointer in a
 * section that is sorted by name, the event is in front of them and knows
 * their end.
 */

#include <uk/essentials.h>
#include <uk/prio.h>

#define UK_EVENT_NOT_HANDLED  0
#define UK_EVENT_HANDLED      1
#define UK_EVENT_HANDLED_CONT 2

typedef int (*uk_event_handler_t)(void *data);

struct uk_event {
	const uk_event_handler_t *hlist_end;
};

/* Arguments are macros themselves */
#define STANDIN_EVENT(event) uk_event_##event
#define STANDIN_HANDLER(event, fn, prio)                                       \
	static const uk_event_handler_t __used __section(".uk_event_" #event   \
							 "~" #prio)            \
		_uk_event_##event##_##prio##_##fn = fn

#define _UK_EVT_IMPORT_EVENT(event) extern struct uk_event STANDIN_EVENT(event)

#define UK_EVENT_PTR(event) (&STANDIN_EVENT(event))

#define UK_EVENT_HANDLER_PRIO(event, fn, prio) STANDIN_HANDLER(event, fn, prio)

#define UK_EVENT_HANDLER(event, fn)                                            \
	UK_EVENT_HANDLER_PRIO(event, fn, UK_PRIO_LATEST)

#define uk_event_handler_foreach(it, event)                                    \
	for ((it) = (const uk_event_handler_t *)&(event)[1];                   \
	     (it) < (event)->hlist_end; (it)++)

#endif /* __STANDIN_UK_EVENT_H__ */
