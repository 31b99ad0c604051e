/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libblkid's door: which file systems, members and tables are on a device or file. */
#ifndef ISOWRITE_IO_BLKID_H
#define ISOWRITE_IO_BLKID_H

#include <stdint.h>

#include "base/error.h"
#include "io/device.h"

/*
 * Every signature on [off, off+len) of fd (len 0: to the end), hidden ones
 * included (nested GPT, backup GPT), appended to info->contents. fd must not
 * be O_DIRECT. Ambivalent probing counts as foreign, never as empty.
 */
int blkid_probe_contents(int fd, uint64_t off, uint64_t len, const char *node,
			 struct device_info *info, struct error *err);

#endif
