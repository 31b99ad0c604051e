// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Both copies of the GUID partition table and a verdict on each. The block
 * size is that at which a header is found: a medium has 512, 2048 or 4096.
 *
 * The backup is looked for where the primary says, then in the last block of
 * the image. Only valid tables point anywhere; what else is wrong is a finding.
 */
#include "image/detect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "disk/gpt.h"

#define MAX_BLOCK 4096
#define UNKNOWN_LBA UINT64_MAX
#define MAX_LBA (UINT64_MAX / MAX_BLOCK) /* below it, LBAs can be turned into bytes */

/* One copy as it was read. */
struct copy {
	enum gpt_verdict verdict;
	bool has_array; /* read, and its CRC is right */
	struct gpt_header header;
	uint8_t *array;
};

struct probe {
	struct detect *d;
	uint32_t block_size;
	uint64_t last_lba; /* of the image, UNKNOWN_LBA for a stream */
	bool is_blind; /* a block inside the image could not be seen (a stream, the budget) */
	struct copy primary, backup;
};

static bool copy_is_valid(const struct copy *copy)
{
	return copy->verdict == GPT_OK && copy->has_array;
}

/* Reads the header at lba into copy: its verdict. 0 or -1 (I/O error). */
static int read_header(struct probe *p, uint64_t lba, struct copy *copy, struct error *err)
{
	uint8_t block[MAX_BLOCK];
	int rc;

	copy->verdict = GPT_NO_SIGNATURE;
	if (lba > UINT64_MAX / p->block_size)
		return 0;
	rc = detect_read(p->d, lba * p->block_size, block, p->block_size, err);
	if (rc > 0)
		copy->verdict = gpt_decode_header(block, p->block_size, lba, &copy->header);
	else if (num_is_within(lba * p->block_size, p->block_size, p->d->size))
		p->is_blind = true;
	return rc < 0 ? -1 : 0;
}

/* Reads and judges the array that copy's header names. */
static int read_array(struct probe *p, struct copy *copy, struct error *err)
{
	uint32_t size = gpt_array_size(&copy->header);
	int rc;

	if (copy->verdict != GPT_OK || copy->header.entries_lba > UINT64_MAX / p->block_size)
		return 0;
	copy->array = malloc(size);
	if (!copy->array)
		return error_set_nomem(err);
	rc = detect_read(p->d, copy->header.entries_lba * p->block_size, copy->array, size, err);
	if (rc < 0)
		return -1;
	if (rc == 0 && num_is_within(copy->header.entries_lba * p->block_size, size, p->d->size))
		p->is_blind = true;
	copy->has_array =
		rc > 0 && gpt_array_crc(&copy->header, copy->array) == copy->header.entries_crc;
	return 0;
}

static void put_header(struct layout_gpt_header *to, const struct copy *from, uint64_t lba)
{
	to->present = from->verdict != GPT_NO_SIGNATURE;
	if (!to->present)
		return;
	to->valid = copy_is_valid(from);
	to->lba = lba;
	to->alternate_lba = from->header.alternate_lba;
	to->first_usable_lba = from->header.first_usable_lba;
	to->last_usable_lba = from->header.last_usable_lba;
	to->entries_lba = from->header.entries_lba;
	to->header_size = from->header.header_size;
	to->n_entries = from->header.n_entries;
	to->entry_size = from->header.entry_size;
	to->entries_crc = from->header.entries_crc;
}

/* The block size with the best primary header at LBA 1; *ret_found if there is one at all. */
static int find_primary(struct probe *p, bool *ret_found, struct error *err)
{
	uint32_t sizes[] = { 512, 2048, 4096 }, best = 0;
	size_t n = ARRAY_SIZE(sizes);

	if (p->d->src->is_block_device && num_is_power_of_2(p->d->src->sector_size) &&
	    p->d->src->sector_size >= 512 && p->d->src->sector_size <= MAX_BLOCK) {
		sizes[0] = p->d->src->sector_size;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		p->block_size = sizes[i];
		if (read_header(p, 1, &p->primary, err) < 0)
			return -1;
		if (p->primary.verdict == GPT_OK) {
			*ret_found = true;
			return 0;
		}
		if (p->primary.verdict != GPT_NO_SIGNATURE && best == 0)
			best = sizes[i];
	}
	*ret_found = best != 0;
	if (best == 0)
		return 0;
	p->block_size = best;
	return read_header(p, 1, &p->primary, err);
}

