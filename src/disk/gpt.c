// SPDX-License-Identifier: GPL-3.0-or-later
/* The GUID partition table codec; see gpt.h. */
#include "disk/gpt.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/guid.h"
#include "base/num.h"
#include "base/utf16.h"

#define NAME_UNITS 36

/* UEFI 2.10 table 5-5. */
struct disk_header {
	uint8_t signature[8];
	le32 revision;
	le32 header_size;
	le32 crc;
	le32 reserved;
	le64 my_lba;
	le64 alternate_lba;
	le64 first_usable_lba;
	le64 last_usable_lba;
	uint8_t disk_guid[16];
	le64 entries_lba;
	le32 n_entries;
	le32 entry_size;
	le32 entries_crc;
};

/* UEFI 2.10 table 5-6. */
struct disk_entry {
	uint8_t type[16];
	uint8_t guid[16];
	le64 first_lba;
	le64 last_lba;
	le64 attributes;
	uint8_t name[2 * NAME_UNITS];
};

static_assert(sizeof(struct disk_header) == GPT_HEADER_MIN_SIZE, "GPT header");
static_assert(offsetof(struct disk_header, crc) == GPT_OFFSET_CRC, "GPT CRC");
static_assert(offsetof(struct disk_header, alternate_lba) == GPT_OFFSET_ALTERNATE_LBA, "GPT LBA");
static_assert(offsetof(struct disk_header, last_usable_lba) == GPT_OFFSET_LAST_USABLE_LBA,
	      "GPT last usable LBA");
static_assert(sizeof(struct disk_entry) == GPT_ENTRY_MIN_SIZE, "GPT entry");
static_assert(GPT_NAME_SIZE > 3 * NAME_UNITS, "GPT name");

static const char signature[8] = "EFI PART";

/* The CRC is computed with its own field zero (UEFI 2.10 5.3.2). */
static uint32_t header_crc(const uint8_t *block, uint32_t header_size)
{
	static const uint8_t zero[4];
	uint32_t crc = crc32_ieee(block, GPT_OFFSET_CRC);

	crc = crc32_ieee_more(crc, zero, sizeof(zero));
	return crc32_ieee_more(crc, block + GPT_OFFSET_CRC + sizeof(zero),
			       header_size - GPT_OFFSET_CRC - sizeof(zero));
}

static void from_disk(const struct disk_header *disk, struct gpt_header *ret)
{
	ret->revision = le32_get(disk->revision);
	ret->header_size = le32_get(disk->header_size);
	ret->crc = le32_get(disk->crc);
	ret->my_lba = le64_get(disk->my_lba);
	ret->alternate_lba = le64_get(disk->alternate_lba);
	ret->first_usable_lba = le64_get(disk->first_usable_lba);
	ret->last_usable_lba = le64_get(disk->last_usable_lba);
	memcpy(ret->disk_guid, disk->disk_guid, sizeof(ret->disk_guid));
	ret->entries_lba = le64_get(disk->entries_lba);
	ret->n_entries = le32_get(disk->n_entries);
	ret->entry_size = le32_get(disk->entry_size);
	ret->entries_crc = le32_get(disk->entries_crc);
}

enum gpt_verdict gpt_decode_header(const uint8_t *block, uint32_t block_size, uint64_t lba,
				   struct gpt_header *ret)
{
	struct disk_header disk;

	memcpy(&disk, block, sizeof(disk));
	if (memcmp(disk.signature, signature, sizeof(signature)) != 0)
		return GPT_NO_SIGNATURE;
	from_disk(&disk, ret);
	if (ret->header_size < GPT_HEADER_MIN_SIZE || ret->header_size > block_size ||
	    gpt_array_size(ret) == 0)
		return GPT_BAD_SIZE;
	if (ret->crc != header_crc(block, ret->header_size))
		return GPT_BAD_CRC;
	if (ret->my_lba != lba || ret->entries_lba == 0 ||
	    ret->first_usable_lba > ret->last_usable_lba)
		return GPT_BAD_LBA;
	return GPT_OK;
}

