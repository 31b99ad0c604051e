/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a boot catalog as they lie on a disc, for eltorito.c and eltorito-encode.c. */
#ifndef ISOWRITE_DISK_ELTORITO_DISK_H
#define ISOWRITE_DISK_ELTORITO_DISK_H

#include <assert.h>

#include "base/bytes.h"
#include "disk/eltorito.h"

/* Section 2.1 */
struct validation_disk {
	uint8_t header_id; /* 01h */
	uint8_t platform;
	uint8_t reserved[2];
	char id[24];
	le16 checksum;
	uint8_t key[2];
};
static_assert(sizeof(struct validation_disk) == ELTORITO_RECORD, "El Torito 2.1");

/* Section 2.2 and 2.4 */
struct entry_disk {
	uint8_t indicator; /* 88h bootable, 00h not */
	uint8_t media;     /* bits 0-3; in sections bit 5: an extension follows */
	le16 load_segment;
	uint8_t system_type;
	uint8_t unused;
	le16 sector_count;
	le32 lba;
	uint8_t selection_type;
	uint8_t vendor[19];
};
static_assert(sizeof(struct entry_disk) == ELTORITO_RECORD, "El Torito 2.4");

/* Section 2.3 */
struct section_disk {
	uint8_t indicator; /* 90h more headers follow, 91h last */
	uint8_t platform;
	le16 n_entries;
	char id[28];
};
static_assert(sizeof(struct section_disk) == ELTORITO_RECORD, "El Torito 2.3");

#define HEADER_ID 0x01
#define ENTRY_BOOTABLE 0x88
#define SECTION_MORE 0x90
#define SECTION_LAST 0x91
#define EXTENSION 0x44
#define FLAG_EXTENSION 0x20

/* Section 2.0 */
#define BOOT_SYSTEM_ID "EL TORITO SPECIFICATION"

/* Puts a record of the catalog, after the validation entry, into its list. */
void eltorito_keep_record(struct eltorito_records *records, const uint8_t *record,
			  enum eltorito_kind kind);

#endif
