/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ISO 9660 (ECMA-119): volume descriptors and directory records, decoded from
 * bytes that the caller read. Nothing here trusts a length that it was given
 * by the image.
 *
 *   LBA 0..15   system area (MBR, GPT, boot code; not ISO 9660's business)
 *   LBA 16..    volume descriptors, one a 2048-byte sector, until type 255
 */
#ifndef ISOWRITE_DISK_ISO9660_H
#define ISOWRITE_DISK_ISO9660_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISO_SECTOR 2048U
#define ISO_SYSTEM_AREA (16U * ISO_SECTOR)
#define ISO_MAX_DESCRIPTORS 64U /* more are not read */

enum iso_descriptor {
	ISO_BOOT_RECORD = 0,
	ISO_PRIMARY = 1,
	ISO_SUPPLEMENTARY = 2,
	ISO_PARTITION = 3,
	ISO_TERMINATOR = 255,
};

/* ECMA-119 9.1: one directory record. Pointers go into the caller's buffer. */
struct iso_record {
	uint32_t extent_lba; /* in the volume's blocks, the attribute record skipped */
	uint32_t len; /* bytes of this extent */
	bool is_directory;
	bool has_more; /* the file goes on in the next record */
	const uint8_t *name;
	size_t name_len;
	const uint8_t *system_use; /* Rock Ridge lives here */
	size_t system_use_len;
};

/* A primary or supplementary descriptor; strings as stored, without trailing blanks. */
struct iso_volume {
	bool is_joliet;
	char system[33], id[33 * 3], publisher[129 * 3], application[129 * 3];
	char created[32], modified[32]; /* RFC 3339, "" if not recorded */
	uint32_t n_blocks; /* volume space size */
	uint32_t block_size; /* 512, 1024 or 2048; 2048 where the field is damaged */
	bool has_odd_block_size; /* it was damaged */
	bool halves_differ; /* the big-endian volume space size is another one */
	uint32_t root_lba, root_len; /* the root directory's extent */
	bool has_media_check; /* implantisomd5 left a digest of the image in it */
};

/* Does the sector hold a volume descriptor, and of which type? */
bool iso9660_is_descriptor(const uint8_t sector[ISO_SECTOR], uint8_t *ret_type);

/* Decodes a primary or supplementary descriptor. */
void iso9660_decode_volume(const uint8_t sector[ISO_SECTOR], struct iso_volume *ret);

/*
 * The record at *pos in a piece of a directory that begins on a sector
 * boundary; moves *pos behind it (at least one byte). False at the piece's end
 * or at a malformed record. Records do not cross sectors; the zeros that fill
 * a sector are skipped (ECMA-119 6.8.1.1).
 */
bool iso9660_next_record(const uint8_t *buf, size_t len, size_t *pos, struct iso_record *ret);

/* "." and "..", which every directory begins with. */
bool iso9660_is_dot(const struct iso_record *rec);

/* "README.TXT;1" -> "README.TXT", "A.;1" -> "A". Returns the length. */
size_t iso9660_plain_name(const struct iso_record *rec, char *out, size_t out_size);

/* ECMA-119 8.4.26.1: 17 bytes, to RFC 3339; "" if not recorded or not a date. */
void iso9660_decode_date(const uint8_t date[17], char out[32]);

#endif
