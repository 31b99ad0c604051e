/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A RANDOM source over the bytes that a plan puts on its target, so that detection can
 * judge what will be there before anything is written. Kept bytes read as zeros.
 */
#ifndef ISOWRITE_PLAN_PLAN_SOURCE_H
#define ISOWRITE_PLAN_PLAN_SOURCE_H

#include <stddef.h>

#include "base/error.h"
#include "image/source.h"
#include "plan/plan.h"

/*
 * Borrows the plan, which must be closed, and the n sources that it names, all RANDOM. It
 * is an image of the target's size and sectors; whoever wants it judged as a device sets
 * is_block_device. Freed by source_free().
 */
int plan_source_new(const struct plan *plan, struct source *const *sources, size_t n,
		    struct source **ret, struct error *err);

#endif
