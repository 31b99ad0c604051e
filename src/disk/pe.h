/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * UEFI programs: PE/COFF images (Microsoft's PE specification), PE32 and PE32+, as far as Secure
 * Boot looks at them: sections, the table of signatures, and the bytes that a signature covers
 * (Authenticode 1.0, "Calculating the PE Image Hash"). Bytes in, values out; the caller reads.
 */
#ifndef ISOWRITE_DISK_PE_H
#define ISOWRITE_DISK_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PE_HEAD_SIZE 8192U /* bytes of a file's start that hold its headers */
#define PE_MAX_SECTIONS 96U
#define PE_MAX_RANGES (PE_MAX_SECTIONS + 4U)

struct pe_section {
	char name[9]; /* not escaped */
	uint32_t offset, size; /* bytes in the file */
	uint32_t memory_size; /* the data may end before the file's bytes do; 0: not known */
};

struct pe {
	uint16_t machine; /* 8664h x64, 14Ch ia32, AA64h ... */
	bool is_64; /* PE32+ */
	uint32_t headers_size;
	uint32_t checksum_offset; /* of the 4 bytes that no signature covers */
	uint32_t directory_offset; /* of the 8 bytes that point to the signatures; 0: not there */
	uint32_t signatures_offset, signatures_size; /* size 0: unsigned */
	uint32_t n_sections;
	struct pe_section sections[PE_MAX_SECTIONS];
};

struct pe_range {
	uint64_t start, len;
};

struct pe_signature {
	uint16_t revision, type; /* PE_PKCS7 ... */
	const uint8_t *data; /* what the type says, in the table that was parsed */
	size_t len;
};

#define PE_PKCS7 0x0002 /* WIN_CERT_TYPE_PKCS_SIGNED_DATA, the one that firmware takes */

/*
 * From the first len bytes (PE_HEAD_SIZE, or the whole of a smaller file) of a file of file_size
 * bytes. NULL, or what is wrong with it: "it is not a UEFI program" ..., a clause.
 */
const char *pe_decode(const uint8_t *head, size_t len, uint64_t file_size, struct pe *ret);

/* The section of that name, or NULL. */
const struct pe_section *pe_find_section(const struct pe *pe, const char *name);

/* What a signature covers, in the order of hashing; returns the number of ranges. */
size_t pe_hash_ranges(const struct pe *pe, uint64_t file_size, struct pe_range ret[PE_MAX_RANGES]);

/*
 * The next signature in the table, whose bytes the caller has read; *pos is 0 at first. False at
 * its end; *ret_is_damaged: it does not end where it should, which firmware takes amiss.
 */
bool pe_next_signature(const uint8_t *table, size_t len, size_t *pos, struct pe_signature *ret,
		       bool *ret_is_damaged);

#endif
