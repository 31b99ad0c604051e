/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The volume descriptors of one ISO 9660 session, read once for detection and for the tree. */
#ifndef ISOWRITE_IMAGE_SESSION_H
#define ISOWRITE_IMAGE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/iso9660.h"
#include "image/source.h"

struct session {
	struct iso_volume primary, joliet;
	bool has_joliet, has_boot_record, is_terminated;
	uint32_t catalog_lba; /* of El Torito, if has_boot_record */
	uint64_t bytes_read;
};

#define SESSION_FIRST_READ (4U * ISO_SECTOR) /* bytes read at most where there is none */

/*
 * Reads descriptors from lba (of 2048-byte sectors) to the terminator, at most
 * ISO_MAX_DESCRIPTORS. 1 and *ret if there is a primary one, 0 if not, -1 I/O
 * error.
 */
int session_read(struct source *src, uint32_t lba, struct session *ret, struct error *err);

#endif
