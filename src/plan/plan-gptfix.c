// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The planner behind --fix-gpt: the raw plan (with --bmap the block map's),
 * with the backup GPT at the target's end where firmware looks for it (UEFI 2.10
 * section 5.3.2). Only what must change does, field by field, so that every other
 * byte, the other MBR entries included, is the image's own:
 *
 *   LBA 0     size (and, where it was exact, the CHS end) of the protective entry
 *   LBA 1     header CRC, alternate LBA, last usable LBA
 *   the end   the array of entries, then the backup header
 */
#include "plan/planner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "disk/gpt.h"
#include "disk/mbr.h"

#define MAX_BLOCK 4096

/* What is read of the image, and what becomes of it. */
struct fix {
	struct source *src;
	struct plan *plan; /* the image's; with a block map not all of it */
	const struct geometry *geo;
	uint32_t block_size;
	struct gpt_header header; /* the image's primary */
	uint8_t mbr[MBR_SIZE];
	uint8_t block[MAX_BLOCK]; /* LBA 1 */
	uint8_t *array; /* whole blocks */
	uint64_t array_blocks;
	uint64_t last_lba; /* of the target */
};

static bool gptfix_suits(const struct layout *lay, const struct plan_request *req)
{
	(void)lay;
	return req->fix_gpt;
}

static int error_damaged(const char *why, struct error *err)
{
	return error_set(err, ERROR_IMAGE, "gpt-damaged",
			 _("The image's GUID partition table cannot be moved: %s; without --fix-gpt "
			   "the image is written as it is."),
			 why);
}

/* Is there a table to fix, and may it be? */
static int check_image(const struct fix *fix, const struct layout *lay, struct error *err)
{
	if (!lay->gpt.present)
		return error_set(err, ERROR_IMAGE, "no-gpt",
				 _("The image has no GUID partition table, so --fix-gpt has nothing to "
				   "do; leave it out."));
	if (lay->gpt.block_size != fix->block_size || fix->block_size > MAX_BLOCK)
		return error_set(err, ERROR_IMAGE, "sector-size",
				 _("The image's GUID partition table is made for sectors of %u bytes, "
				   "the target has sectors of %u bytes; --fix-gpt cannot help there."),
				 lay->gpt.block_size, fix->block_size);
	if (!lay->gpt.primary.present)
		return error_damaged(_("the primary header is missing"), err);
	return 0;
}

/* Of entries that make no sense every reader makes something else. */
static int check_entries(const struct fix *fix, struct error *err)
{
	struct gpt_entry entry;

	for (uint32_t i = 0; i < fix->header.n_entries; i++) {
		if (gpt_decode_entry(fix->array + (size_t)i * fix->header.entry_size, &entry) &&
		    (entry.last_lba < entry.first_lba || entry.last_lba == UINT64_MAX))
			return error_damaged(_("a partition in it ends before it begins"), err);
	}
	return 0;
}

/* What will be on the target: of an image with a block map not what lies between. */
static int read_planned(const struct fix *fix, uint64_t off, void *buf, size_t len,
			struct error *err)
{
	struct source *const sources[] = { fix->src };

	return plan_fill(fix->plan, sources, off, buf, len, err);
}

/* The protective MBR, the primary header and the array, judged by their bytes. */
static int read_table(struct fix *fix, struct error *err)
{
	uint64_t size = fix->src->size, array_off;
	enum gpt_verdict verdict;
	struct mbr mbr;

	if (size < 2 * (uint64_t)fix->block_size)
		return error_damaged(_("the image is too short for one"), err);
	if (read_planned(fix, 0, fix->mbr, MBR_SIZE, err) < 0 ||
	    read_planned(fix, fix->block_size, fix->block, fix->block_size, err) < 0)
		return -1;
	if (!mbr_decode(fix->mbr, &mbr) || mbr_find_protective(&mbr) < 0)
		return error_set(err, ERROR_IMAGE, "gpt-unprotected",
				 _("Nothing reads the image's GUID partition table, because its MBR has "
				   "no protective entry (type EE at block 1); moving the backup would "
				   "change nothing, leave --fix-gpt out."));
	verdict = gpt_decode_header(fix->block, fix->block_size, 1, &fix->header);
	if (verdict != GPT_OK)
		return error_damaged(gpt_verdict_text(verdict), err);
	fix->array_blocks = gpt_array_blocks(&fix->header, fix->block_size);
	/* Array and header have to lie in the last MiB, which the plan owns. */
	if ((fix->array_blocks + 2) * fix->block_size > MIB)
		return error_damaged(_("its array of entries is too large"), err);
	if (fix->header.entries_lba > size / fix->block_size ||
	    !num_is_within(fix->header.entries_lba * fix->block_size,
			   fix->array_blocks * fix->block_size, size))
		return error_damaged(_("its entries lie beyond the image's end"), err);
	array_off = fix->header.entries_lba * fix->block_size;
	fix->array = malloc(fix->array_blocks * fix->block_size);
	if (!fix->array)
		return error_set_nomem(err);
	if (read_planned(fix, array_off, fix->array, fix->array_blocks * fix->block_size, err) < 0)
		return -1;
	if (gpt_array_crc(&fix->header, fix->array) != fix->header.entries_crc)
		return error_damaged(_("the checksum of its entries is wrong"), err);
	return check_entries(fix, err);
}

