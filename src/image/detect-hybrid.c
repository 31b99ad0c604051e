// SPDX-License-Identifier: GPL-3.0-or-later
/* Whose code the MBR holds, what kind of image all of this makes, and for which sectors. */
#include <string.h>

#include "disk/bootcode.h"
#include "disk/isohybrid.h"
#include "disk/mbr.h"
#include "image/detect.h"

static enum mbr_code name_code(const uint8_t *mbr)
{
	struct bootcode_mbr ours;

	if (mbr_code_is_empty(mbr))
		return MBR_CODE_NONE;
	if (mbr_code_is_isolinux(mbr))
		return MBR_CODE_ISOLINUX;
	if (mbr_code_is_grub2(mbr))
		return MBR_CODE_GRUB2;
	if (mbr_code_is_windows(mbr))
		return MBR_CODE_WINDOWS;
	if (mbr_is_next_disk(mbr) || bootcode_get_mbr(mbr, &ours))
		return MBR_CODE_ISOWRITE;
	if (mbr_code_is_syslinux(mbr))
		return MBR_CODE_SYSLINUX;
	if (mbr_code_is_memtest(mbr))
		return MBR_CODE_MEMTEST;
	return MBR_CODE_UNKNOWN;
}

static enum layout_kind name_kind(const struct layout *lay)
{
	bool has_table = (lay->mbr.present &&
			  (lay->mbr.n_partitions > 0 || lay->mbr.code != MBR_CODE_NONE)) ||
			 lay->gpt.valid;

	if (strcmp(lay->os, "Windows") == 0)
		return LAYOUT_WINDOWS;
	if (lay->volume.present && has_table)
		return LAYOUT_ISOHYBRID;
	if (lay->volume.present)
		return lay->el_torito.present ? LAYOUT_ISO_ELTORITO : LAYOUT_ISO_DATA;
	if (lay->udf)
		return LAYOUT_UDF;
	if (lay->superfloppy || lay->gpt.present || lay->apm.present ||
	    (lay->mbr.present && lay->mbr.n_partitions > 0))
		return LAYOUT_DISK;
	return LAYOUT_UNKNOWN;
}

int detect_hybrid(struct detect *d, struct error *err)
{
	struct layout *lay = d->lay;
	uint8_t mbr[ISOHYBRID_MBR_SIZE];
	int rc;

	rc = detect_read(d, 0, mbr, sizeof(mbr), err);
	if (rc < 0)
		return -1;
	/* Code without 55 AA is never started. */
	if (rc > 0 && lay->mbr.present)
		lay->mbr.code = (uint8_t)name_code(mbr);
	lay->kind = name_kind(lay);
	if (lay->kind == LAYOUT_UNKNOWN)
		layout_add_finding(lay, LAYOUT_WARNING, "plain-data",
				   _("This is no image of a disc or a disk that isowrite knows."));
	/* A table says it itself; discs without one have no place for 512-byte sectors. */
	if (lay->sector_size == 0)
		lay->sector_size =
			lay->volume.present && lay->kind != LAYOUT_ISOHYBRID && !lay->mbr.present
				? 2048
				: 512;
	return 0;
}
