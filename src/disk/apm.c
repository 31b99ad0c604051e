// SPDX-License-Identifier: GPL-3.0-or-later
/* The Apple partition map codec; see apm.h. */
#include "disk/apm.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

struct disk_descriptor {
	uint8_t signature[2]; /* "ER" */
	be16 block_size;
	be32 n_blocks;
};

struct disk_entry {
	uint8_t signature[2]; /* "PM" */
	be16 reserved;
	be32 n_map_entries;
	be32 start_block;
	be32 n_blocks;
	uint8_t name[32];
	uint8_t type[32];
};

static_assert(sizeof(struct disk_entry) == 80, "APM entry");

uint32_t apm_decode_descriptor(const uint8_t block[APM_BLOCK_MIN])
{
	struct disk_descriptor disk;
	uint32_t size;

	memcpy(&disk, block, sizeof(disk));
	size = be16_get(disk.block_size);
	if (disk.signature[0] != 'E' || disk.signature[1] != 'R' || !num_is_power_of_2(size) ||
	    size < 512 || size > 4096)
		return 0;
	return size;
}

bool apm_decode_entry(const uint8_t block[APM_BLOCK_MIN], struct apm_entry *ret)
{
	struct disk_entry disk;

	memcpy(&disk, block, sizeof(disk));
	if (disk.signature[0] != 'P' || disk.signature[1] != 'M')
		return false;
	ret->n_map_entries = be32_get(disk.n_map_entries);
	ret->start_block = be32_get(disk.start_block);
	ret->n_blocks = be32_get(disk.n_blocks);
	memcpy(ret->name, disk.name, sizeof(disk.name));
	ret->name[32] = '\0';
	memcpy(ret->type, disk.type, sizeof(disk.type));
	ret->type[32] = '\0';
	return true;
}

bool apm_type_is_free(const char *type)
{
	return strcmp(type, "Apple_Free") == 0 || strcmp(type, "Apple_Void") == 0;
}

void apm_encode_descriptor(uint8_t block[APM_BLOCK_MIN], uint32_t block_size, uint32_t n_blocks)
{
	struct disk_descriptor disk = {
		.signature = { 'E', 'R' },
		.block_size = be16_put((uint16_t)block_size),
		.n_blocks = be32_put(n_blocks),
	};

	memcpy(block, &disk, sizeof(disk));
}

void apm_encode_entry(uint8_t block[APM_BLOCK_MIN], const struct apm_entry *entry)
{
	struct disk_entry disk = {
		.signature = { 'P', 'M' },
		.n_map_entries = be32_put(entry->n_map_entries),
		.start_block = be32_put(entry->start_block),
		.n_blocks = be32_put(entry->n_blocks),
	};

	memcpy(disk.name, entry->name, strnlen(entry->name, sizeof(disk.name)));
	memcpy(disk.type, entry->type, strnlen(entry->type, sizeof(disk.type)));
	memcpy(block, &disk, sizeof(disk));
}
