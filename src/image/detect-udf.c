// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * UDF, alone or beside ISO 9660 (a bridge disc, as Windows setup discs are):
 * its presence by the recognition sequence, its name and end by the volume
 * descriptors. UDF of other block sizes than 2048 has no place on such discs.
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "disk/udf.h"
#include "image/detect.h"

#define FIRST_LBA 16U
#define MAX_RECOGNITION 16U /* descriptors; real discs have 3 to 6 */

static int find_nsr(struct detect *d, bool *ret_is_found, struct error *err)
{
	uint8_t sector[UDF_SECTOR];

	*ret_is_found = false;
	for (uint32_t i = 0; i < MAX_RECOGNITION; i++) {
		int rc = detect_read(d, (uint64_t)(FIRST_LBA + i) * UDF_SECTOR, sector,
				     sizeof(sector), err);

		if (rc <= 0)
			return rc;
		if (udf_is_nsr(sector)) {
			*ret_is_found = true;
			return 0;
		}
		if (!udf_is_recognition(sector))
			return 0;
	}
	return 0;
}

static void use_descriptor(struct detect *d, const uint8_t *sector, unsigned int tag)
{
	uint32_t lba, len;

	if (tag == UDF_TAG_PARTITION) {
		udf_decode_partition(sector, &lba, &len);
		d->lay->udf_start = (uint64_t)lba * UDF_SECTOR;
		d->lay->udf_size = (uint64_t)len * UDF_SECTOR;
		detect_claim(d, d->lay->udf_start + d->lay->udf_size, _("its UDF volume"));
	} else if (tag == UDF_TAG_LOGICAL_VOLUME && !d->lay->volume.id[0]) {
		udf_decode_volume_name(sector, d->lay->volume.id, sizeof(d->lay->volume.id));
	}
}

int detect_udf(struct detect *d, struct error *err)
{
	uint8_t sector[UDF_SECTOR];
	uint32_t lba, len;
	bool is_found;
	int rc;

	if (find_nsr(d, &is_found, err) < 0)
		return -1;
	if (!is_found)
		return 0;
	d->lay->udf = true;
	rc = detect_read(d, (uint64_t)UDF_ANCHOR_LBA * UDF_SECTOR, sector, sizeof(sector), err);
	if (rc <= 0)
		return rc;
	if (udf_check_tag(sector, UDF_ANCHOR_LBA) != UDF_TAG_ANCHOR) {
		layout_add_finding(d->lay, LAYOUT_WARNING, "udf-anchor",
				   _("The UDF volume has no anchor at block 256; its size is not "
				     "known."));
		return 0;
	}
	udf_decode_anchor(sector, &lba, &len);
	len = (uint32_t)num_min(len / UDF_SECTOR, UDF_MAX_DESCRIPTORS);
	for (uint32_t i = 0; i < len; i++) {
		unsigned int tag;

		rc = detect_read(d, ((uint64_t)lba + i) * UDF_SECTOR, sector, sizeof(sector), err);
		if (rc <= 0)
			return rc;
		tag = udf_check_tag(sector, lba + i);
		if (tag == 0 || tag == UDF_TAG_TERMINATOR)
			break;
		use_descriptor(d, sector, tag);
	}
	return 0;
}
