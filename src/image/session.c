// SPDX-License-Identifier: GPL-3.0-or-later
/* The volume descriptors of a session; see session.h. ECMA-119 6.7.1. */
#include "image/session.h"

#include <string.h>

#include "base/num.h"
#include "disk/eltorito.h"

#define SECTORS_PER_READ (SESSION_FIRST_READ / ISO_SECTOR) /* what most images have */

struct scan {
	struct session session;
	bool has_primary;
};

/* One descriptor; false ends the sequence. */
static bool add_descriptor(struct scan *scan, const uint8_t *sector)
{
	struct session *s = &scan->session;
	struct iso_volume volume;
	uint32_t catalog_lba;
	uint8_t type;

	if (!iso9660_is_descriptor(sector, &type))
		return false;
	switch (type) {
	case ISO_PRIMARY:
		if (!scan->has_primary)
			iso9660_decode_volume(sector, &s->primary);
		scan->has_primary = true;
		return true;
	case ISO_SUPPLEMENTARY:
		iso9660_decode_volume(sector, &volume);
		if (volume.is_joliet && !s->has_joliet) {
			s->joliet = volume;
			s->has_joliet = true;
		}
		return true;
	case ISO_BOOT_RECORD:
		if (!s->has_boot_record && eltorito_decode_boot_record(sector, &catalog_lba)) {
			s->catalog_lba = catalog_lba;
			s->has_boot_record = true;
		}
		return true;
	case ISO_TERMINATOR:
		s->is_terminated = true;
		return false;
	default:
		return true;
	}
}

int session_read(struct source *src, uint32_t lba, struct session *ret, struct error *err)
{
	uint8_t buf[SECTORS_PER_READ * ISO_SECTOR];
	struct scan scan = { .has_primary = false };
	bool more = true;

	for (uint32_t n = 0; more && n < ISO_MAX_DESCRIPTORS; n += SECTORS_PER_READ) {
		size_t got;

		if (source_peek(src, ((uint64_t)lba + n) * ISO_SECTOR, buf, sizeof(buf), &got,
				err) < 0)
			return -1;
		scan.session.bytes_read += got;
		for (size_t at = 0; more && at + ISO_SECTOR <= got; at += ISO_SECTOR)
			more = add_descriptor(&scan, buf + at);
		if (got < sizeof(buf) || (n == 0 && !scan.has_primary))
			break;
	}
	if (!scan.has_primary)
		return 0;
	*ret = scan.session;
	return 1;
}
