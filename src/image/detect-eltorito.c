// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * El Torito: the catalog's entries, and how large their images really are. The
 * catalog's sector count tells that only for a part of them: a BIOS loads no
 * more than the count, and EFI counts of 0 and 1 mean "as large as it is".
 */
#include <inttypes.h>
#include <string.h>

#include "base/num.h"
#include "disk/eltorito.h"
#include "disk/fat.h"
#include "disk/isohybrid.h"
#include "disk/mbr.h"
#include "image/detect.h"
#include "image/session.h"

#define FIRST_LBA 16U                /* of the first session's descriptors */
#define MAX_CHECKED_IMAGE (2U << 20) /* bytes of a boot image that are summed up */

static void fill_entry(struct layout_boot_entry *to, const struct eltorito_entry *from)
{
	to->record = from->record;
	to->platform = from->platform;
	to->bootable = from->is_bootable;
	to->emulation = from->media;
	to->load_segment = from->load_segment;
	to->system_type = from->system_type;
	to->sector_count = from->sector_count;
	to->lba = from->lba;
	memcpy(to->id, from->id, sizeof(to->id));
}

/* A finding a kind, since a hostile catalog could have 64 of each. */
static void add_findings(struct layout *lay, const struct eltorito_catalog *catalog, bool is_cut)
{
	if (!catalog->checksum_valid)
		layout_add_finding(lay, LAYOUT_WARNING, "el-torito-checksum",
				   _("The boot catalog's checksum is wrong; some firmware ignores "
				     "such a catalog."));
	if (!catalog->has_key)
		layout_add_finding(lay, LAYOUT_WARNING, "el-torito-key",
				   _("The boot catalog's validation entry does not end in 55 AA; "
				     "some firmware ignores such a catalog."));
	if (catalog->n_unannounced > 0)
		layout_add_finding(lay, LAYOUT_INFO, "el-torito-unannounced",
				   _("The boot catalog has %" PRIu32 " entries that no section "
				     "header counts."),
				   catalog->n_unannounced);
	if (catalog->n_missing > 0)
		layout_add_finding(lay, LAYOUT_INFO, "el-torito-missing",
				   _("The boot catalog's section headers count %" PRIu32 " entries "
				     "that are not there."),
				   catalog->n_missing);
	if (catalog->n_dropped > 0 || is_cut)
		layout_add_finding(lay, LAYOUT_WARNING, "el-torito-long",
				   _("The boot catalog goes on behind its first %u entries, which "
				     "are the ones shown."),
				   catalog->n_entries);
}

/* 1 and *ret, 0 not there or no catalog, -1. */
static int read_catalog(struct detect *d, uint32_t lba, struct eltorito_catalog *ret,
			bool *ret_is_cut, struct error *err)
{
	uint64_t off = (uint64_t)lba * ELTORITO_SECTOR;
	uint8_t sector[ELTORITO_SECTOR];
	struct eltorito_parser parser;
	int rc;

	rc = detect_read(d, off, sector, sizeof(sector), err);
	if (rc <= 0)
		return rc;
	if (!eltorito_begin(&parser, ret, sector))
		return 0;
	*ret_is_cut = false;
	for (uint32_t n = 1; eltorito_parse_sector(&parser, sector); n++) {
		rc = n < ELTORITO_MAX_SECTORS ? detect_read(d, off + n * ELTORITO_SECTOR, sector,
							    sizeof(sector), err)
					      : 0;
		if (rc < 0)
			return -1;
		if (rc == 0) {
			*ret_is_cut = true;
			break;
		}
	}
	return 1;
}

/* The FAT volume at the image's start decides where the catalog says nothing or too little. */
static int measure_fat(struct detect *d, struct layout_boot_entry *entry, struct error *err)
{
	uint8_t sector[FAT_BOOT_SECTOR_SIZE];
	struct fat_volume fat;
	int rc;

	rc = detect_read(d, (uint64_t)entry->lba * ELTORITO_SECTOR, sector, sizeof(sector), err);
	if (rc > 0 && fat_decode(sector, &fat) && fat.size > entry->size)
		entry->size = fat.size;
	return rc < 0 ? -1 : 0;
}

