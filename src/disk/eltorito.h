/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * El Torito 1.0: the boot record descriptor and the boot catalog, decoded
 * leniently, since firmware is lenient too; and encoded (eltorito-encode.c). Then
 * what boot images carry: the boot info table (isolinux, GRUB).
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
	uint32_t record;       /* index of its 32-byte record in the catalog */
	uint8_t platform;      /* of the validation entry or of its section */
	bool is_bootable;      /* 88h */
	uint8_t media;         /* bits 0-3: 0 none, 1 1.2M, 2 1.44M, 3 2.88M, 4 hard disk */
	uint16_t load_segment; /* 0 means 07C0 */
	uint8_t system_type;
	uint16_t sector_count;  /* virtual sectors */
	uint32_t lba;           /* of 2048-byte blocks */
	char id[29];            /* the validation's or section's id */
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
	uint32_t n_dropped;     /* entries beyond ELTORITO_MAX_ENTRIES */
	uint32_t n_unannounced; /* entries that no section header counts */
	uint32_t n_missing;     /* announced, but zero or something else */
};

struct eltorito_records;

/* The state between sectors of one catalog. */
struct eltorito_parser {
	struct eltorito_catalog *catalog;
	struct eltorito_records *records; /* or NULL: where every record goes as well */
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

/*
 * A catalog with all that stands in it, to be changed and written again. What the
 * format leaves to vendors (criteria, reserved bytes) is kept as it was stored.
 */
enum eltorito_kind { ELTORITO_BOOT, ELTORITO_SECTION, ELTORITO_EXTENSION };

struct eltorito_boot {
	bool is_bootable;
	uint8_t media; /* the whole byte: bit 5 an extension follows, 6 ATAPI, 7 SCSI driver */
	uint16_t load_segment;
	uint8_t system_type, unused;
	uint16_t sector_count;
	uint32_t lba;
	uint8_t selection_type, criteria[19];
};

struct eltorito_section {
	bool is_last; /* 91h */
	uint8_t platform;
	uint16_t n_entries;
	uint8_t id[28];
};

struct eltorito_extension {
	uint8_t flags; /* bit 5: another one follows */
	uint8_t criteria[30];
};

struct eltorito_record {
	enum eltorito_kind kind;
	union {
		struct eltorito_boot boot;
		struct eltorito_section section;
		struct eltorito_extension extension;
	};
};

#define ELTORITO_MAX_RECORDS (ELTORITO_MAX_SECTORS * ELTORITO_SECTOR / ELTORITO_RECORD - 1)

struct eltorito_records {
	uint8_t platform, reserved[2], id[24]; /* of the validation entry */
	uint32_t n;
	bool is_cut; /* there were more than ELTORITO_MAX_RECORDS */
	struct eltorito_record list[ELTORITO_MAX_RECORDS]; /* from the default entry on */
};

/* Why a catalog cannot be written again with nothing lost, or not be added to. */
enum eltorito_fault {
	ELTORITO_OK,
	ELTORITO_NO_CATALOG,
	ELTORITO_BAD_CHECKSUM,
	ELTORITO_NO_KEY,
	ELTORITO_BAD_INDICATOR,
	ELTORITO_TRAILING,
	ELTORITO_TOO_LONG,
	ELTORITO_NO_SECTION,
	ELTORITO_DEFAULT_RESERVED,
};

const char *eltorito_fault_text(enum eltorito_fault fault); /* a clause; "it" is the catalog */

/* Reads the catalog at buf; len, whole sectors, may be more than it has. */
enum eltorito_fault eltorito_read_records(const uint8_t *buf, size_t len,
					  struct eltorito_records *ret);

/* What eltorito_write_records() fills: whole sectors. */
size_t eltorito_records_size(const struct eltorito_records *records);

/* The catalog, its checksum computed; the rest of its last sector is zero. */
void eltorito_write_records(const struct eltorito_records *records, uint8_t *buf);

/*
 * Adds an entry where firmware finds it, and makes the section headers agree with what
 * follows them. BIOSes boot the default entry only, and some (SeaBIOS) only of a catalog for
 * their platform: an entry for platform 0 becomes the default one and that one goes to a
 * section of its own. Others get a section behind the last, or where it would be beyond
 * what EDK2 reads of a catalog on a stick (the first 512 bytes), the first one. records may
 * be empty (n == 0). They are unchanged unless ELTORITO_OK.
 */
enum eltorito_fault eltorito_add_boot(struct eltorito_records *records, uint8_t platform,
				      const struct eltorito_boot *boot);

/* A boot record descriptor. */
void eltorito_encode_boot_record(uint8_t sector[ELTORITO_SECTOR], uint32_t catalog_lba);

#define ELTORITO_CATALOG_LBA_OFFSET 0x47U /* in the boot record, le32 */

/* Bytes of the diskette that a media type emulates; 0 for none and hard disk. */
uint64_t eltorito_floppy_size(uint8_t media);

#define BOOT_INFO_OFFSET 8U
#define BOOT_INFO_END 64U /* the checksum covers what follows */

/* The table that mkisofs patches into isolinux.bin and GRUB's images. */
struct boot_info {
	uint32_t pvd_lba, file_lba, file_len, checksum;
};

void boot_info_decode(const uint8_t head[BOOT_INFO_END], struct boot_info *ret);

/* Writes the table's 16 bytes, and zeros behind them up to BOOT_INFO_END. */
void boot_info_encode(uint8_t head[BOOT_INFO_END], const struct boot_info *info);

/* Adds the sum of little-endian words; every call but the last gives a multiple of 4 bytes. */
uint32_t boot_info_add(uint32_t sum, const uint8_t *data, size_t len);

#endif
