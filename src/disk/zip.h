/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The records of a ZIP file (PKWARE APPNOTE 6.3.10): what stands before each file's
 * data, the central directory, and the end. Bytes in, values out.
 *
 *	local header, data, [descriptor]   for each file
 *	central header                     for each file
 *	[zip64 end, zip64 locator]  end
 */
#ifndef ISOWRITE_DISK_ZIP_H
#define ISOWRITE_DISK_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZIP_LOCAL_MAGIC 0x04034b50u
#define ZIP_DESCRIPTOR_MAGIC 0x08074b50u /* also at the start of a split file */
#define ZIP_CENTRAL_MAGIC 0x02014b50u
#define ZIP_END64_MAGIC 0x06064b50u
#define ZIP_LOCATOR64_MAGIC 0x07064b50u
#define ZIP_END_MAGIC 0x06054b50u

/* Sizes in bytes; the largest with all that may be appended. */
#define ZIP_LOCAL_MAX (30 + 2 * 65535)
#define ZIP_CENTRAL_MAX (46 + 3 * 65535)
#define ZIP_END_SIZE 22
#define ZIP_END_MAX (ZIP_END_SIZE + 65535)
#define ZIP_LOCATOR64_SIZE 20
#define ZIP_DESCRIPTOR_MAX 24

/* 4.4.4 */
#define ZIP_ENCRYPTED 0x0001
#define ZIP_HAS_DESCRIPTOR 0x0008
#define ZIP_STRONGLY_ENCRYPTED 0x0040
#define ZIP_MASKED 0x2000

/* 4.4.5 */
#define ZIP_STORED 0
#define ZIP_DEFLATED 8

/* A local or a central header. */
struct zip_header {
	size_t header_size; /* with all that is appended */
	uint16_t flags, method;
	uint32_t crc;
	uint64_t packed_size, size; /* in a local one 0 or wrong if ZIP_HAS_DESCRIPTOR */
	bool is_directory;

	/* Central only */
	bool is_special; /* by its mode neither a file nor a directory: a link, a device */
	uint32_t disk;
	uint64_t local_offset;
};

/* The end of the central directory, zip64 or not. */
struct zip_end {
	size_t record_size;          /* with all that is appended */
	uint32_t disk, central_disk; /* 0 unless it is split */
	uint64_t n_here, n_entries;
	uint64_t central_size, central_offset;
	bool has_zip64; /* some value needs the other record */
};

/* The four bytes that tell what comes; 0 if there are fewer. */
uint32_t zip_magic(const uint8_t *p, size_t len);

/* All: 1 valid; 0 it goes on behind len; -1 it is none. */
int zip_parse_local(const uint8_t *p, size_t len, struct zip_header *ret);
int zip_parse_central(const uint8_t *p, size_t len, struct zip_header *ret);
int zip_parse_end(const uint8_t *p, size_t len, struct zip_end *ret);
int zip_parse_end64(const uint8_t *p, size_t len, struct zip_end *ret);
int zip_parse_locator64(const uint8_t *p, size_t len, uint64_t *ret_end64_offset);

/*
 * The descriptor behind the data of a file that has these values: its magic may be
 * missing and its sizes may be of 4 or 8 bytes, which nothing announces. Its size, or 0
 * if no form of it holds these values.
 */
size_t zip_match_descriptor(const uint8_t *p, size_t len, uint32_t crc, uint64_t packed_size,
			    uint64_t size);

#endif