/* A disk image: as large as the end of its only partition (El Torito 1.0 section 2.2). */
static int measure_disk(struct detect *d, struct layout_boot_entry *entry, struct error *err)
{
	uint8_t sector[MBR_SIZE];
	struct mbr mbr;
	int rc;

	entry->size = (uint64_t)entry->sector_count * ELTORITO_VIRTUAL_SECTOR;
	rc = detect_read(d, (uint64_t)entry->lba * ELTORITO_SECTOR, sector, sizeof(sector), err);
	if (rc <= 0)
		return rc;
	if (!mbr_decode(sector, &mbr) || !mbr_is_credible(&mbr))
		return 0;
	for (unsigned int i = 0; i < MBR_N_ENTRIES; i++) {
		const struct mbr_entry *p = &mbr.entries[i];
		uint64_t end = ((uint64_t)p->start_lba + p->len_blocks) * MBR_SIZE;

		if (mbr_entry_is_used(p) && end > entry->size)
			entry->size = end;
	}
	return 0;
}

/* Sums the image up: does the boot info table tell the truth? 1 yes, 0 no, -1. */
static int check_boot_info(struct detect *d, uint32_t lba, const struct boot_info *info,
			   struct error *err)
{
	uint64_t start = (uint64_t)lba * ELTORITO_SECTOR;
	uint32_t sum = 0;
	uint8_t buf[8192];
	int rc;

	if (info->file_lba != lba || info->file_len <= BOOT_INFO_END ||
	    info->file_len > MAX_CHECKED_IMAGE)
		return 0;
	for (uint32_t at = BOOT_INFO_END; at < info->file_len;) {
		size_t len = (size_t)num_min(sizeof(buf), info->file_len - at);

		rc = detect_read(d, start + at, buf, len, err);
		if (rc <= 0)
			return rc;
		sum = boot_info_add(sum, buf, len);
		at += (uint32_t)len;
	}
	return sum == info->checksum;
}

int detect_boot_info(struct detect *d, uint32_t lba, bool *ret, struct error *err)
{
	uint8_t head[BOOT_INFO_END];
	struct boot_info info;
	int rc;

	for (uint32_t i = 0; i < d->lay->el_torito.n_entries; i++) {
		if (d->lay->el_torito.entries[i].lba != lba)
			continue;
		*ret = d->lay->el_torito.entries[i].boot_info_table;
		return 0;
	}
	rc = detect_read(d, (uint64_t)lba * ELTORITO_SECTOR, head, sizeof(head), err);
	if (rc > 0) {
		boot_info_decode(head, &info);
		rc = check_boot_info(d, lba, &info, err);
	}
	*ret = rc > 0;
	return rc < 0 ? -1 : 0;
}

static int measure_loader(struct detect *d, struct layout_boot_entry *entry, struct error *err)
{
	uint64_t start = (uint64_t)entry->lba * ELTORITO_SECTOR;
	uint8_t head[ISOHYBRID_IMAGE_HEAD];
	struct boot_info info;
	int rc;

	/* No count: firmware loads at least one block. */
	entry->size = num_max(entry->sector_count, 1) * ELTORITO_VIRTUAL_SECTOR;
	rc = detect_read(d, start, head, sizeof(head), err);
	if (rc <= 0)
		return rc;
	entry->grub2_boot_info = grub2_image_is_cdboot(head, sizeof(head)) &&
				 grub2_image_blocklist(head, sizeof(head)) ==
					 (uint64_t)entry->lba * (ELTORITO_SECTOR / 512) + 5;
	entry->isolinux_hybrid = isolinux_image_is_hybrid(head, sizeof(head));
	boot_info_decode(head, &info);
	rc = check_boot_info(d, entry->lba, &info, err);
	if (rc <= 0)
		return rc;
	entry->boot_info_table = true;
	entry->size = num_max(entry->size, info.file_len);
	return 0;
}

