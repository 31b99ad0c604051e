/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * El Torito 1.0: the boot record descriptor and the boot catalog, decoded
 * leniently, since firmware is lenient too. Then what boot images carry: the
 * boot info table (isolinux, GRUB).
 *
 *   catalog record 0  validation: platform, id, checksum, 55 AA
 *                  1  initial/default entry
 *                  2. section header 90h (more follow) or 91h (last), its
 *                     entries, each with any number of extensions 44h
 */
#ifndef ISOWRITE_DISK_ELTORITO_H
#define ISOWRITE_DISK_ELTORITO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELTORITO_SECTOR 2048U
#define ELTORITO_RECORD 32U
#define ELTORITO_VIRTUAL_SECTOR 512U /* what sector counts count */
#define ELTORITO_MAX_ENTRIES 64U
#define ELTORITO_MAX_SECTORS 32U /* of catalog that a caller should read */

struct eltorito_entry {
	uint32_t record; /* index of its 32-byte record in the catalog */
	uint8_t platform; /* of the validation entry or of its section */
	bool is_bootable; /* 88h */
	uint8_t media; /* bits 0-3: 0 none, 1 1.2M, 2 1.44M, 3 2.88M, 4 hard disk */
	uint16_t load_segment; /* 0 means 07C0 */
	uint8_t system_type;
	uint16_t sector_count; /* virtual sectors */
	uint32_t lba; /* of 2048-byte blocks */
	char id[29]; /* the validation's or section's id */
	uint8_t selection_type; /* 0 none, 1 language and version */
	uint32_t n_extensions;
};

struct eltorito_catalog {
	bool checksum_valid;
	bool has_key; /* 55 AA */
	uint8_t platform;
	char id[25];
	uint32_t n_entries;
	struct eltorito_entry entries[ELTORITO_MAX_ENTRIES];
	uint32_t n_dropped; /* entries beyond ELTORITO_MAX_ENTRIES */
	uint32_t n_unannounced; /* entries that no section header counts */
	uint32_t n_missing; /* announced, but zero or something else */
};

/* The state between sectors of one catalog. */
struct eltorito_parser {
	struct eltorito_catalog *catalog;
	uint32_t record;
	uint32_t left; /* entries that the section header still announces */
	uint8_t platform;
	char id[29];
	bool is_last, in_extension;
};

/* Is the sector a boot record descriptor of El Torito? Then where the catalog is. */
bool eltorito_decode_boot_record(const uint8_t sector[ELTORITO_SECTOR], uint32_t *ret_catalog_lba);

/* Starts a catalog; false if the sector does not begin with a validation entry (01h). */
bool eltorito_begin(struct eltorito_parser *p, struct eltorito_catalog *catalog,
		    const uint8_t sector[ELTORITO_SECTOR]);

/* Parses the next sector (the first one too): true if the catalog goes on behind it. */
bool eltorito_parse_sector(struct eltorito_parser *p, const uint8_t sector[ELTORITO_SECTOR]);

/* Bytes of the diskette that a media type emulates; 0 for none and hard disk. */
uint64_t eltorito_floppy_size(uint8_t media);

#define BOOT_INFO_OFFSET 8U
#define BOOT_INFO_END 64U /* the checksum covers what follows */

/* The table that mkisofs patches into isolinux.bin and GRUB's images. */
struct boot_info {
	uint32_t pvd_lba, file_lba, file_len, checksum;
};

void boot_info_decode(const uint8_t head[BOOT_INFO_END], struct boot_info *ret);

/* Adds the sum of little-endian words; every call but the last gives a multiple of 4 bytes. */
uint32_t boot_info_add(uint32_t sum, const uint8_t *data, size_t len);

#endif
