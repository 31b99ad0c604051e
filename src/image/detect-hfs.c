// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * HFS and HFS+ beside ISO 9660 (hybrid discs for Macs) or in a partition. A
 * volume begins where a partition for it does, or with the image; what is
 * there counts, not what the table calls it: discs for Linux call a FAT
 * "Apple_HFS".
 */
#include <stdio.h>
#include <string.h>

#include "base/guid.h"
#include "disk/hfs.h"
#include "image/detect.h"

#define MBR_TYPE_HFS 0xaf

static int read_name(struct detect *d, uint64_t start, const struct hfs_volume *volume,
		     char name[HFS_NAME_SIZE], struct error *err)
{
	uint8_t node[HFS_NODE_HEAD];
	uint64_t leaf;
	int rc;

	snprintf(name, HFS_NAME_SIZE, "%s", volume->name);
	if (volume->catalog == 0)
		return 0;
	rc = detect_read(d, start + volume->catalog, node, sizeof(node), err);
	if (rc <= 0 || !hfs_decode_tree(node, &leaf))
		return rc < 0 ? -1 : 0;
	rc = detect_read(d, start + volume->catalog + leaf, node, sizeof(node), err);
	if (rc > 0)
		hfs_decode_name(node, name);
	return rc < 0 ? -1 : 0;
}

static bool is_known(const struct layout *lay, uint64_t start)
{
	for (uint32_t i = 0; i < lay->n_hfs; i++)
		if (lay->hfs[i].start == start)
			return true;
	return false;
}

/* The volume at start, if there is one; may_embed: an HFS wrapper leads to the HFS+ in it. */
static int look_at(struct detect *d, uint64_t start, bool may_embed, struct error *err)
{
	struct layout *lay = d->lay;
	uint8_t header[HFS_HEADER_SIZE];
	struct hfs_volume volume;
	struct layout_hfs *hfs;
	int rc;

	if (start > d->visible || lay->n_hfs == LAYOUT_MAX_HFS || is_known(lay, start))
		return 0;
	rc = detect_read(d, start + HFS_HEADER_OFFSET, header, sizeof(header), err);
	if (rc <= 0 || !hfs_decode(header, &volume))
		return rc < 0 ? -1 : 0;
	hfs = &lay->hfs[lay->n_hfs++];
	snprintf(hfs->type, sizeof(hfs->type), "%s", hfs_kind_name(volume.kind));
	hfs->start = start;
	hfs->size = volume.size;
	detect_claim(d, start + volume.size, _("its HFS volume"));
	if (read_name(d, start, &volume, hfs->name, err) < 0)
		return -1;
	if (volume.embedded == 0 || !may_embed)
		return 0;
	return look_at(d, start + volume.embedded, false, err);
}

int detect_hfs(struct detect *d, struct error *err)
{
	static const char type[] = "48465300-0000-11AA-AA11-00306543ECAC";
	const struct layout *lay = d->lay;
	uint8_t guid[16];

	for (uint32_t i = 0; i < lay->apm.n_partitions; i++)
		if (!strncmp(lay->apm.partitions[i].type, "Apple_HFS", 9) &&
		    look_at(d, lay->apm.partitions[i].start, true, err) < 0)
			return -1;
	guid_parse(type, guid);
	for (uint32_t i = 0; i < lay->gpt.n_partitions; i++)
		if (!memcmp(lay->gpt.partitions[i].type, guid, sizeof(guid)) &&
		    look_at(d, lay->gpt.partitions[i].start, true, err) < 0)
			return -1;
	for (uint32_t i = 0; i < lay->mbr.n_partitions; i++)
		if (lay->mbr.partitions[i].type == MBR_TYPE_HFS &&
		    look_at(d, lay->mbr.partitions[i].start, true, err) < 0)
			return -1;
	return look_at(d, 0, true, err);
}
