// SPDX-License-Identifier: GPL-3.0-or-later
/* A disc with a boot entry more; see add-boot.h. */
#include "plan/add-boot.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "disk/eltorito.h"
#include "disk/isohybrid.h"
#include "plan/boot-record.h"
#include "plan/move-root.h"
#include "plan/planner.h"

#define BLOCK ELTORITO_SECTOR
#define SECTOR 512U
#define PVD_LBA 16U
#define MAX_NEW_RECORDS 4U    /* a section header and an entry for each file */
#define LOADER_SECTORS 4U     /* loaded by a BIOS of what then loads its own rest */
#define GRUB2_BLOCKLIST 2548U /* diskboot's first entry, in GRUB's image for discs */

static const char efi_what[] = "EFI system partition, from --add-boot";
static const char bios_what[] = "BIOS boot image, from --add-boot";

struct amending {
	struct source *src;
	const struct layout *lay;
	const struct add_boot *add;
	struct boot_record_change change;
	struct eltorito_records *records;
	uint64_t root_at, bios_at, catalog_at, efi_at, end; /* bytes */
	uint8_t *bios;                                      /* the boot image, told where it lies */
	struct plan *plan;
};

static int error_refused(const char *why, struct error *err)
{
	return error_set(err, ERROR_IMAGE, "add-boot",
			 _("Nothing can be added to the image's boot catalog: %s."), why);
}

/* ---- would it ever boot? */

static const char *why_useless(const struct layout *lay, const struct add_boot *add)
{
	const struct layout_el_torito *et = &lay->el_torito;
	uint32_t loaders = 0;

	for (uint32_t i = 0; i < et->n_entries; i++)
		if (et->entries[i].bootable)
			loaders |= et->entries[i].loaders & LOADER_ALL;
	if (add->efi.data && (add->efi.loaders & ~loaders) == 0)
		return _("it has an EFI image for the same machines, which firmware takes first; "
			 "--mode=hybrid alone makes that one boot from a stick");
	if (add->bios.data && et->n_entries > 0 && et->entries[0].platform == BOOT_BIOS &&
	    et->entries[0].bootable && (et->entries[0].loaders & LOADER_ALL) == 0)
		return _("it has a BIOS boot image, and a BIOS boots only one; --mode=hybrid alone "
			 "makes that one boot from a stick");
	return NULL;
}

/* ---- the catalog */

static int read_catalog(struct amending *a, struct error *err)
{
	uint64_t off = (uint64_t)a->lay->el_torito.catalog_lba * BLOCK;
	size_t most = ELTORITO_MAX_SECTORS * BLOCK, n;
	enum eltorito_fault fault;
	uint8_t *buf;
	int rc;

	if (!a->change.is_there)
		return 0;
	buf = calloc(1, most);
	if (!buf)
		return error_set_nomem(err);
	rc = source_peek(a->src, off, buf, most, &n, err);
	if (rc == 0) {
		fault = eltorito_read_records(buf, num_round_down(n, BLOCK), a->records);
		if (fault != ELTORITO_OK)
			rc = error_refused(eltorito_fault_text(fault), err);
	}
	free(buf);
	return rc;
}

static int add_entry(struct amending *a, uint8_t platform, uint64_t at, uint64_t sectors,
		     struct error *err)
{
	const struct eltorito_boot boot = {
		.is_bootable = true,
		.sector_count = (uint16_t)sectors,
		.lba = (uint32_t)(at / BLOCK),
	};
	enum eltorito_fault fault = eltorito_add_boot(a->records, platform, &boot);

	return fault == ELTORITO_OK ? 0 : error_refused(eltorito_fault_text(fault), err);
}

/* ---- the BIOS image */

/* What a mastering program fills in for isolinux and GRUB (mkisofs -boot-info-table). */
static bool wants_boot_info(const struct add_boot_file *file)
{
	struct boot_info info;

	if (file->size <= BOOT_INFO_END)
		return false;
	if (isolinux_image_is_hybrid(file->data, file->size) ||
	    grub2_image_is_cdboot(file->data, file->size))
		return true;
	boot_info_decode(file->data, &info);
	return info.pvd_lba == PVD_LBA && info.file_len == file->size;
}

/* The image with its own address in it. *ret_sectors: what a BIOS has to load of it. */
static int make_bios(struct amending *a, uint64_t *ret_sectors, struct error *err)
{
	const struct add_boot_file *file = &a->add->bios;
	const struct boot_info info = {
		.pvd_lba = PVD_LBA,
		.file_lba = (uint32_t)(a->bios_at / BLOCK),
		.file_len = (uint32_t)file->size,
	};
	const le64 rest = le64_put((uint64_t)info.file_lba * (BLOCK / SECTOR) + 5);
	struct boot_info summed = info;

	a->bios = calloc(1, num_round_up(file->size, BLOCK));
	if (!a->bios)
		return error_set_nomem(err);
	memcpy(a->bios, file->data, file->size);
	*ret_sectors = num_round_up(file->size, SECTOR) / SECTOR;
	if (!wants_boot_info(file))
		return 0;
	if (grub2_image_is_cdboot(file->data, file->size) &&
	    file->size >= GRUB2_BLOCKLIST + sizeof(rest))
		memcpy(a->bios + GRUB2_BLOCKLIST, &rest, sizeof(rest));
	summed.checksum = boot_info_add(0, a->bios + BOOT_INFO_END, file->size - BOOT_INFO_END);
	boot_info_encode(a->bios, &summed);
	*ret_sectors = num_min(*ret_sectors, LOADER_SECTORS);
	return 0;
}

/* ---- the disc */

