/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rock Ridge (RRIP 1.12) over SUSP (IEEE P1281): the names of files, and where
 * deep directories were moved to. Entries lie in a directory record's system
 * use field and go on in continuation areas, which the caller reads, a bounded
 * number of them: an area may point at itself.
 */
#ifndef ISOWRITE_DISK_ROCKRIDGE_H
#define ISOWRITE_DISK_ROCKRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROCKRIDGE_NAME_MAX 255
#define ROCKRIDGE_MAX_AREAS 16 /* continuation areas that a caller should follow */

struct rockridge {
	char name[ROCKRIDGE_NAME_MAX + 1];
	size_t name_len; /* 0: no NM entry */
	bool is_name_done; /* its last piece was seen */
	bool is_moved; /* RE: shown elsewhere, skip the record */
	bool has_child; /* CL: a directory in the place of this record */
	uint32_t child_lba;
	bool has_more; /* CE: entries go on there */
	uint32_t more_lba, more_offset, more_len; /* block of the volume, bytes */
	bool is_ended; /* ST */
};

/* SP in the "." record of the root directory: 1 and the bytes to skip in every field. */
bool rockridge_find_sp(const uint8_t *area, size_t len, uint8_t *ret_skip);

/* Zeroes rr, then adds the entries of one area; call add alone for continuations. */
void rockridge_init(struct rockridge *rr);
void rockridge_add(struct rockridge *rr, const uint8_t *area, size_t len);

#endif
