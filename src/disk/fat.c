// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Boot sectors of FAT (Microsoft FAT specification 2005, section 3), exFAT
 * (exFAT specification section 3.1) and NTFS; see fat.h.
 */
#include "disk/fat.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

struct disk_bpb {
	uint8_t jump[3];
	uint8_t oem[8];
	le16 sector_size;
	uint8_t cluster_sectors;
	le16 reserved_sectors;
	uint8_t n_fats;
	le16 n_root_entries;
	le16 sectors_16;
	uint8_t media;
	le16 fat_sectors_16;
	uint8_t geometry[4];
	le32 hidden_sectors;
	le32 sectors_32;
	le32 fat_sectors_32; /* FAT32; else the label lies from offset 43 on */
	le64 ntfs_sectors_minus_1; /* NTFS: sectors without the boot sector's copy behind them */
};

struct disk_exfat {
	uint8_t jump[3];
	uint8_t oem[8];
	uint8_t zero[53];
	le64 partition_offset;
	le64 n_sectors;
	uint8_t skipped[28];
	uint8_t sector_shift;
};

#define LABEL_OFFSET 43
#define LABEL_OFFSET_32 71
#define LABEL_SIZE 11

static_assert(offsetof(struct disk_bpb, sectors_32) == 32, "BPB");
static_assert(offsetof(struct disk_bpb, ntfs_sectors_minus_1) == 40, "NTFS");
static_assert(offsetof(struct disk_exfat, n_sectors) == 72, "exFAT");
static_assert(offsetof(struct disk_exfat, sector_shift) == 108, "exFAT");

static bool is_sector_size(uint32_t size)
{
	return num_is_power_of_2(size) && size >= 512 && size <= 4096;
}

static bool decode_exfat(const uint8_t *sector, struct fat_volume *ret)
{
	struct disk_exfat disk;

	memcpy(&disk, sector, sizeof(disk));
	for (size_t i = 0; i < sizeof(disk.zero); i++)
		if (disk.zero[i] != 0)
			return false;
	if (disk.sector_shift < 9 || disk.sector_shift > 12 ||
	    le64_get(disk.n_sectors) > UINT64_MAX >> disk.sector_shift ||
	    le64_get(disk.n_sectors) == 0)
		return false;
	ret->kind = FAT_EXFAT;
	ret->sector_size = 1U << disk.sector_shift;
	ret->size = le64_get(disk.n_sectors) << disk.sector_shift;
	ret->label[0] = '\0';
	return true;
}

static bool decode_ntfs(const struct disk_bpb *disk, struct fat_volume *ret)
{
	uint32_t sector_size = le16_get(disk->sector_size);
	uint64_t n = le64_get(disk->ntfs_sectors_minus_1);

	if (!is_sector_size(sector_size) || n == 0 || n >= UINT64_MAX / sector_size)
		return false;
	ret->kind = FAT_NTFS;
	ret->sector_size = sector_size;
	ret->size = (n + 1) * sector_size;
	ret->label[0] = '\0';
	return true;
}

static void copy_label(const uint8_t *sector, size_t off, char *label)
{
	size_t len = LABEL_SIZE;

	memcpy(label, sector + off, LABEL_SIZE);
	while (len > 0 && (label[len - 1] == ' ' || label[len - 1] == '\0'))
		len--;
	label[len] = '\0';
	if (!strcmp(label, "NO NAME"))
		label[0] = '\0';
}

static bool decode_fat(const uint8_t *sector, const struct disk_bpb *disk, struct fat_volume *ret)
{
	uint32_t sector_size = le16_get(disk->sector_size);
	uint64_t sectors = le16_get(disk->sectors_16), fat_sectors, system, clusters;

	/* Section 3.1: a jump, a legal media byte, powers of two; nothing looser, it is a guess. */
	if ((disk->jump[0] != 0xeb && disk->jump[0] != 0xe9) || !is_sector_size(sector_size) ||
	    !num_is_power_of_2(disk->cluster_sectors) || le16_get(disk->reserved_sectors) == 0 ||
	    disk->n_fats < 1 || disk->n_fats > 2 || (disk->media != 0xf0 && disk->media < 0xf8))
		return false;
	if (sectors == 0)
		sectors = le32_get(disk->sectors_32);
	fat_sectors = le16_get(disk->fat_sectors_16);
	if (fat_sectors == 0)
		fat_sectors = le32_get(disk->fat_sectors_32);
	system = le16_get(disk->reserved_sectors) + disk->n_fats * fat_sectors +
		 num_round_up(32U * le16_get(disk->n_root_entries), sector_size) / sector_size;
	if (fat_sectors == 0 || system >= sectors)
		return false;
	/* Section 3.5: the count of clusters alone decides the type. */
	clusters = (sectors - system) / disk->cluster_sectors;
	if (le16_get(disk->fat_sectors_16) == 0)
		ret->kind = FAT_32;
	else
		ret->kind = clusters < 4085 ? FAT_12 : FAT_16;
	ret->sector_size = sector_size;
	ret->size = sectors * sector_size;
	copy_label(sector, ret->kind == FAT_32 ? LABEL_OFFSET_32 : LABEL_OFFSET, ret->label);
	return true;
}

bool fat_decode(const uint8_t sector[FAT_BOOT_SECTOR_SIZE], struct fat_volume *ret)
{
	struct disk_bpb disk;

	memcpy(&disk, sector, sizeof(disk));
	if (!memcmp(disk.oem, "EXFAT   ", sizeof(disk.oem)))
		return decode_exfat(sector, ret);
	if (!memcmp(disk.oem, "NTFS    ", sizeof(disk.oem)))
		return decode_ntfs(&disk, ret);
	return decode_fat(sector, &disk, ret);
}

const char *fat_kind_name(enum fat_kind kind)
{
	static const char *const names[] = {
		[FAT_12] = "FAT12",     [FAT_16] = "FAT16", [FAT_32] = "FAT32",
		[FAT_EXFAT] = "exFAT", [FAT_NTFS] = "NTFS",
	};

	return names[kind];
}
