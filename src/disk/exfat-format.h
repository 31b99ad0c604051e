/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Empty exFAT volumes: a size to a layout, a layout to bytes.
 *
 *   0           12           24     fat_offset   heap_offset  (cluster 2)
 *   |boot region|its backup  | ...  |FAT ....    |bitmap |up-case |root |free ...
 *    (12 sectors each)
 *
 * Bytes not encoded here are zeros, up to the end of the root directory's
 * cluster; free clusters may hold anything.
 */
#ifndef ISOWRITE_DISK_EXFAT_FORMAT_H
#define ISOWRITE_DISK_EXFAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXFAT_LABEL_UNITS 11
#define EXFAT_BOOT_SECTORS 12
#define EXFAT_UPCASE_MAX 8192 /* bytes: the compressed table has 5836 */

struct exfat_format {
	uint32_t sector_size, cluster_size; /* bytes */
	uint64_t start; /* bytes: of the volume on the medium */
	uint64_t n_sectors;
	uint32_t fat_offset, fat_sectors, heap_offset; /* sectors */
	uint32_t n_clusters;
	uint32_t bitmap_cluster, upcase_cluster, root_cluster; /* each run ends at the next */
	uint32_t upcase_size;

	/* The caller's. */
	uint32_t serial;
	uint16_t label[EXFAT_LABEL_UNITS];
	uint8_t label_len; /* units */
};

/*
 * Lays out a volume of size bytes at start, whose clusters begin on a multiple
 * of align (which start is as well, and sectors divide). False if it is too small.
 */
bool exfat_format_layout(struct exfat_format *ret, uint32_t sector_size, uint64_t start,
			 uint64_t size, uint64_t align);

/* Bytes from the volume's start. */
uint64_t exfat_format_fat_offset(const struct exfat_format *f);
uint64_t exfat_format_cluster_offset(const struct exfat_format *f, uint32_t cluster);

/* The boot region, to be written twice: EXFAT_BOOT_SECTORS sectors into buf. Returns its bytes. */
size_t exfat_format_boot(const struct exfat_format *f, uint8_t *buf);

/* The FAT up to the root directory's entry: bytes, and these bytes into buf. */
size_t exfat_format_fat_size(const struct exfat_format *f);
void exfat_format_fat(const struct exfat_format *f, uint8_t *buf);

/* The same of the allocation bitmap, up to its last one. */
size_t exfat_format_bitmap_size(const struct exfat_format *f);
void exfat_format_bitmap(const struct exfat_format *f, uint8_t *buf);

/* Into buf of EXFAT_UPCASE_MAX bytes; returns how many (f->upcase_size). */
size_t exfat_format_upcase(uint8_t *buf);

/* The root directory's entries into buf, 96 bytes at most. Returns how many. */
size_t exfat_format_root(const struct exfat_format *f, uint8_t *buf);

/* exfat-upcase.c: what a character of the basic plane is in capitals, as the table has it. */
uint16_t exfat_upcase(uint16_t c);

#endif