/* Without a primary: a backup in the last block tells the block size. */
static int find_orphan(struct probe *p, struct error *err)
{
	static const uint32_t sizes[] = { 512, 4096 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes) && p->d->size != UINT64_MAX; i++) {
		if (p->d->size < 3 * (uint64_t)sizes[i])
			break;
		p->block_size = sizes[i];
		p->last_lba = p->d->size / sizes[i] - 1;
		if (read_header(p, p->last_lba, &p->backup, err) < 0)
			return -1;
		if (p->backup.verdict == GPT_OK)
			return 0;
	}
	return 0;
}

/* The backup where the primary says, else in the last block. Sets *ret_lba. */
static int find_backup(struct probe *p, uint64_t *ret_lba, struct error *err)
{
	bool is_known = p->primary.verdict == GPT_OK && p->primary.header.alternate_lba > 1;
	uint64_t alternate = is_known ? p->primary.header.alternate_lba : UNKNOWN_LBA;
	struct copy last = { .verdict = GPT_NO_SIGNATURE };

	*ret_lba = alternate;
	if (is_known && read_header(p, alternate, &p->backup, err) < 0)
		return -1;
	if (p->backup.verdict == GPT_OK || p->last_lba == UNKNOWN_LBA || p->last_lba == alternate ||
	    p->last_lba < 2)
		return 0;
	if (read_header(p, p->last_lba, &last, err) < 0)
		return -1;
	if (last.verdict == GPT_OK || p->backup.verdict == GPT_NO_SIGNATURE) {
		p->backup = last;
		*ret_lba = p->last_lba;
	}
	return 0;
}

static void add_partitions(struct probe *p, const struct copy *copy)
{
	struct layout_gpt *gpt = &p->d->lay->gpt;
	uint32_t n_dropped = 0;

	for (uint32_t i = 0; i < copy->header.n_entries; i++) {
		struct layout_gpt_partition *part = &gpt->partitions[gpt->n_partitions];
		struct gpt_entry entry;

		if (!gpt_decode_entry(copy->array + (size_t)i * copy->header.entry_size, &entry))
			continue;
		if (gpt->n_partitions == LAYOUT_MAX_GPT) {
			n_dropped++;
			continue;
		}
		gpt->n_partitions++;
		part->number = i + 1;
		memcpy(part->type, entry.type, sizeof(part->type));
		memcpy(part->guid, entry.guid, sizeof(part->guid));
		part->first_lba = entry.first_lba;
		part->last_lba = entry.last_lba;
		part->attributes = entry.attributes;
		memcpy(part->name, entry.name, sizeof(part->name));
		if (entry.last_lba < entry.first_lba || entry.last_lba >= MAX_LBA)
			continue;
		part->start = entry.first_lba * p->block_size;
		part->size = (entry.last_lba - entry.first_lba + 1) * p->block_size;
	}
	if (n_dropped > 0)
		layout_add_finding(p->d->lay, LAYOUT_WARNING, "gpt-many-partitions",
				   _("The GPT has %u partitions more than are shown."), n_dropped);
}

/* Nobody reads an unprotected table (UEFI 2.10 5.2.3), so what is wrong in it harms nobody. */
static bool is_read(const struct layout *lay)
{
	return !lay->mbr.present || lay->mbr.is_protective;
}

static bool is_usable(const struct layout_gpt_partition *part, const struct copy *copy)
{
	return part->first_lba <= part->last_lba &&
	       part->first_lba >= copy->header.first_usable_lba &&
	       part->last_lba <= copy->header.last_usable_lba;
}

static void tell_outside(struct layout *lay, const struct layout_gpt_partition *part)
{
	/* The disc itself, in hybrids: it begins in front of the table. */
	if (part->first_lba == 0)
		layout_add_finding(lay, LAYOUT_INFO, "gpt-whole-disc",
				   _("GPT partition %u is the disc itself, for systems that look "
				     "for it in a partition; UEFI firmware passes over it."),
				   part->number);
	else
		layout_add_finding(lay, LAYOUT_WARNING, "gpt-outside-usable",
				   _("GPT partition %u lies outside the usable "
				     "area; UEFI firmware ignores such ones."),
				   part->number);
}