static int measure(struct detect *d, struct layout_boot_entry *entry, struct error *err)
{
	uint64_t floppy = eltorito_floppy_size(entry->emulation);

	if (entry->emulation == EMUL_HDD && measure_disk(d, entry, err) < 0)
		return -1;
	if (floppy > 0)
		entry->size = floppy;
	/* UEFI emulates nothing, and finds the whole volume in such an entry, too. */
	if (floppy > 0 || entry->emulation == EMUL_HDD)
		return entry->platform == BOOT_EFI ? measure_fat(d, entry, err) : 0;
	if (entry->platform == BOOT_EFI) {
		entry->size = entry->sector_count > 1
				      ? (uint64_t)entry->sector_count * ELTORITO_VIRTUAL_SECTOR
				      : 0;
		return measure_fat(d, entry, err);
	}
	/* Volumes for UEFI are listed for other platforms as well. */
	return measure_loader(d, entry, err) < 0 || measure_fat(d, entry, err) < 0 ? -1 : 0;
}

/* What reads block 16 and 17, as all do on a stick, sees the first session's catalog. */
static int compare_first_session(struct detect *d, const struct session *last, struct error *err)
{
	struct session first;
	int rc;

	if (d->lay->volume.pvd_lba == FIRST_LBA)
		return 0;
	rc = session_read(d->src, FIRST_LBA, &first, err);
	if (rc <= 0)
		return rc;
	d->lay->bytes_read += first.bytes_read;
	d->lay->el_torito.is_last_session_only =
		last->has_boot_record &&
		(!first.has_boot_record || first.catalog_lba != last->catalog_lba);
	if (first.has_boot_record && !last->has_boot_record)
		layout_add_finding(d->lay, LAYOUT_WARNING, "el-torito-sessions",
				   _("The first session has a boot catalog, at block %" PRIu32
				     ", and the last one has none."),
				   first.catalog_lba);
	else if (d->lay->el_torito.is_last_session_only)
		layout_add_finding(d->lay, LAYOUT_WARNING, "el-torito-sessions",
				   _("The boot catalog is the last session's; on a stick firmware "
				     "reads the first session, which has %s."),
				   first.has_boot_record ? _("another one") : _("none"));
	return 0;
}

int detect_eltorito(struct detect *d, struct error *err)
{
	struct layout_el_torito *lay = &d->lay->el_torito;
	struct eltorito_catalog catalog;
	struct session s;
	bool is_cut;
	int rc;

	if (!d->lay->volume.present)
		return 0;
	rc = session_read(d->src, d->lay->volume.pvd_lba, &s, err);
	if (rc <= 0)
		return rc;
	d->lay->bytes_read += s.bytes_read;
	if (compare_first_session(d, &s, err) < 0)
		return -1;
	if (!s.has_boot_record)
		return 0;
	lay->catalog_lba = s.catalog_lba;
	rc = read_catalog(d, s.catalog_lba, &catalog, &is_cut, err);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		layout_add_finding(d->lay, LAYOUT_WARNING, "el-torito-no-catalog",
				   _("The boot record points to block %" PRIu32 ", where no boot "
				     "catalog could be read."),
				   s.catalog_lba);
		return 0;
	}
	lay->present = true;
	lay->checksum_valid = catalog.checksum_valid && catalog.has_key;
	lay->has_key = catalog.has_key;
	memcpy(lay->id, catalog.id, sizeof(lay->id));
	for (uint32_t i = 0; i < catalog.n_entries && i < LAYOUT_MAX_BOOT; i++) {
		fill_entry(&lay->entries[i], &catalog.entries[i]);
		lay->n_entries++;
		if (measure(d, &lay->entries[i], err) < 0)
			return -1;
	}
	add_findings(d->lay, &catalog, is_cut);
	return 0;
}
