// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The planner behind --mode=hybrid, chosen by auto where a stick would lack a way to boot that
 * the disc has (image/hybrid.h). The disc as it is from byte 32768 on, with boot code and
 * tables of ours in the 32 KiB before it that ISO 9660 leaves to the system (ECMA-119
 * section 6.2.1), and behind it what UEFI has to find:
 *
 *   0      512     1024 ...  17 KiB   20 KiB    32 KiB        1 MiB * n             end
 *   |MBR   |header |entries |zero    |cdemu  |  the disc  |pad|EFI volume|KEEP|ZERO|array|header|
 *    code,  of the GPT                if BIOS                  a copy          the backup GPT
 *    EEh                              needs it
 *
 * The GPT names the copies, and before them the disc from block 0 on. That lies below the first
 * usable block, so firmware and strict readers drop the entry before they look for overlaps;
 * kernels list it, and installers find their disc in it. --strict-gpt leaves it out, and with
 * it the MBR's second entry: empty but active, for BIOSes that want an active partition.
 *
 * An EFI volume that lies behind the disc's file system already stays where it is.
 */
#include "plan/planner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/guid.h"
#include "base/hash.h"
#include "base/num.h"
#include "boot/layout.h"
#include "disk/gpt.h"
#include "disk/mbr.h"

#define SECTOR 512U
#define BLOCK 2048U /* of the disc */
#define SYSTEM_AREA 32768U
#define DISC_SECTORS (BLOCK / SECTOR)
#define MAX_IMAGE (UINT64_C(1) << 60) /* beyond it nothing is added up */
#define SEEDED 65536U                 /* bytes of the image that identifiers depend on */

#define GPT_REVISION 0x00010000
#define GPT_N_ENTRIES 128U
#define GPT_ARRAY_SIZE (GPT_N_ENTRIES * GPT_ENTRY_MIN_SIZE)
#define GPT_BACKUP_SECTORS (GPT_ARRAY_SIZE / SECTOR + 1)
#define GPT_READ_ONLY (UINT64_C(1) << 60) /* as Microsoft defined it, and Linux' udev reads it */

#define EFI_SYSTEM "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define LINUX_DATA "0FC63DAF-8483-4772-8E79-3D69D8477DE4"

/* A volume for UEFI: where it comes from, and where it will be. Bytes. */
struct volume {
	uint64_t from, at, size; /* size: a multiple of SECTOR */
};

struct making {
	struct source *src;
	const struct layout *lay;
	const struct plan_request *req;
	struct hybrid choice;
	uint64_t disc_end; /* of the GPT's entry for it */
	uint64_t end;      /* of the disc and all volumes */
	struct volume volumes[HYBRID_MAX_ESP];
	struct plan *plan;
	uint64_t last_lba;      /* of the target */
	struct digest identity; /* what identifiers are made of */
	uint8_t head[SYSTEM_AREA];
	uint8_t backup[SECTOR];
};

static int error_not_hybrid(const char *why, struct error *err)
{
	return error_set(
		err, ERROR_IMAGE, "not-hybrid",
		_("The image cannot be made to boot from a stick: %s; --mode=raw writes it "
		  "unchanged."),
		why);
}

/* It is the entry that was asked for which cannot, or all of it. */
static int error_choice(const struct making *m, const char *why, struct error *err)
{
	struct hybrid other;
	const char *ignored;

	if (m->req->boot_entry == 0 || !hybrid_choose(m->lay, 0, &other, &ignored))
		return error_not_hybrid(why, err);
	return error_set(err, ERROR_USAGE, "boot-entry",
			 _("--boot-entry=%" PRIu32
			   " cannot be: %s; isowrite inspect lists the boot "
			   "entries."),
			 m->req->boot_entry, why);
}

/* ---- where everything comes to lie */

/* Is it behind the disc's file system, and apart from those that stay where they are? */
static bool can_stay(const struct making *m, const struct volume *v, uint32_t n)
{
	const struct layout_volume *disc = &m->lay->volume;

	if (disc->size == 0 || v->from < disc->size || v->from % SECTOR)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct volume *other = &m->volumes[i];

		if (other->at == other->from && v->from < other->from + other->size &&
		    other->from < v->from + v->size)
			return false;
	}
	return true;
}