const char *gpt_verdict_text(enum gpt_verdict verdict)
{
	static const char *const texts[] = {
		[GPT_OK] = "it is valid",
		[GPT_NO_SIGNATURE] = "it has no signature",
		[GPT_BAD_SIZE] = "its sizes are not valid",
		[GPT_BAD_CRC] = "its checksum is wrong",
		[GPT_BAD_LBA] = "its block numbers contradict each other",
	};

	return texts[verdict];
}

void gpt_encode_header(uint8_t *block, const struct gpt_header *header)
{
	struct disk_header disk = {
		.revision = le32_put(header->revision),
		.header_size = le32_put(header->header_size),
		.my_lba = le64_put(header->my_lba),
		.alternate_lba = le64_put(header->alternate_lba),
		.first_usable_lba = le64_put(header->first_usable_lba),
		.last_usable_lba = le64_put(header->last_usable_lba),
		.entries_lba = le64_put(header->entries_lba),
		.n_entries = le32_put(header->n_entries),
		.entry_size = le32_put(header->entry_size),
		.entries_crc = le32_put(header->entries_crc),
	};
	le32 crc;

	memcpy(disk.signature, signature, sizeof(disk.signature));
	memcpy(disk.disk_guid, header->disk_guid, sizeof(disk.disk_guid));
	memcpy(block, &disk, sizeof(disk));
	crc = le32_put(header_crc(block, header->header_size));
	memcpy(block + GPT_OFFSET_CRC, &crc, sizeof(crc));
}

uint32_t gpt_array_size(const struct gpt_header *header)
{
	uint64_t size = (uint64_t)header->n_entries * header->entry_size;

	/* 128 * 2^n: UEFI 2.10 table 5-5, SizeOfPartitionEntry. */
	if (header->entry_size < GPT_ENTRY_MIN_SIZE || !num_is_power_of_2(header->entry_size) ||
	    size > GPT_MAX_ARRAY)
		return 0;
	return (uint32_t)size;
}

uint32_t gpt_array_crc(const struct gpt_header *header, const uint8_t *p)
{
	return crc32_ieee(p, gpt_array_size(header));
}

uint64_t gpt_array_blocks(const struct gpt_header *header, uint32_t block_size)
{
	return num_round_up(gpt_array_size(header), block_size) / block_size;
}

bool gpt_decode_entry(const uint8_t *p, struct gpt_entry *ret)
{
	struct disk_entry disk;

	memcpy(&disk, p, sizeof(disk));
	if (guid_is_zero(disk.type))
		return false;
	memcpy(ret->type, disk.type, sizeof(ret->type));
	memcpy(ret->guid, disk.guid, sizeof(ret->guid));
	ret->first_lba = le64_get(disk.first_lba);
	ret->last_lba = le64_get(disk.last_lba);
	ret->attributes = le64_get(disk.attributes);
	utf16_to_utf8(disk.name, NAME_UNITS, false, ret->name, sizeof(ret->name));
	return true;
}

void gpt_encode_entry(uint8_t *p, const struct gpt_entry *entry)
{
	struct disk_entry disk = {
		.first_lba = le64_put(entry->first_lba),
		.last_lba = le64_put(entry->last_lba),
		.attributes = le64_put(entry->attributes),
	};

	memcpy(disk.type, entry->type, sizeof(disk.type));
	memcpy(disk.guid, entry->guid, sizeof(disk.guid));
	for (size_t i = 0; i < NAME_UNITS && entry->name[i]; i++)
		disk.name[2 * i] = (uint8_t)entry->name[i];
	memcpy(p, &disk, sizeof(disk));
}

const char *gpt_type_name(const uint8_t type[16])
{
	static const struct {
		const char *guid, *name;
	} types[] = {
		{ "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EFI system partition" },
		{ "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", "Microsoft basic data" },
		{ "E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "Microsoft reserved" },
		{ "21686148-6449-6E6F-744E-656564454649", "BIOS boot partition" },
		{ "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux data" },
		{ "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap" },
		{ "48465300-0000-11AA-AA11-00306543ECAC", "Apple HFS+" },
		{ "7C3457EF-0000-11AA-AA11-00306543ECAC", "Apple APFS" },
	};
	char text[GUID_TEXT_SIZE];

	guid_format(type, text);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].guid, text))
			return types[i].name;
	return NULL;
}
