/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The root directory of a disc, moved to another place: to it point the primary descriptor,
 * the first entry of each path table, its own first two records, and the second record of
 * each directory in it (ECMA-119 sections 6.8.2.2, 8.4.18, 9.4). All of them are checked
 * first: one that points elsewhere, and nothing is moved.
 */
#ifndef ISOWRITE_PLAN_MOVE_ROOT_H
#define ISOWRITE_PLAN_MOVE_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/iso9660.h"
#include "image/source.h"
#include "plan/plan.h"

/*
 * 1: it can be moved, and has *ret_len bytes, whole blocks; 0: it cannot, or does not begin at
 * block lba; -1.
 */
int move_root_examine(struct source *src, const uint8_t pvd[ISO_SECTOR], uint32_t lba,
		      uint32_t *ret_len, struct error *err);

/* Its bytes for the new place. */
int move_root_copy(struct source *src, uint32_t lba, uint32_t len, uint32_t new_lba, uint8_t *buf,
		   struct error *err);

/* Everything else that points to it, over the plan of the disc. */
int move_root_apply(struct plan *plan, struct source *src, const uint8_t pvd[ISO_SECTOR],
		    uint32_t new_lba, struct error *err);

#endif
