/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Empty FAT16 and FAT32 volumes: a size to a layout, a layout to bytes.
 *
 *   0         reserved_sectors            data_offset       (FAT32: cluster 2)
 *   |boot ... |FAT |copy |root (FAT16)    |clusters ........................|
 *
 * The reserved sectors are as many as it takes to bring the clusters to the
 * alignment. Bytes not encoded here are zeros, up to the end of the root
 * directory; free clusters may hold anything.
 */
#ifndef ISOWRITE_DISK_FAT_FORMAT_H
#define ISOWRITE_DISK_FAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "disk/fat.h"

#define FAT_LABEL_SIZE 11
#define FAT_MAX_SECTOR 4096
#define FAT_MAX_BOOT_SECTORS 9 /* what fat_format_boot() writes, at most */

struct fat_format {
	enum fat_kind kind; /* FAT_16 or FAT_32 */
	uint32_t sector_size, cluster_size; /* bytes */
	uint64_t start; /* bytes: of the volume on the medium */
	uint32_t n_sectors, reserved_sectors, fat_sectors, n_clusters;

	/* The caller's. */
	uint32_t serial;
	char label[FAT_LABEL_SIZE + 1]; /* "": none */
	uint16_t date, time; /* of the label's entry */
};

/*
 * Lays out a volume of size bytes at start, whose clusters begin on a multiple
 * of align (which start is as well, and sectors divide). False if such a volume
 * cannot have that size: fewer clusters than FAT32 needs, more sectors than 32
 * bits count.
 */
bool fat_format_layout(struct fat_format *ret, enum fat_kind kind, uint32_t sector_size,
		       uint64_t start, uint64_t size, uint64_t align);

/* Bytes from the volume's start. */
uint64_t fat_format_fat_offset(const struct fat_format *f, unsigned int index); /* 0 or 1 */
uint64_t fat_format_root_offset(const struct fat_format *f);
uint64_t fat_format_root_size(const struct fat_format *f);

/*
 * The first sectors of the volume, at most FAT_MAX_BOOT_SECTORS of them, into
 * buf, zeroed before. Returns their bytes.
 */
size_t fat_format_boot(const struct fat_format *f, uint8_t *buf);

/* The first bytes of each FAT, at most 12; the rest is zero. Returns how many. */
size_t fat_format_fat_head(const struct fat_format *f, uint8_t buf[12]);

/* The root directory's one entry, the label: 32 bytes, or 0 without one. */
size_t fat_format_root_head(const struct fat_format *f, uint8_t buf[32]);

/* When the label was given; years that FAT cannot have become 1980. */
void fat_format_set_time(struct fat_format *f, const struct tm *tm);

#endif