/* The first block behind all that the image may hold beside its own backup. */
static uint64_t data_end_lba(const struct fix *fix, const struct layout *lay)
{
	uint64_t last = num_min(fix->header.last_usable_lba,
				(fix->src->size - 1) / fix->block_size);

	/* Of partitions beyond the image's end (--allow=truncated) the table must stay right. */
	for (uint32_t i = 0; i < fix->header.n_entries; i++) {
		struct gpt_entry entry;

		if (gpt_decode_entry(fix->array + (size_t)i * fix->header.entry_size, &entry) &&
		    entry.last_lba <= fix->header.last_usable_lba)
			last = num_max(last, entry.last_lba);
	}
	if (lay->volume.present && lay->volume.size > 0 && lay->volume.size <= fix->src->size)
		last = num_max(last, (lay->volume.size - 1) / fix->block_size);
	return last < fix->last_lba ? last + 1 : fix->last_lba + 1;
}

static int check_room(const struct fix *fix, const struct layout *lay, uint64_t last_usable,
		      struct error *err)
{
	uint64_t end = data_end_lba(fix, lay);

	if (end <= last_usable + 1)
		return 0;
	return error_set(err, ERROR_FIT, "no-room-for-backup",
			 _("There is no room for the backup GPT: it needs the target's last %" PRIu64
			   " bytes, and the image's data end %" PRIu64 " bytes before the end."),
			 fix->geo->size - (last_usable + 1) * fix->block_size,
			 fix->geo->size - end * fix->block_size);
}

/* Lays data over the plan unless the image has the very same bytes there. */
static int overlay(struct plan *plan, const struct fix *fix, uint64_t off, const void *data,
		   size_t len, const char *what, struct error *err)
{
	uint8_t old[MAX_BLOCK];
	bool is_same = num_is_within(off, len, fix->src->size);

	for (size_t done = 0; is_same && done < len;) {
		size_t n = (size_t)num_min(len - done, sizeof(old));

		if (read_planned(fix, off + done, old, n, err) < 0)
			return -1;
		is_same = !memcmp(old, (const uint8_t *)data + done, n);
		done += n;
	}
	return is_same ? 0 : plan_overlay(plan, off, data, len, what, err);
}

/* The protective entry has to cover the target (UEFI 2.10 5.2.3); a hybrid MBR is left alone. */
static int fix_mbr(struct plan *plan, const struct fix *fix, struct error *err)
{
	static const uint8_t beyond[2][3] = { { 0xfe, 0xff, 0xff }, { 0xff, 0xff, 0xff } };
	struct mbr mbr;
	struct mbr_entry *entry;
	uint8_t sector[MBR_SIZE];
	uint64_t off;
	int index;

	memcpy(sector, fix->mbr, sizeof(sector));
	mbr_decode(sector, &mbr);
	index = mbr_find_protective(&mbr);
	for (int i = 0; i < MBR_N_ENTRIES; i++)
		if (i != index && mbr_entry_is_used(&mbr.entries[i]))
			return 0;
	entry = &mbr.entries[index];
	if (entry->len_blocks == UINT32_MAX || entry->len_blocks == fix->last_lba)
		return 0;
	entry->len_blocks = (uint32_t)num_min(fix->last_lba, UINT32_MAX);
	if (memcmp(entry->chs_last, beyond[0], 3) != 0 &&
	    memcmp(entry->chs_last, beyond[1], 3) != 0)
		mbr_chs_from_lba(fix->last_lba, entry->chs_last);
	mbr_encode_entry(sector, (unsigned int)index, entry);
	off = MBR_ENTRIES_OFFSET + (unsigned int)index * MBR_ENTRY_SIZE;
	if (overlay(plan, fix, off + MBR_ENTRY_CHS_LAST, sector + off + MBR_ENTRY_CHS_LAST, 3,
		    "protective MBR entry: CHS of its end", err) < 0)
		return -1;
	return overlay(plan, fix, off + MBR_ENTRY_LEN, sector + off + MBR_ENTRY_LEN, 4,
		       "protective MBR entry: size", err);
}