/* UEFI 2.10 section 13.3.2.1: 0 and 1 mean up to the medium's end; 65535 is all that fits. */
static uint64_t fat_sectors(uint64_t size)
{
	return size / SECTOR > UINT16_MAX ? 0 : size / SECTOR;
}

static int place(struct amending *a, struct error *err)
{
	uint64_t at = num_round_up(a->src->size, BLOCK);
	uint64_t catalog_size = ((uint64_t)a->records->n + 1 + MAX_NEW_RECORDS) * ELTORITO_RECORD;

	a->root_at = at;
	a->bios_at = a->root_at + (a->change.moves_root ? a->change.root_len : 0);
	a->catalog_at = a->bios_at + num_round_up(a->add->bios.size, BLOCK);
	a->end = a->catalog_at + num_round_up(catalog_size, BLOCK);
	if (a->add->efi.data) {
		/* Where a partition may begin, so that a stick needs no second copy of it. */
		a->efi_at = num_round_up(a->end, MIB);
		a->end = a->efi_at + a->add->efi.size;
	}
	return a->src->size < UINT64_C(1) << 42 && a->end / BLOCK <= UINT32_MAX
		       ? 0
		       : error_refused(_("it is too large for one"), err);
}

static int append(struct amending *a, uint64_t at, const void *data, uint64_t len, const char *what,
		  struct error *err)
{
	if (!data)
		return 0;
	if (plan_append_zero(a->plan, at - plan_end(a->plan), "padding to the next block", err) < 0)
		return -1;
	return plan_append_memory(a->plan, data, len, what, err);
}

static int append_catalog(struct amending *a, struct error *err)
{
	size_t len = eltorito_records_size(a->records);
	uint8_t *buf = malloc(len);
	int rc;

	if (!buf)
		return error_set_nomem(err);
	eltorito_write_records(a->records, buf);
	rc = append(a, a->catalog_at, buf, len, "boot catalog", err);
	free(buf);
	return rc;
}

static int append_root(struct amending *a, struct error *err)
{
	const struct boot_record_change *c = &a->change;
	uint8_t *buf;
	int rc;

	if (!c->moves_root)
		return 0;
	buf = malloc(c->root_len);
	if (!buf)
		return error_set_nomem(err);
	rc = move_root_copy(a->src, c->root_lba, c->root_len, (uint32_t)(a->root_at / BLOCK), buf,
			    err);
	if (rc == 0)
		rc = append(a, a->root_at, buf, c->root_len, "root directory", err);
	free(buf);
	return rc;
}

static int lay_out(struct amending *a, struct error *err)
{
	const struct add_boot *add = a->add;
	const struct geometry geo = { .size = a->end, .sector_size = SECTOR, .io_align = SECTOR };

	a->plan = plan_new("add-boot", &geo);
	if (!a->plan)
		return error_set_nomem(err);
	if (plan_append_source(a->plan, a->src->size, 0, 0, planner_describe_image(a->lay), err) <
		    0 ||
	    append_root(a, err) < 0 ||
	    append(a, a->bios_at, a->bios, num_round_up(add->bios.size, BLOCK), bios_what, err) <
		    0 ||
	    append_catalog(a, err) < 0 ||
	    append(a, a->efi_at, add->efi.data, add->efi.size, efi_what, err) < 0 ||
	    plan_append_zero(a->plan, a->end - plan_end(a->plan), "padding to the next block",
			     err) < 0 ||
	    boot_record_apply(a->plan, a->src, &a->change, (uint32_t)(a->catalog_at / BLOCK),
			      (uint32_t)(a->root_at / BLOCK), err) < 0)
		return -1;
	return plan_close(a->plan, 0, err);
}

static int amend(struct amending *a, struct error *err)
{
	const char *why = why_useless(a->lay, a->add);
	uint64_t sectors = 0;

	if (!a->lay->volume.present || a->lay->superfloppy)
		return error_refused(_("it is no disc (ISO 9660)"), err);
	/* What is put behind its end would lie where its own bytes are missing. */
	if (a->lay->is_truncated)
		return error_refused(_("it is cut short"), err);
	if (why)
		return error_refused(why, err);
	if (boot_record_examine(a->src, a->lay, &a->change, &why, err) < 0)
		return why ? error_refused(why, err) : -1;
	/* SeaBIOS reads block 17 and no other. */
	if (a->add->bios.data && a->change.lba != PVD_LBA + 1)
		return error_refused(_("its boot record is not where BIOSes look for one"), err);
	if (read_catalog(a, err) < 0 || place(a, err) < 0)
		return -1;
	if (a->add->bios.data && (make_bios(a, &sectors, err) < 0 ||
				  add_entry(a, BOOT_BIOS, a->bios_at, sectors, err) < 0))
		return -1;
	if (a->add->efi.data &&
	    add_entry(a, BOOT_EFI, a->efi_at, fat_sectors(a->add->efi.size), err) < 0)
		return -1;
	return lay_out(a, err);
}

int add_boot_plan_disc(struct source *src, const struct layout *lay, const struct add_boot *add,
		       struct plan **ret, struct error *err)
{
	struct amending a = { .src = src, .lay = lay, .add = add };
	int rc;

	a.records = calloc(1, sizeof(*a.records));
	rc = a.records ? amend(&a, err) : error_set_nomem(err);
	free(a.records);
	free(a.bios);
	if (rc < 0) {
		plan_free(a.plan);
		return -1;
	}
	*ret = a.plan;
	return 0;
}

uint64_t add_boot_bytes(const struct plan *plan)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < plan->n_extents; i++) {
		const char *what = plan_what(plan, &plan->extents[i]);

		if (strcmp(what, efi_what) == 0 || strcmp(what, bios_what) == 0)
			sum += plan->extents[i].len;
	}
	return sum;
}
