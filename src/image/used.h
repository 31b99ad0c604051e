/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much of a stick is used: up to the end of the last partition, or of the
 * volume where there is no table. What lies behind it, nothing points to, the
 * backup GPT excepted, which belongs at the very end of a disk.
 *
 *   |MBR|GPT| partition 1 | free | partition 2 | .... free .... |backup GPT|
 *   0                                           end             size
 *
 * Where several things say something, the largest counts; it is better to
 * read too much.
 */
#ifndef ISOWRITE_IMAGE_USED_H
#define ISOWRITE_IMAGE_USED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/layout.h"
#include "image/source.h"

struct used {
	uint64_t end; /* bytes; at most the device's size */
	char by[96]; /* what ends there: "partition 2 of its GPT", "its ISO 9660 volume" */
	bool needs_backup_gpt; /* a valid one lies at the device's end, outside */
};

/*
 * lay: of the whole device, which is src (RANDOM). ERROR_IMAGE "used-unknown" when nothing says where the used part
 * ends, or what does is damaged, with the reason.
 */
int used_find(struct source *src, const struct layout *lay, struct used *ret,
	      struct error *err);

#endif