/*
 * As EDK2 judges entries, in their order: one out of range is dropped, any other is compared
 * with all that follow. One finding for each, however many there are: a hostile table must
 * not crowd out what else is found.
 */
static void check_partitions(struct probe *p, const struct copy *copy)
{
	struct layout *lay = p->d->lay;
	bool has_disc = false, has_outside = false, has_overlap = false, *has_told;

	if (!is_read(lay))
		return;
	for (uint32_t i = 0; i < lay->gpt.n_partitions; i++) {
		const struct layout_gpt_partition *a = &lay->gpt.partitions[i];

		if (!is_usable(a, copy)) {
			has_told = a->first_lba == 0 ? &has_disc : &has_outside;
			if (!*has_told)
				tell_outside(lay, a);
			*has_told = true;
			continue;
		}
		for (uint32_t k = i + 1; k < lay->gpt.n_partitions && !has_overlap; k++) {
			const struct layout_gpt_partition *b = &lay->gpt.partitions[k];

			has_overlap = a->first_lba <= b->last_lba && b->first_lba <= a->last_lba;
			if (has_overlap)
				layout_add_finding(lay, LAYOUT_WARNING, "gpt-overlap",
						   _("GPT partitions %u and %u overlap; UEFI "
						     "firmware ignores such ones."),
						   a->number, b->number);
		}
	}
}

static void judge_primary(struct probe *p)
{
	struct layout *lay = p->d->lay;

	if (p->primary.verdict == GPT_NO_SIGNATURE)
		layout_add_finding(lay, LAYOUT_WARNING, "gpt-primary-missing",
				   _("The primary GPT is missing; only its backup is there."));
	else if (p->primary.verdict != GPT_OK)
		layout_add_finding(lay, LAYOUT_WARNING, "gpt-header-damaged",
				   _("The primary GPT header cannot be used: %s."),
				   gpt_verdict_text(p->primary.verdict));
	else if (!p->primary.has_array && !p->is_blind)
		layout_add_finding(
			lay, LAYOUT_WARNING, "gpt-entries-crc",
			_("The entries of the primary GPT are damaged: their checksum is "
			  "wrong."));
	if (p->primary.verdict == GPT_OK && !is_read(lay))
		layout_add_finding(lay, LAYOUT_INFO, "gpt-unprotected",
				   _("The MBR has no protective entry (type EE at block 1), so "
				     "firmware and Linux ignore the GPT."));
}

static void judge_backup(struct probe *p)
{
	struct layout *lay = p->d->lay;
	bool is_device = p->d->src->is_block_device;

	if (p->is_blind || p->last_lba == UNKNOWN_LBA || p->primary.verdict != GPT_OK ||
	    !is_read(lay))
		return;
	if (p->backup.verdict == GPT_NO_SIGNATURE)
		layout_add_finding(lay, LAYOUT_WARNING, "gpt-backup-missing",
				   _("The backup GPT is missing; UEFI firmware may write one."));
	else if (!copy_is_valid(&p->backup))
		layout_add_finding(lay, LAYOUT_WARNING, "gpt-backup-damaged",
				   _("The backup GPT is damaged: %s."),
				   p->backup.verdict != GPT_OK
					   ? gpt_verdict_text(p->backup.verdict)
					   : _("the checksum of its entries is wrong"));
	else if (!lay->gpt.backup_at_end)
		layout_add_finding(lay, is_device ? LAYOUT_WARNING : LAYOUT_INFO,
				   "gpt-backup-not-at-end",
				   _("The backup GPT lies at block %" PRIu64
				     ", not in the last one, %" PRIu64 "."),
				   lay->gpt.backup.lba, p->last_lba);
	if (copy_is_valid(&p->primary) && copy_is_valid(&p->backup) && !lay->gpt.arrays_equal)
		layout_add_finding(lay, LAYOUT_WARNING, "gpt-copies-differ",
				   _("The two copies of the GPT list different partitions."));
}

