/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libblkid's door: which file systems, members and tables are on a device or file. */
#ifndef ISOWRITE_IO_BLKID_H
#define ISOWRITE_IO_BLKID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "io/device.h"

/*
 * Every signature on [off, off+len) of fd (len 0: to the end), hidden ones
 * included (nested GPT, backup GPT), appended to info->contents. fd must not
 * be O_DIRECT. Each of several contradicting signatures gets an entry of its
 * own, so what libblkid calls ambivalent is foreign if any of them is. Tables
 * are looked for at off 0 only.
 */
int blkid_probe_contents(int fd, uint64_t off, uint64_t len, const char *node,
			 struct device_info *info, struct error *err);

#define BLKID_TABLE_MAX 128

/* A partition table as libblkid reads it, logical partitions included. */
struct blkid_table {
	char type[16]; /* "dos", "gpt", "mac"; "" if there is none */
	char uuid[64];
	size_t n;
	bool is_cut; /* there are more than BLKID_TABLE_MAX */
	struct blkid_table_part {
		unsigned int number;
		uint64_t start, size; /* bytes, as the table says: not checked against the disk */
		char type[40]; /* "0xc", or a GUID in lower case */
		char name[112]; /* GPT: not escaped */
		char uuid[40];
		bool is_extended; /* holds the logical ones */
	} part[BLKID_TABLE_MAX];
};

/* sector_size 0: what the device says, 512 for files. */
int blkid_read_table(int fd, uint32_t sector_size, struct blkid_table *ret, struct error *err);

#endif
