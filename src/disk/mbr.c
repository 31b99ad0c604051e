// SPDX-License-Identifier: GPL-3.0-or-later
/* The master boot record codec; see mbr.h. */
#include "disk/mbr.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

#define HEADS 255
#define SECTORS 63

/* UEFI 2.10 table 5-1 and 5-2. */
struct disk_entry {
	uint8_t status;
	uint8_t chs_first[3];
	uint8_t type;
	uint8_t chs_last[3];
	le32 start_lba;
	le32 len_blocks;
};

struct disk_mbr {
	uint8_t code[MBR_CODE_SIZE];
	le32 disk_signature;
	uint8_t reserved[2];
	struct disk_entry entries[MBR_N_ENTRIES];
	uint8_t magic[2];
};

static_assert(sizeof(struct disk_entry) == MBR_ENTRY_SIZE, "MBR entry");
static_assert(offsetof(struct disk_entry, chs_last) == MBR_ENTRY_CHS_LAST, "MBR entry");
static_assert(offsetof(struct disk_entry, len_blocks) == MBR_ENTRY_LEN, "MBR entry");
static_assert(offsetof(struct disk_mbr, entries) == MBR_ENTRIES_OFFSET, "MBR entries");
static_assert(sizeof(struct disk_mbr) == MBR_SIZE, "MBR");

const uint8_t mbr_next_disk[MBR_NEXT_DISK_SIZE] = { 0xcd, 0x18, 0xf4, 0xeb, 0xfd };

bool mbr_is_next_disk(const uint8_t sector[MBR_SIZE])
{
	if (memcmp(sector, mbr_next_disk, MBR_NEXT_DISK_SIZE) != 0)
		return false;
	for (size_t i = MBR_NEXT_DISK_SIZE; i < MBR_CODE_SIZE; i++)
		if (sector[i])
			return false;
	return true;
}

bool mbr_decode(const uint8_t sector[MBR_SIZE], struct mbr *ret)
{
	struct disk_mbr disk;

	memcpy(&disk, sector, sizeof(disk));
	if (disk.magic[0] != 0x55 || disk.magic[1] != 0xaa)
		return false;
	ret->disk_signature = le32_get(disk.disk_signature);
	for (unsigned int i = 0; i < MBR_N_ENTRIES; i++) {
		const struct disk_entry *from = &disk.entries[i];
		struct mbr_entry *to = &ret->entries[i];

		to->status = from->status;
		memcpy(to->chs_first, from->chs_first, sizeof(to->chs_first));
		to->type = from->type;
		memcpy(to->chs_last, from->chs_last, sizeof(to->chs_last));
		to->start_lba = le32_get(from->start_lba);
		to->len_blocks = le32_get(from->len_blocks);
	}
	return true;
}

void mbr_encode_entry(uint8_t sector[MBR_SIZE], unsigned int index, const struct mbr_entry *entry)
{
	struct disk_entry disk = {
		.status = entry->status,
		.type = entry->type,
		.start_lba = le32_put(entry->start_lba),
		.len_blocks = le32_put(entry->len_blocks),
	};

	memcpy(disk.chs_first, entry->chs_first, sizeof(disk.chs_first));
	memcpy(disk.chs_last, entry->chs_last, sizeof(disk.chs_last));
	memcpy(sector + MBR_ENTRIES_OFFSET + index * MBR_ENTRY_SIZE, &disk, sizeof(disk));
}

void mbr_encode(uint8_t sector[MBR_SIZE], const struct mbr *mbr)
{
	le32 signature = le32_put(mbr->disk_signature);

	memcpy(sector + offsetof(struct disk_mbr, disk_signature), &signature, sizeof(signature));
	for (unsigned int i = 0; i < MBR_N_ENTRIES; i++)
		mbr_encode_entry(sector, i, &mbr->entries[i]);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

bool mbr_is_credible(const struct mbr *mbr)
{
	for (unsigned int i = 0; i < MBR_N_ENTRIES; i++)
		if (mbr->entries[i].status != 0 && mbr->entries[i].status != MBR_STATUS_ACTIVE)
			return false;
	return true;
}

bool mbr_type_is_extended(uint8_t type)
{
	return type == MBR_TYPE_EXTENDED || type == MBR_TYPE_EXTENDED_LBA ||
	       type == MBR_TYPE_EXTENDED_LINUX;
}

bool mbr_entry_is_used(const struct mbr_entry *entry)
{
	return entry->type != MBR_TYPE_EMPTY && entry->len_blocks > 0;
}

int mbr_find_protective(const struct mbr *mbr)
{
	for (int i = 0; i < MBR_N_ENTRIES; i++)
		if (mbr->entries[i].type == MBR_TYPE_PROTECTIVE && mbr->entries[i].start_lba == 1)
			return i;
	return -1;
}

void mbr_chs_from_lba(uint64_t lba, uint8_t ret_chs[3])
{
	uint64_t cylinder = lba / (HEADS * SECTORS);
	unsigned int head = (unsigned int)(lba / SECTORS % HEADS);
	unsigned int sector = (unsigned int)(lba % SECTORS) + 1;

	if (cylinder > 1023) {
		cylinder = 1023;
		head = HEADS - 1;
		sector = SECTORS;
	}
	ret_chs[0] = (uint8_t)head;
	ret_chs[1] = (uint8_t)(sector | (cylinder >> 8) << 6);
	ret_chs[2] = (uint8_t)cylinder;
}
