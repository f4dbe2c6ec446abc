/* SPDX-License-Identifier: BSD-3-Clause */
/* Copyright (c) 2026, The ukallocrnd Authors.
 * Licensed under the BSD-3-Clause License (the "License").
 * You may not use this file except in compliance with the License.
 */

#ifndef __UKALLOCRND_FAST_RESIZE_H__
#define __UKALLOCRND_FAST_RESIZE_H__

/* The fast path of realloc
 *
 * Why
 *   Programs that build strings and arrays piece by piece resize as often as
 *   they allocate.
 *
 * How
 *   An object of the calling CPU's own slots is tested like one that is freed.
 *   If the new size belongs to the same class it stays, and the canary moves.
 *   Otherwise a slot of the new class is drawn, the contents are copied, and
 *   the old slot is freed: all inside the state that was entered once, with
 *   what was found out about the old slot. Everything else, reports included,
 *   is left to rnd_realloc(), which starts from the beginning.
 */

#include <string.h>

#include <uk/arch/types.h>
#include <uk/essentials.h>

#include "fast.h"

/* Random bits that a draw and a step of the quarantine take */
#define RND_RESIZE_RANDOM_LEN (2 * sizeof(__u16))

/* Sets the requested size within the slot. Bytes of the old canary may now be
 * inside the object: they are cleared, because they are secrets
 */
static rnd_always_inline void rnd_resize_stay(struct rnd_pclass *pl,
					      const struct rnd_target *t,
					      void *ptr, __sz size,
					      enum rnd_kind kind)
{
	__sz req = t->len - t->slack;

	if (RND_OPT_CANARY && size > req)
		memset((char *)ptr + req, 0, size - req);
	rnd_slot_hand_out(pl, ptr, pl->states + t->n, t->len, size, kind,
			  RND_REACH_ALL);
}

/**
 * Resizes an object of malloc() in the calling CPU's own slabs.
 *
 * @param pc
 *   State of the calling CPU, not entered yet
 * @param ptr
 *   The object, or any pointer
 * @param size
 *   Requested bytes
 * @param caller
 *   For reports
 * @param[out] obj
 *   Where it is now
 *
 * @return
 *   1 if the object is resized; 0: nothing is done, take the slow path
 */
static rnd_always_inline __bool rnd_realloc_own(const struct rnd_heap *h,
						struct rnd_pcpu *pc, void *ptr,
						__sz size, __uptr caller,
						void **obj)
{
	__u32 sc = rnd_window_class(h->pm.window, ptr), new_sc;
	struct rnd_pclass *pl, *to;
	struct rnd_target t;

	if (unlikely(size - 1 >= RND_SMALL_MAX) ||
	    unlikely(!rnd_pcpu_enter(pc)))
		return 0;

	pl = rnd_pcpu_part(pc, sc);
	new_sc = rnd_sizeclass_of(size);
	if (unlikely(pc->rng.left < RND_RESIZE_RANDOM_LEN) ||
	    unlikely(!rnd_free_is_plain(pl, &pc->rng, ptr, RND_SIZE_UNKNOWN,
					RND_KIND_MALLOC, RND_REACH_ALL, &t)))
		goto leave;
	if (new_sc == sc) {
		rnd_resize_stay(pl, &t, ptr, size, RND_KIND_MALLOC);
		*obj = ptr;
		goto done;
	}

	to = rnd_pcpu_part(pc, new_sc);
	if (unlikely(!rnd_pclass_can_draw(to)))
		goto leave;
	if (unlikely(!rnd_malloc_draw(to, &pc->rng, size, 0, RND_KIND_MALLOC,
				      RND_REACH_ALL, obj))) {
		*obj = rnd_hand_out_bad(to, *obj, caller);
		return 1;
	}
	memcpy(*obj, ptr, MIN(size, t.len - t.slack));
	rnd_free_target(pl, &pc->rng, ptr, &t, RND_REACH_ALL);
done:
	rnd_pcpu_leave(pc);
	return 1;

leave:
	rnd_pcpu_leave(pc);
	return 0;
}

#endif /* __UKALLOCRND_FAST_RESIZE_H__ */
