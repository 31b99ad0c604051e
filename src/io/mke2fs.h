/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mke2fs's door: an empty ext4 file system, made by mke2fs in a sparse file in
 * memory. What it wrote there, zeros included, becomes part of a plan: so that
 * nothing is written beside the plan, everything is read back, and the target
 * is never open to anybody else.
 */
#ifndef ISOWRITE_IO_MKE2FS_H
#define ISOWRITE_IO_MKE2FS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "plan/plan.h"

struct ext4_request {
	uint64_t size; /* bytes */
	const char *label, *uuid; /* label "": none */
	time_t time; /* of its making */
};

struct ext4 {
	struct plan_piece *pieces; /* what mke2fs wrote, ascending */
	size_t n_pieces;
	uint8_t *data; /* theirs */
};

/* ERROR_LACKING "no-mke2fs" where it is not installed; "mke2fs-failed" with its words. */
int mke2fs_make(const struct ext4_request *req, struct ext4 *ret, struct error *err);
void ext4_done(struct ext4 *fs);

#endif
