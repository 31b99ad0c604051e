/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mke2fs's door: an empty ext4 file system, made by mke2fs in a sparse file in
 * memory. What it wrote there, zeros included, becomes part of a plan: so that
 * nothing is written beside the plan, everything is read back, and the target
 * is never open to anybody else.
 */
#ifndef ISOWRITE_IO_MKE2FS_H
#define ISOWRITE_IO_MKE2FS_H

#include "base/error.h"
#include "plan/plan-format.h"

struct ext4 {
	struct format_content content; /* for format_make_plan() */
	uint8_t *data; /* all pieces, one behind the other */
	struct format_piece *pieces;
};

/* For a volume of FORMAT_EXT4. ERROR_LACKING "no-mke2fs" where it is not installed, or fails. */
int mke2fs_make(const struct format_volume *v, struct ext4 *ret, struct error *err);
void ext4_done(struct ext4 *fs);

#endif
