// SPDX-License-Identifier: GPL-3.0-or-later
/* The end of the used part of a stick, by its tables; see used.h. */
#include "image/used.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "disk/mbr.h"
#include "disk/udf.h"

#define UDF_ANCHORS_WITHIN 600 /* blocks: 256, the reserve descriptors, alignment */

static bool has_finding(const struct layout *lay, const char *code)
{
	for (uint32_t i = 0; i < lay->n_findings; i++)
		if (strcmp(lay->findings[i].code, code) == 0)
			return true;
	return false;
}

static void claim(struct used *u, uint64_t end, const char *by)
{
	if (end <= u->end)
		return;
	u->end = end;
	snprintf(u->by, sizeof(u->by), "%s", by);
}

static int error_unknown(const char *why, struct error *err)
{
	return error_set(err, ERROR_IMAGE, "used-unknown",
			 _("It cannot be said where its used part ends: %s. Without --used all of "
			   "it is read."),
			 why);
}

static void claim_mbr_partition(const struct layout_mbr_partition *p, struct used *u)
{
	char by[48];

	/* A protective entry says "everything"; the GPT speaks for itself. */
	if (p->type == MBR_TYPE_PROTECTIVE)
		return;
	snprintf(by, sizeof(by), _("partition %u of its MBR"), p->number);
	claim(u, p->start + p->size, by);
}

/*
 * An extended partition counts with the free space in it: it must lie within the image. The
 * logical ones should lie within it, and count where they do not.
 */
static void claim_mbr(const struct layout *lay, struct used *u)
{
	for (uint32_t i = 0; i < lay->mbr.n_partitions; i++)
		claim_mbr_partition(&lay->mbr.partitions[i], u);
	for (uint32_t i = 0; i < lay->mbr.n_logical; i++)
		claim_mbr_partition(&lay->mbr.logical[i], u);
}

static int claim_gpt(const struct layout *lay, struct used *u, struct error *err)
{
	const struct layout_gpt *gpt = &lay->gpt;
	uint64_t bs = gpt->block_size, array;

	if (!gpt->primary.valid && !gpt->backup.valid)
		return error_unknown(_("its GPT is damaged"), err);
	/* The only good copy: on a disc, whose blocks are others, it is the only one seen. */
	if (!gpt->primary.valid) {
		claim(u, (num_min(gpt->backup.lba, lay->size / bs) + 1) * bs, _("its backup GPT"));
		return 0;
	}
	if (has_finding(lay, "gpt-many-partitions"))
		return error_unknown(_("it has more partitions than are looked at"), err);
	array = (uint64_t)gpt->primary.n_entries * gpt->primary.entry_size;
	if (gpt->primary.entries_lba <= lay->size / bs)
		claim(u, num_round_up(gpt->primary.entries_lba * bs + array, bs), _("its GPT"));
	for (uint32_t i = 0; i < gpt->n_partitions; i++) {
		char by[48];

		snprintf(by, sizeof(by), _("partition %u of its GPT"), gpt->partitions[i].number);
		claim(u, gpt->partitions[i].start + gpt->partitions[i].size, by);
	}
	if (!gpt->backup.valid)
		return 0;
	/* The backup of a written image lies behind its last partition, not at the stick's end. */
	if (!gpt->backup_at_end && gpt->backup.lba < lay->size / bs)
		claim(u, (gpt->backup.lba + 1) * bs, _("its backup GPT"));
	else if (gpt->backup_at_end)
		u->needs_backup_gpt = !lay->mbr.present || lay->mbr.is_protective;
	return 0;
}

static void claim_apm(const struct layout *lay, struct used *u)
{
	for (uint32_t i = 0; i < lay->apm.n_partitions; i++)
		claim(u, lay->apm.partitions[i].start + lay->apm.partitions[i].size,
		      _("a partition of its Apple partition map"));
}

/*
 * Behind its partition a UDF volume has reserve descriptors and up to two more anchors, the last
 * one in its last block (ECMA-167 3/8.4.2.1): the farthest of them is its end.
 */
static int claim_udf(struct source *src, const struct layout *lay, struct used *u,
		     struct error *err)
{
	uint64_t end = lay->udf_start + lay->udf_size;
	uint8_t sector[UDF_SECTOR];

	claim(u, end, _("its UDF volume"));
	end = num_round_up(end, UDF_SECTOR);
	for (unsigned int i = 0; i < UDF_ANCHORS_WITHIN; i++, end += UDF_SECTOR) {
		if (!num_is_within(end, UDF_SECTOR, lay->size))
			break;
		if (source_read_at(src, end, sector, UDF_SECTOR, err) < 0)
			return -1;
		if (udf_check_tag(sector, (uint32_t)(end / UDF_SECTOR)) == UDF_TAG_ANCHOR)
			claim(u, end + UDF_SECTOR, _("its UDF volume"));
	}
	return 0;
}

/* Volumes may reach behind the partitions, boot images behind the volume. */
static void claim_volumes(const struct layout *lay, struct used *u)
{
	for (uint32_t i = 0; i < lay->n_hfs; i++)
		claim(u, lay->hfs[i].start + lay->hfs[i].size, _("its HFS volume"));
	if (!lay->volume.present)
		return;
	claim(u, lay->volume.size, _("its ISO 9660 volume"));
	for (uint32_t i = 0; i < lay->el_torito.n_entries; i++) {
		const struct layout_boot_entry *e = &lay->el_torito.entries[i];

		if (e->bootable)
			claim(u, (uint64_t)e->lba * 2048 + e->size, _("a boot image in it"));
	}
}

int used_find(struct source *src, const struct layout *lay, struct used *ret, struct error *err)
{
	bool is_gpt_read = lay->gpt.present && (!lay->mbr.present || lay->mbr.is_protective);
	bool has_table = lay->mbr.present || lay->gpt.present || lay->apm.present;
	struct used u = { .end = 0 };

	if (lay->size == UINT64_MAX)
		return error_unknown(_("its size is not known"), err);
	if (lay->mbr.present)
		claim_mbr(lay, &u);
	if ((is_gpt_read || (lay->gpt.present && lay->gpt.valid)) && claim_gpt(lay, &u, err) < 0)
		return -1;
	if (lay->apm.present)
		claim_apm(lay, &u);
	if (lay->udf && lay->udf_size == 0)
		return error_unknown(_("the size of the UDF volume on it is not known"), err);
	if (lay->udf && claim_udf(src, lay, &u, err) < 0)
		return -1;
	claim_volumes(lay, &u);
	if (!has_table)
		claim(&u, lay->expected_size, lay->expected_by);
	if (u.end == 0)
		return error_unknown(
			has_table
				? _("its partition table is empty or damaged")
				: _("it has no partition table and no ISO 9660, UDF, FAT, exFAT or "
				    "NTFS volume from its first byte on"),
			err);
	if (u.end >= lay->size) {
		u.end = lay->size;
		u.needs_backup_gpt = false;
	}
	*ret = u;
	return 0;
}