static int place(struct making *m, struct error *err)
{
	uint64_t size = m->src->size;
	const char *why;

	if (!hybrid_choose(m->lay, m->req->boot_entry, &m->choice, &why))
		return error_choice(m, why, err);
	if (size < SYSTEM_AREA + BLOCK || size > MAX_IMAGE)
		return error_not_hybrid(_("its size makes no sense"), err);
	m->disc_end = m->end = num_round_up(size, SECTOR);
	for (uint32_t i = 0; i < m->choice.n_esp; i++) {
		struct volume *v = &m->volumes[i];

		v->from = m->choice.esp[i].start;
		v->size = num_round_up(m->choice.esp[i].size, SECTOR);
		if (!num_is_within(v->from, m->choice.esp[i].size, size))
			return error_not_hybrid(_("a volume for UEFI lies beyond its end"), err);
		if (can_stay(m, v, i)) {
			v->at = v->from;
			m->disc_end = num_min(m->disc_end, v->at);
			continue;
		}
		v->at = num_round_up(m->end, MIB);
		m->end = v->at + v->size;
	}
	return 0;
}

/* Whole MiB: what is a stick's image in one place is a disc's in another, and cylinders are. */
static uint64_t whole_size(const struct making *m)
{
	return num_round_up(m->end + GPT_BACKUP_SECTORS * SECTOR, MIB);
}

static int check_room(const struct making *m, const struct geometry *geo, struct error *err)
{
	uint64_t needed = m->end + GPT_BACKUP_SECTORS * SECTOR,
		 has = num_round_down(geo->size, SECTOR);
	char need[NUM_SIZE_LEN], size[NUM_SIZE_LEN], lack[NUM_SIZE_LEN];

	if (geo->sector_size != SECTOR)
		return error_set(
			err, ERROR_IMAGE, "sector-size",
			_("The image will not boot from this target: boot code and tables "
			  "are made for sectors of %u bytes, the target has %u; use a stick "
			  "with 512-byte sectors."),
			SECTOR, geo->sector_size);
	if (needed <= has)
		return 0;
	return error_set(
		err, ERROR_FIT, "does-not-fit",
		_("To boot from a stick the image needs %s, the target has %s (short by %s bytes)%s."),
		num_format_size(need, sizeof(need), needed),
		num_format_size(size, sizeof(size), geo->size),
		num_format_bytes(lack, sizeof(lack), needed - has),
		m->src->size > geo->size ? ""
		: hybrid_is_needed(m->lay)
			? _("; --mode=raw would fit, but not boot everywhere where the disc does")
			: _("; --mode=raw would fit, and a hybrid would not boot anywhere else"));
}

/* ---- identifiers */

static int start_identity(struct making *m, struct error *err)
{
	const le64 numbers[] = { le64_put(m->plan->geo.size), le64_put(m->src->size) };
	const char *seed = m->req->seed ? m->req->seed : "";
	uint8_t guid[16] = { 0 };
	uint8_t *buf;
	size_t n;
	struct hash *h;
	int rc;

	/* --seed takes either case. */
	(void)guid_parse(seed, guid);
	buf = malloc(SEEDED);
	if (!buf)
		return error_set_nomem(err);
	if (hash_new("sha256", &h, err) < 0) {
		free(buf);
		return -1;
	}
	rc = source_peek(m->src, 0, buf, SEEDED, &n, err);
	if (rc == 0) {
		hash_update(h, guid, sizeof(guid));
		hash_update(h, numbers, sizeof(numbers));
		hash_update(h, buf, n);
		hash_peek(h, &m->identity);
	}
	hash_free(h);
	free(buf);
	return rc;
}

/* purpose: a number of its own for each identifier. */
static int derive(const struct making *m, uint32_t purpose, struct digest *ret, struct error *err)
{
	const le32 number = le32_put(purpose);
	struct hash *h;

	if (hash_new("sha256", &h, err) < 0)
		return -1;
	hash_update(h, m->identity.value, m->identity.len);
	hash_update(h, &number, sizeof(number));
	hash_peek(h, ret);
	hash_free(h);
	return 0;
}