/* Entries of a protective MBR count the same blocks as the GPT. */
static void scale_mbr(struct layout_mbr *mbr, uint32_t block_size)
{
	if (!mbr->is_protective || mbr->block_size == block_size)
		return;
	mbr->block_size = block_size;
	for (uint32_t i = 0; i < mbr->n_partitions; i++) {
		mbr->partitions[i].start = (uint64_t)mbr->partitions[i].start_lba * block_size;
		mbr->partitions[i].size = (uint64_t)mbr->partitions[i].len_blocks * block_size;
	}
}

/* A valid table tells the sector size and how long the image is. */
static void believe(struct probe *p)
{
	struct layout *lay = p->d->lay;

	lay->sector_size = p->block_size;
	scale_mbr(&lay->mbr, p->block_size);
	if (p->primary.header.alternate_lba < MAX_LBA)
		detect_claim(p->d, (p->primary.header.alternate_lba + 1) * p->block_size,
			     "its backup GPT");
	for (uint32_t i = 0; i < lay->gpt.n_partitions; i++)
		detect_claim(p->d, lay->gpt.partitions[i].start + lay->gpt.partitions[i].size,
			     "a partition of its GPT");
	if (p->block_size != 512)
		layout_add_finding(lay, LAYOUT_INFO, "gpt-sector-size",
				   _("The GPT is made for media with sectors of %u bytes."),
				   p->block_size);
}

static void fill_layout(struct probe *p, uint64_t backup_lba)
{
	struct layout *lay = p->d->lay;
	struct layout_gpt *gpt = &lay->gpt;
	const struct copy *best = copy_is_valid(&p->primary) ? &p->primary : &p->backup;

	gpt->present = true;
	gpt->block_size = p->block_size;
	put_header(&gpt->primary, &p->primary, 1);
	put_header(&gpt->backup, &p->backup, backup_lba);
	gpt->valid = gpt->primary.valid;
	gpt->backup_at_end = gpt->backup.present && backup_lba == p->last_lba;
	gpt->arrays_equal =
		gpt->primary.valid && gpt->backup.valid &&
		gpt_array_size(&p->primary.header) == gpt_array_size(&p->backup.header) &&
		!memcmp(p->primary.array, p->backup.array, gpt_array_size(&p->primary.header));
	memcpy(gpt->disk_guid,
	       gpt->primary.present ? p->primary.header.disk_guid : p->backup.header.disk_guid,
	       sizeof(gpt->disk_guid));
	judge_primary(p);
	judge_backup(p);
	if (copy_is_valid(best)) {
		add_partitions(p, best);
		check_partitions(p, best);
	}
	if (gpt->valid)
		believe(p);
}

static int probe_gpt(struct probe *p, struct error *err)
{
	uint64_t backup_lba = 0;
	bool found;

	if (find_primary(p, &found, err) < 0)
		return -1;
	if (found) {
		if (p->d->size != UINT64_MAX)
			p->last_lba = p->d->size / p->block_size - 1;
		if (read_array(p, &p->primary, err) < 0 || find_backup(p, &backup_lba, err) < 0)
			return -1;
	} else {
		if (find_orphan(p, err) < 0)
			return -1;
		if (p->backup.verdict != GPT_OK)
			return 0;
		/* What an earlier use left behind is not this image's table. */
		if (!p->d->lay->mbr.is_protective) {
			layout_add_finding(p->d->lay, LAYOUT_WARNING, "gpt-stale-backup",
					   _("A backup GPT without a primary lies at the end, "
					     "probably from an earlier use."));
			return 0;
		}
		backup_lba = p->last_lba;
	}
	if (read_array(p, &p->backup, err) < 0)
		return -1;
	fill_layout(p, backup_lba);
	return 0;
}

int detect_gpt(struct detect *d, struct error *err)
{
	struct probe p = {
		.d = d,
		.last_lba = UNKNOWN_LBA,
		.primary.verdict = GPT_NO_SIGNATURE,
		.backup.verdict = GPT_NO_SIGNATURE,
	};
	int rc = probe_gpt(&p, err);

	free(p.primary.array);
	free(p.backup.array);
	return rc;
}
