/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories of FAT12/16/32, far enough to find a UEFI boot loader by its
 * short name (EFI/BOOT/BOOTX64.EFI). Bytes in, values out; the caller reads.
 */
#ifndef ISOWRITE_DISK_FATDIR_H
#define ISOWRITE_DISK_FATDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FATDIR_ENTRY_SIZE 32U

/* Where things are; bytes from the volume's start. */
struct fatdir_volume {
	unsigned int bits; /* 12, 16 or 32 */
	uint32_t cluster_size; /* bytes */
	uint64_t fat_start, fat_len; /* the first FAT */
	uint64_t root_start, root_len; /* FAT12/16 */
	uint32_t root_cluster; /* FAT32 */
	uint64_t data_start; /* of cluster 2 */
	uint32_t n_clusters;
};

struct fatdir_entry {
	char name[12]; /* "BOOTX64 EFI": 8 + 3, blank-filled, terminated */
	bool is_directory;
	uint32_t cluster, size;
};

/* From a boot sector; false if it is not FAT12/16/32 with sane sizes. */
bool fatdir_decode(const uint8_t sector[512], struct fatdir_volume *ret);

/* The entry at p; false for a free one, a long name's piece or a label. *ret_is_end: no more. */
bool fatdir_decode_entry(const uint8_t p[FATDIR_ENTRY_SIZE], struct fatdir_entry *ret,
			 bool *ret_is_end);

/* Byte offset of a cluster's data, or 0 if there is no such cluster. */
uint64_t fatdir_cluster_offset(const struct fatdir_volume *v, uint32_t cluster);

/* Byte offset of the 4 bytes that hold a cluster's FAT entry (2 may lie beyond the FAT's end). */
uint64_t fatdir_link_offset(const struct fatdir_volume *v, uint32_t cluster);

/* The next cluster from those 4 bytes, or 0 at the chain's end. */
uint32_t fatdir_decode_link(const struct fatdir_volume *v, uint32_t cluster, const uint8_t p[4]);

#endif