/* RFC 4122, section 4.4: version 4; as on disk, so that byte 7 has the version. */
static int derive_guid(const struct making *m, uint32_t purpose, uint8_t ret[16], struct error *err)
{
	struct digest d;

	if (derive(m, purpose, &d, err) < 0)
		return -1;
	memcpy(ret, d.value, 16);
	ret[7] = (uint8_t)((ret[7] & 0x0f) | 0x40);
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
	return 0;
}

/* ---- what BIOS starts */

/*
 * The disk that a hard disk's image emulates: El Torito 1.0 section 2.2 gives it one partition,
 * and BIOSes take the geometry from that one's end.
 */
static int set_geometry(const struct making *m, const struct layout_boot_entry *e,
			struct bootcode_disc *disc, struct error *err)
{
	uint64_t start = (uint64_t)e->lba * BLOCK, sectors, cylinder;
	uint8_t sector[MBR_SIZE];
	struct mbr mbr;
	size_t n;

	disc->heads = 255;
	disc->sectors_per_track = 63;
	if (source_peek(m->src, start, sector, sizeof(sector), &n, err) < 0)
		return -1;
	if (n == sizeof(sector) && mbr_decode(sector, &mbr) && mbr.entries[0].chs_last[1] & 0x3f) {
		disc->heads = (uint16_t)(mbr.entries[0].chs_last[0] + 1);
		disc->sectors_per_track = mbr.entries[0].chs_last[1] & 0x3f;
	}
	sectors = num_min(num_max(e->size, SECTOR) / SECTOR, UINT32_MAX);
	disc->image_sectors = (uint32_t)sectors;
	/* The last cylinder need not be full: cdemu knows the number of sectors, too. */
	cylinder = (uint64_t)disc->heads * disc->sectors_per_track;
	disc->cylinders = (uint16_t)num_min(num_round_up(sectors, cylinder) / cylinder, 1024);
	return 0;
}

static int put_cdemu(struct making *m, const struct layout_boot_entry *e, struct error *err)
{
	size_t size = bootcode_cdemu_size();
	struct bootcode_disc disc = {
		.media = e->emulation,
		.load_segment = e->load_segment,
		.load_sectors = e->sector_count,
		.system_type = e->system_type,
		.platform = e->platform,
		.image_lba = e->lba,
		.disc_blocks =
			(uint32_t)num_min(num_round_up(m->src->size, BLOCK) / BLOCK, UINT32_MAX),
		.catalog_lba = m->lay->el_torito.catalog_lba,
	};

	if (size > BOOT_CDEMU_MAX_SECTORS * SECTOR)
		return error_set(
			err, ERROR_INTERNAL, "cdemu-size",
			_("The emulation of a CD drive has %zu bytes, which are too many."), size);
	if (e->emulation == EMUL_HDD && set_geometry(m, e, &disc, err) < 0)
		return -1;
	bootcode_put_cdemu(m->head + BOOT_CDEMU_LBA * SECTOR, &disc);
	bootcode_put_mbr(m->head, BOOTCODE_CDEMU, BOOT_CDEMU_LBA, (uint16_t)(size / SECTOR));
	return 0;
}

static int put_code(struct making *m, struct error *err)
{
	const struct layout_boot_entry *e = &m->lay->el_torito.entries[m->choice.bios_entry];
	uint64_t lba = (uint64_t)e->lba * DISC_SECTORS;

	switch (m->choice.bios) {
	case BOOTCODE_UEFI_ONLY:
		bootcode_put_mbr(m->head, BOOTCODE_UEFI_ONLY, 0, 0);
		break;
	case BOOTCODE_ISOLINUX:
		bootcode_put_mbr(m->head, BOOTCODE_ISOLINUX, lba, BOOT_ISOLINUX_SECTORS);
		break;
	case BOOTCODE_GRUB2:
		/* diskboot's sector lies behind the 2 KiB that only a BIOS with a CD loads. */
		bootcode_put_mbr(m->head, BOOTCODE_GRUB2, lba + DISC_SECTORS, BOOT_GRUB2_SECTORS);
		break;
	case BOOTCODE_CDEMU:
		return put_cdemu(m, e, err);
	}
	return 0;
}

/* ---- tables */

