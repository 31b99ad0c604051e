/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Just enough of the boot sectors of FAT12/16/32, exFAT and NTFS to know that
 * one is there, and how large its volume says it is. Bytes in, values out.
 */
#ifndef ISOWRITE_DISK_FAT_H
#define ISOWRITE_DISK_FAT_H

#include <stdbool.h>
#include <stdint.h>

#define FAT_BOOT_SECTOR_SIZE 512

enum fat_kind { FAT_12, FAT_16, FAT_32, FAT_EXFAT, FAT_NTFS };

struct fat_volume {
	enum fat_kind kind;
	uint32_t sector_size; /* bytes: 512 ... 4096 */
	uint64_t size; /* bytes of the whole volume */
	char label[12]; /* FAT12/16/32: as in the boot sector, without trailing blanks */
};

/* False if the sector is none of them. */
bool fat_decode(const uint8_t sector[FAT_BOOT_SECTOR_SIZE], struct fat_volume *ret);

const char *fat_kind_name(enum fat_kind kind); /* "FAT12", "exFAT" ... */

#endif
