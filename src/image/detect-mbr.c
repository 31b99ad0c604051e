// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The MBR's table. A sector that is a FAT boot sector, or whose status bytes
 * are other than 00 and 80, is no table and points nowhere.
 */
#include "image/detect.h"

#include <inttypes.h>

#include "base/num.h"
#include "disk/fat.h"
#include "disk/mbr.h"

static bool overlap(const struct layout_mbr_partition *a, const struct layout_mbr_partition *b)
{
	return a->start < b->start + b->size && b->start < a->start + a->size;
}

/* Firmware drops the whole table then; it skips entries of type 00, and so do we. */
static void find_overlaps(struct layout *lay)
{
	const struct layout_mbr *mbr = &lay->mbr;

	for (uint32_t i = 0; i < mbr->n_partitions; i++) {
		for (uint32_t k = i + 1; k < mbr->n_partitions; k++) {
			const struct layout_mbr_partition *a = &mbr->partitions[i];
			const struct layout_mbr_partition *b = &mbr->partitions[k];

			if (a->type == MBR_TYPE_EMPTY || b->type == MBR_TYPE_EMPTY ||
			    a->type == MBR_TYPE_PROTECTIVE || b->type == MBR_TYPE_PROTECTIVE ||
			    !overlap(a, b))
				continue;
			layout_add_finding(
				lay, LAYOUT_WARNING, "mbr-overlap",
				_("Partitions %u and %u of the MBR overlap; UEFI firmware "
				  "then ignores its whole table."),
				a->number, b->number);
		}
	}
}

static void fill_partition(struct detect *d, struct layout_mbr_partition *part, unsigned int number,
			   const struct mbr_entry *entry, uint64_t base)
{
	uint32_t block_size = d->lay->mbr.block_size;

	part->number = (uint8_t)number;
	part->active = entry->status == MBR_STATUS_ACTIVE;
	part->status = entry->status;
	part->type = entry->type;
	part->start_lba = (uint32_t)(base + entry->start_lba);
	part->len_blocks = entry->len_blocks;
	part->start = (base + entry->start_lba) * block_size;
	part->size = (uint64_t)entry->len_blocks * block_size;
	/*
	 * A protective entry often says "everything"; the GPT speaks for itself. A table made for
	 * other sectors than the device has says nothing either.
	 */
	if (part->type != MBR_TYPE_PROTECTIVE && (!d->src->is_block_device || block_size == 512))
		detect_claim(d, part->start + part->size, _("a partition of its MBR"));
}

static void add_partition(struct detect *d, unsigned int index, const struct mbr_entry *entry)
{
	struct layout_mbr *mbr = &d->lay->mbr;

	/* Type 00 with a length is listed: kernels and sfdisk do (isohybrid's first entry). */
	if (entry->len_blocks > 0)
		fill_partition(d, &mbr->partitions[mbr->n_partitions++], index + 1, entry, 0);
}

/*
 * An extended partition holds a chain of tables: the first entry of each is a
 * partition that counts from the table, the second one leads to the next table
 * and counts from the extended partition.
 */
static int follow_chain(struct detect *d, const struct layout_mbr_partition *extended,
			struct error *err)
{
	struct layout_mbr *mbr = &d->lay->mbr;
	uint64_t at = extended->start_lba;

	/* Ends: the tables lie behind each other, and only so many partitions are listed. */
	while (mbr->n_logical < LAYOUT_MAX_LOGICAL) {
		uint8_t sector[MBR_SIZE];
		const struct mbr_entry *next;
		struct mbr table;
		int rc;

		rc = detect_read(d, at * mbr->block_size, sector, sizeof(sector), err);
		if (rc <= 0)
			return rc;
		if (!mbr_decode(sector, &table) || !mbr_is_credible(&table)) {
			layout_add_finding(d->lay, LAYOUT_WARNING, "mbr-chain",
					   _("The chain of logical partitions is broken at block "
					     "%" PRIu64 "."),
					   at);
			return 0;
		}
		if (mbr_entry_is_used(&table.entries[0]) &&
		    at + table.entries[0].start_lba <= UINT32_MAX)
			fill_partition(d, &mbr->logical[mbr->n_logical], 5 + mbr->n_logical,
				       &table.entries[0], at);
		mbr->n_logical += mbr->logical[mbr->n_logical].size > 0;
		next = &table.entries[1];
		if (!mbr_entry_is_used(next) || !mbr_type_is_extended(next->type) ||
		    extended->start_lba + (uint64_t)next->start_lba <= at)
			return 0;
		at = extended->start_lba + (uint64_t)next->start_lba;
	}
	return 0;
}

/*
 * An MBR does not say which blocks it counts. An image made for sectors of 4096
 * bytes is known by a FAT volume with such sectors, where only they lead.
 */
static int find_block_size(struct detect *d, const struct mbr *disk, uint32_t *ret,
			   struct error *err)
{
	*ret = 512;
	if (d->src->is_block_device) {
		*ret = d->src->sector_size;
		return 0;
	}
	for (unsigned int i = 0; i < MBR_N_ENTRIES; i++) {
		uint64_t start = (uint64_t)disk->entries[i].start_lba * 4096;
		uint8_t sector[FAT_BOOT_SECTOR_SIZE];
		struct fat_volume volume;
		int rc;

		if (!mbr_entry_is_used(&disk->entries[i]) || start == 0)
			continue;
		rc = detect_read(d, start, sector, sizeof(sector), err);
		if (rc < 0)
			return -1;
		if (rc > 0 && fat_decode(sector, &volume) && volume.sector_size == 4096)
			*ret = 4096;
	}
	return 0;
}

int detect_mbr(struct detect *d, struct error *err)
{
	struct layout_mbr *mbr = &d->lay->mbr;
	uint8_t sector[MBR_SIZE];
	struct fat_volume volume;
	struct mbr disk;
	int rc;

	rc = detect_read(d, 0, sector, sizeof(sector), err);
	if (rc <= 0)
		return rc;
	if (!mbr_decode(sector, &disk) || !mbr_is_credible(&disk) || fat_decode(sector, &volume))
		return 0;
	mbr->present = true;
	mbr->is_protective = mbr_find_protective(&disk) >= 0;
	mbr->disk_signature = disk.disk_signature;
	if (find_block_size(d, &disk, &mbr->block_size, err) < 0)
		return -1;
	for (unsigned int i = 0; i < MBR_N_ENTRIES; i++)
		add_partition(d, i, &disk.entries[i]);
	find_overlaps(d->lay);
	for (uint32_t i = 0; i < mbr->n_partitions; i++)
		if (mbr_type_is_extended(mbr->partitions[i].type) &&
		    follow_chain(d, &mbr->partitions[i], err) < 0)
			return -1;
	return 0;
}