static int put_mbr(struct making *m, struct error *err)
{
	struct mbr mbr = { .disk_signature = 0 };
	struct mbr_entry *gpt = &mbr.entries[0], *active = &mbr.entries[1];
	struct digest d;
	le32 signature;

	if (derive(m, 0, &d, err) < 0)
		return -1;
	memcpy(&signature, d.value, sizeof(signature));
	mbr.disk_signature = le32_get(signature) ? le32_get(signature) : 1; /* 0 means none */
	gpt->type = MBR_TYPE_PROTECTIVE;
	gpt->start_lba = 1;
	gpt->len_blocks = (uint32_t)num_min(m->last_lba, UINT32_MAX);
	/* UEFI 2.10 table 5-4: as LBA 1 is in this geometry. */
	mbr_chs_from_lba(1, gpt->chs_first);
	mbr_chs_from_lba(m->last_lba, gpt->chs_last);
	if (m->choice.bios != BOOTCODE_UEFI_ONLY && !m->req->strict_gpt) {
		active->status = MBR_STATUS_ACTIVE;
		active->type = MBR_TYPE_EMPTY;
		active->len_blocks = 1;
	}
	mbr_encode(m->head, &mbr);
	return 0;
}

static int put_entry(struct making *m, uint32_t index, const char *type, uint64_t from,
		     uint64_t end, uint64_t attributes, const char *name, struct error *err)
{
	uint8_t *array = m->head + 2 * SECTOR;
	struct gpt_entry entry = {
		.first_lba = from / SECTOR,
		.last_lba = end / SECTOR - 1,
		.attributes = attributes,
	};

	(void)guid_parse(type, entry.type);
	snprintf(entry.name, sizeof(entry.name), "%s", name);
	if (derive_guid(m, 2 + index, entry.guid, err) < 0)
		return -1;
	gpt_encode_entry(array + (size_t)index * GPT_ENTRY_MIN_SIZE, &entry);
	return 0;
}

static int put_gpt(struct making *m, struct error *err)
{
	struct gpt_header header = {
		.revision = GPT_REVISION,
		.header_size = GPT_HEADER_MIN_SIZE,
		.my_lba = 1,
		.alternate_lba = m->last_lba,
		.first_usable_lba = SYSTEM_AREA / SECTOR,
		.last_usable_lba = m->last_lba - GPT_BACKUP_SECTORS,
		.entries_lba = 2,
		.n_entries = GPT_N_ENTRIES,
		.entry_size = GPT_ENTRY_MIN_SIZE,
	};
	uint32_t n = 0;

	/* No entry covers the disc then, so nothing else may be put there. */
	if (m->req->strict_gpt)
		header.first_usable_lba = num_min(m->disc_end / SECTOR, header.last_usable_lba);
	if (!m->req->strict_gpt &&
	    put_entry(m, n++, LINUX_DATA, 0, m->disc_end, GPT_READ_ONLY, "ISO9660", err) < 0)
		return -1;
	for (uint32_t i = 0; i < m->choice.n_esp; i++)
		if (put_entry(m, n++, EFI_SYSTEM, m->volumes[i].at,
			      m->volumes[i].at + m->volumes[i].size, 0, "EFI system partition",
			      err) < 0)
			return -1;
	if (derive_guid(m, 1, header.disk_guid, err) < 0)
		return -1;
	header.entries_crc = gpt_array_crc(&header, m->head + 2 * SECTOR);
	gpt_encode_header(m->head + SECTOR, &header);
	header.my_lba = m->last_lba;
	header.alternate_lba = 1;
	header.entries_lba = m->last_lba - GPT_ARRAY_SIZE / SECTOR;
	gpt_encode_header(m->backup, &header);
	return 0;
}

/* ---- the plan */

static int append_volumes(struct making *m, struct error *err)
{
	struct plan *plan = m->plan;

	for (uint32_t i = 0; i < m->choice.n_esp; i++) {
		const struct volume *v = &m->volumes[i];
		uint64_t has = num_min(v->size, m->src->size - v->from);

		if (v->at == v->from)
			continue;
		if (plan_append_zero(plan, v->at - plan_end(plan), "padding to the next MiB", err) <
			    0 ||
		    plan_append_source(plan, has, 0, v->from,
				       "EFI system partition, copied from the image", err) < 0 ||
		    plan_append_zero(plan, v->size - has, "padding to the next sector", err) < 0)
			return -1;
	}
	return 0;
}

