/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The GUID partition table (UEFI 2.10 section 5.3): a header in a block of its
 * own, an array of entries anywhere. Bytes in, values out. All LBAs count
 * blocks of the medium, whose size the caller knows.
 */
#ifndef ISOWRITE_DISK_GPT_H
#define ISOWRITE_DISK_GPT_H

#include <stdbool.h>
#include <stdint.h>

#define GPT_HEADER_MIN_SIZE 92
#define GPT_ENTRY_MIN_SIZE 128
#define GPT_MAX_ARRAY (1U << 20) /* bytes; the usual array has 16 KiB */
#define GPT_NAME_SIZE 112 /* UTF-8 of 36 UTF-16 units, terminated */

/* Offsets of the header's fields that relocation changes. */
#define GPT_OFFSET_CRC 16
#define GPT_OFFSET_ALTERNATE_LBA 32
#define GPT_OFFSET_LAST_USABLE_LBA 48

struct gpt_header {
	uint32_t revision, header_size, crc;
	uint64_t my_lba, alternate_lba, first_usable_lba, last_usable_lba;
	uint8_t disk_guid[16];
	uint64_t entries_lba;
	uint32_t n_entries, entry_size, entries_crc;
};

struct gpt_entry {
	uint8_t type[16], guid[16]; /* as on disk; a zero type is an unused slot */
	uint64_t first_lba, last_lba; /* both inclusive */
	uint64_t attributes;
	char name[GPT_NAME_SIZE];
};

enum gpt_verdict {
	GPT_OK,
	GPT_NO_SIGNATURE,
	GPT_BAD_SIZE, /* header_size < 92 or > block, entry size not 128 * 2^n, array too large */
	GPT_BAD_CRC,
	GPT_BAD_LBA, /* MyLBA is another, the usable area is inside out, the array lies at LBA 0 */
};

/*
 * Decodes the header in block (block_size bytes), which lies at lba. ret is
 * filled unless the signature is missing, so that a damaged one can be shown.
 */
enum gpt_verdict gpt_decode_header(const uint8_t *block, uint32_t block_size, uint64_t lba,
				   struct gpt_header *ret);

/* A phrase for messages: "its checksum is wrong". */
const char *gpt_verdict_text(enum gpt_verdict verdict);

/*
 * Writes the fields of header into block and computes its CRC; other bytes of
 * the block stay. header_size must be valid. The crc member is ignored.
 */
void gpt_encode_header(uint8_t *block, const struct gpt_header *header);

/* Bytes of the entry array, or 0 when its sizes are not valid. */
uint32_t gpt_array_size(const struct gpt_header *header);

/* The CRC of the array at p, for entries_crc. */
uint32_t gpt_array_crc(const struct gpt_header *header, const uint8_t *p);

/* Blocks of the entry array. */
uint64_t gpt_array_blocks(const struct gpt_header *header, uint32_t block_size);

/* p: at least GPT_ENTRY_MIN_SIZE bytes. False for an unused slot (ret untouched). */
bool gpt_decode_entry(const uint8_t *p, struct gpt_entry *ret);

/* Writes the first 128 bytes of an entry; name is ASCII, cut to 36 characters. */
void gpt_encode_entry(uint8_t *p, const struct gpt_entry *entry);

/* "EFI system partition", "Linux data" ..., or NULL when the type is not a common one. */
const char *gpt_type_name(const uint8_t type[16]);

#endif
