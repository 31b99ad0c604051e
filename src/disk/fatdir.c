// SPDX-License-Identifier: GPL-3.0-or-later
/* FAT directories; see fatdir.h. Offsets are those of Microsoft's FAT specification 1.03. */
#include "disk/fatdir.h"

#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

#define ATTRIBUTE_LABEL 0x08
#define ATTRIBUTE_DIRECTORY 0x10
#define ATTRIBUTE_LONG_NAME 0x0f
#define FREE_ENTRY 0xe5

bool fatdir_decode(const uint8_t sector[512], struct fatdir_volume *ret)
{
	uint32_t sector_size = le16_at(sector + 11), cluster_sectors = sector[13];
	uint32_t reserved = le16_at(sector + 14), n_fats = sector[16];
	uint32_t n_root = le16_at(sector + 17), total = le16_at(sector + 19);
	uint32_t fat_sectors = le16_at(sector + 22);
	uint64_t data_sectors, meta;

	if (sector_size < 512 || sector_size > 4096 || !num_is_power_of_2(sector_size) ||
	    !num_is_power_of_2(cluster_sectors) || reserved == 0 || n_fats == 0 || n_fats > 2)
		return false;
	if (total == 0)
		total = le32_at(sector + 32);
	if (fat_sectors == 0)
		fat_sectors = le32_at(sector + 36);
	memset(ret, 0, sizeof(*ret));
	ret->cluster_size = cluster_sectors * sector_size;
	ret->fat_start = (uint64_t)reserved * sector_size;
	ret->fat_len = (uint64_t)fat_sectors * sector_size;
	ret->root_start = ret->fat_start + n_fats * ret->fat_len;
	ret->root_len = num_round_up((uint64_t)n_root * FATDIR_ENTRY_SIZE, sector_size);
	ret->data_start = ret->root_start + ret->root_len;
	meta = ret->data_start / sector_size;
	if (fat_sectors == 0 || total <= meta)
		return false;
	data_sectors = total - meta;
	ret->n_clusters = (uint32_t)(data_sectors / cluster_sectors);
	/* The count of clusters alone decides the type. */
	ret->bits = ret->n_clusters < 4085 ? 12 : ret->n_clusters < 65525 ? 16 : 32;
	if (n_root == 0) {
		ret->bits = 32;
		ret->root_cluster = le32_at(sector + 44);
	}
	return true;
}

bool fatdir_decode_entry(const uint8_t p[FATDIR_ENTRY_SIZE], struct fatdir_entry *ret,
			 bool *ret_is_end)
{
	*ret_is_end = p[0] == 0;
	if (p[0] == 0 || p[0] == FREE_ENTRY ||
	    (p[11] & ATTRIBUTE_LONG_NAME) == ATTRIBUTE_LONG_NAME || (p[11] & ATTRIBUTE_LABEL))
		return false;
	memcpy(ret->name, p, 11);
	ret->name[11] = '\0';
	ret->is_directory = p[11] & ATTRIBUTE_DIRECTORY;
	ret->cluster = (uint32_t)le16_at(p + 20) << 16 | le16_at(p + 26);
	ret->size = le32_at(p + 28);
	return true;
}

uint64_t fatdir_cluster_offset(const struct fatdir_volume *v, uint32_t cluster)
{
	if (cluster < 2 || cluster - 2 >= v->n_clusters)
		return 0;
	return v->data_start + (uint64_t)(cluster - 2) * v->cluster_size;
}

uint64_t fatdir_link_offset(const struct fatdir_volume *v, uint32_t cluster)
{
	return v->fat_start + (uint64_t)cluster * v->bits / 8;
}

uint32_t fatdir_decode_link(const struct fatdir_volume *v, uint32_t cluster, const uint8_t p[4])
{
	uint32_t next = le32_at(p), end;

	if (v->bits == 12) {
		/* One and a half bytes each: odd clusters use the upper three nibbles. */
		next = (cluster % 2 ? next >> 4 : next) & 0xfff;
		end = 0xff7;
	} else if (v->bits == 16) {
		next &= 0xffff;
		end = 0xfff7;
	} else {
		next &= 0x0fffffff;
		end = 0x0ffffff7;
	}
	return next < 2 || next >= end ? 0 : next;
}