/* Sectors [from, to) of the system area, unless the image has the very same there. */
static int overlay(struct making *m, const uint8_t *old, uint64_t from, uint64_t to,
		   const char *what, struct error *err)
{
	uint64_t start = from * SECTOR, len = (to - from) * SECTOR;

	if (memcmp(old + start, m->head + start, len) == 0)
		return 0;
	return plan_overlay(m->plan, start, m->head + start, len, what, err);
}

static int overlay_head(struct making *m, struct error *err)
{
	uint64_t cdemu_end = BOOT_CDEMU_LBA;
	uint8_t old[SYSTEM_AREA];

	if (m->choice.bios == BOOTCODE_CDEMU)
		cdemu_end += bootcode_cdemu_size() / SECTOR;
	if (source_read_at(m->src, 0, old, sizeof(old), err) < 0)
		return -1;
	if (overlay(m, old, 0, 1, "MBR: boot code, protective entry", err) < 0 ||
	    overlay(m, old, 1, 2, "GPT header", err) < 0 ||
	    overlay(m, old, 2, 2 + GPT_ARRAY_SIZE / SECTOR, "GPT entries", err) < 0 ||
	    overlay(m, old, 2 + GPT_ARRAY_SIZE / SECTOR, BOOT_CDEMU_LBA, "zeros", err) < 0)
		return -1;
	if (overlay(m, old, BOOT_CDEMU_LBA, cdemu_end, "emulation of a CD drive, for BIOS", err) <
	    0)
		return -1;
	return overlay(m, old, cdemu_end, SYSTEM_AREA / SECTOR, "zeros", err);
}

static int overlay_backup(struct making *m, struct error *err)
{
	uint64_t start = (m->last_lba - GPT_ARRAY_SIZE / SECTOR) * SECTOR;

	if (plan_overlay(m->plan, start, m->head + 2 * SECTOR, GPT_ARRAY_SIZE, "backup GPT entries",
			 err) < 0)
		return -1;
	return plan_overlay(m->plan, m->last_lba * SECTOR, m->backup, SECTOR, "backup GPT header",
			    err);
}

static int fill_plan(struct making *m, const struct geometry *geo, struct error *err)
{
	m->last_lba = geo->size / SECTOR - 1;
	if (start_identity(m, err) < 0 || put_code(m, err) < 0 || put_mbr(m, err) < 0 ||
	    put_gpt(m, err) < 0)
		return -1;
	if (plan_append_source(m->plan, m->src->size, 0, 0, planner_describe_image(m->lay), err) <
		    0 ||
	    append_volumes(m, err) < 0 || plan_close(m->plan, 0, err) < 0 ||
	    overlay_head(m, err) < 0 || overlay_backup(m, err) < 0)
		return -1;
	return plan_check(m->plan, err);
}

static int hybrid_make(struct source *src, const struct layout *lay, const struct geometry *geo,
		       const struct plan_request *req, struct plan **ret, struct error *err)
{
	struct making *m = calloc(1, sizeof(*m));
	int rc = -1;

	if (!m)
		return error_set_nomem(err);
	m->src = src;
	m->lay = lay;
	m->req = req;
	if (place(m, err) < 0 || check_room(m, geo, err) < 0)
		goto out;
	m->plan = plan_new("hybrid", geo);
	rc = m->plan ? fill_plan(m, geo, err) : error_set_nomem(err);
	if (rc < 0)
		plan_free(m->plan);
	else
		*ret = m->plan;
out:
	free(m);
	return rc;
}

static int hybrid_measure(struct source *src, const struct layout *lay,
			  const struct plan_request *req, uint64_t *ret, struct error *err)
{
	struct making *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return error_set_nomem(err);
	m->src = src;
	m->lay = lay;
	m->req = req;
	rc = place(m, err);
	if (rc == 0)
		*ret = whole_size(m);
	free(m);
	return rc;
}

/* What only this planner can give is a choice of it. */
static bool hybrid_suits(const struct layout *lay, const struct plan_request *req)
{
	return req->boot_entry > 0 || req->strict_gpt || hybrid_is_needed(lay);
}

const struct planner planner_hybrid = {
	.mode = "hybrid",
	.needs_random = true,
	.suits = hybrid_suits,
	.measure = hybrid_measure,
	.make = hybrid_make,
};
