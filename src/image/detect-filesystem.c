// SPDX-License-Identifier: GPL-3.0-or-later
/* A FAT, exFAT or NTFS volume that begins at byte 0 ("superfloppy"). */
#include "image/detect.h"

#include "disk/fat.h"

int detect_filesystem(struct detect *d, struct error *err)
{
	uint8_t sector[FAT_BOOT_SECTOR_SIZE];
	struct fat_volume volume;
	int rc;

	rc = detect_read(d, 0, sector, sizeof(sector), err);
	if (rc <= 0)
		return rc;
	if (!fat_decode(sector, &volume))
		return 0;
	d->lay->superfloppy = true;
	d->lay->superfloppy_size = volume.size;
	d->lay->sector_size = volume.sector_size;
	detect_claim(d, volume.size, "its file system");
	layout_add_finding(d->lay, LAYOUT_INFO, "superfloppy",
			   _("A volume (%s) begins at byte 0; there is no partition table."),
			   fat_kind_name(volume.kind));
	return 0;
}