static int fix_primary(struct plan *plan, const struct fix *fix, const struct gpt_header *header,
		       struct error *err)
{
	static const struct {
		unsigned int off, len;
		const char *what;
	} fields[] = {
		{ GPT_OFFSET_CRC, 4, "GPT header: checksum" },
		{ GPT_OFFSET_ALTERNATE_LBA, 8, "GPT header: place of the backup" },
		{ GPT_OFFSET_LAST_USABLE_LBA, 8, "GPT header: last usable block" },
	};
	uint8_t block[MAX_BLOCK];

	memcpy(block, fix->block, fix->block_size);
	gpt_encode_header(block, header);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (overlay(plan, fix, fix->block_size + fields[i].off, block + fields[i].off,
			    fields[i].len, fields[i].what, err) < 0)
			return -1;
	return 0;
}

static int put_backup(struct plan *plan, const struct fix *fix, const struct gpt_header *primary,
		      struct error *err)
{
	struct gpt_header header = *primary;
	uint8_t block[MAX_BLOCK];

	header.my_lba = fix->last_lba;
	header.alternate_lba = 1;
	header.entries_lba = fix->last_lba - fix->array_blocks;
	memcpy(block, fix->block, fix->block_size);
	gpt_encode_header(block, &header);
	if (overlay(plan, fix, header.entries_lba * fix->block_size, fix->array,
		    fix->array_blocks * fix->block_size, "backup GPT entries", err) < 0)
		return -1;
	return overlay(plan, fix, fix->last_lba * fix->block_size, block, fix->block_size,
		       "backup GPT header", err);
}

/* Is there already a backup at the target's end that agrees with the primary? */
static bool is_in_place(const struct fix *fix, const struct layout *lay)
{
	return fix->header.alternate_lba == fix->last_lba && lay->gpt.backup.valid &&
	       lay->gpt.backup.lba == fix->last_lba && lay->gpt.arrays_equal;
}

static int make_fixed(struct fix *fix, const struct layout *lay, struct plan *plan,
		      struct error *err)
{
	struct gpt_header header;

	if (check_image(fix, lay, err) < 0 || read_table(fix, err) < 0)
		return -1;
	header = fix->header;
	fix->last_lba = fix->geo->size / fix->block_size - 1;
	header.alternate_lba = fix->last_lba;
	header.last_usable_lba = fix->last_lba - fix->array_blocks - 1;
	/* The subtraction may have wrapped around; the first test says so. */
	if (fix->last_lba < fix->array_blocks + 2 ||
	    header.last_usable_lba < header.first_usable_lba)
		return error_set(err, ERROR_FIT, "no-room-for-backup",
				 _("The target is too small for a backup GPT."));
	if (is_in_place(fix, lay)) {
		if (fix_mbr(plan, fix, err) < 0)
			return -1;
	} else if (check_room(fix, lay, header.last_usable_lba, err) < 0 ||
		   fix_mbr(plan, fix, err) < 0 || fix_primary(plan, fix, &header, err) < 0 ||
		   put_backup(plan, fix, &header, err) < 0) {
		return -1;
	}
	return plan_check(plan, err);
}

static int gptfix_make(struct source *src, const struct layout *lay, const struct geometry *geo,
		       const struct plan_request *req, struct plan **ret, struct error *err)
{
	struct fix fix = { .src = src, .geo = geo, .block_size = geo->sector_size };
	const struct planner *base = req->bmap ? &planner_bmap : &planner_raw;
	struct plan *plan;
	int rc;

	if (base->make(src, lay, geo, req, &plan, err) < 0)
		return -1;
	plan->planner = "gpt-fix";
	fix.plan = plan;
	rc = make_fixed(&fix, lay, plan, err);
	free(fix.array);
	if (rc < 0) {
		plan_free(plan);
		return -1;
	}
	*ret = plan;
	return 0;
}

const struct planner planner_gptfix = {
	.needs_random = true,
	.suits = gptfix_suits,
	.make = gptfix_make,
};
