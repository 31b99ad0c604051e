// SPDX-License-Identifier: GPL-3.0-or-later
/* Which boot image and which volumes make a stick of a disc; see hybrid.h. */
#include "image/hybrid.h"

#include "base/error.h"
#include "base/num.h"
#include "disk/mbr.h"
#include "image/loaders.h"

#define BLOCK 2048U
#define SECTOR 512U
#define SYSTEM_AREA 32768U /* what is in it makes room for ours */
#define USUAL_SEGMENT 0x7c0U

/* ---- BIOS */

/* NULL, or why a BIOS cannot be made to boot this entry. A clause. */
static const char *why_not_bios(const struct layout *lay, const struct layout_boot_entry *e)
{
	if (e->platform != BOOT_BIOS || e->loaders & LOADER_ALL)
		return _("that boot entry is not for BIOS");
	if (!e->bootable)
		return _("that boot entry is marked as not bootable");
	if (e->emulation > EMUL_HDD)
		return _("that boot entry is of no known kind");
	if (!num_is_within((uint64_t)e->lba * BLOCK, SECTOR, lay->size))
		return _("that boot entry's image lies beyond the end");
	if ((uint64_t)e->lba * BLOCK < SYSTEM_AREA)
		return _("that boot entry's image lies where boot code and tables would go");
	return NULL;
}

static enum bootcode_kind kind_of(const struct layout_boot_entry *e)
{
	bool is_plain = e->emulation == EMUL_NONE &&
			(e->load_segment == 0 || e->load_segment == USUAL_SEGMENT);

	/* Without its table isolinux does not know where on the disc it is. */
	if (is_plain && e->isolinux_hybrid && e->boot_info_table)
		return BOOTCODE_ISOLINUX;
	if (is_plain && e->grub2_boot_info)
		return BOOTCODE_GRUB2;
	return BOOTCODE_CDEMU;
}

static bool choose_bios(const struct layout *lay, uint32_t entry, struct hybrid *h,
			const char **ret_why)
{
	const struct layout_el_torito *et = &lay->el_torito;
	const char *why;

	h->bios = BOOTCODE_UEFI_ONLY;
	if (entry > et->n_entries) {
		*ret_why = _("it has no boot entry of that number");
		return false;
	}
	if (entry > 0) {
		why = why_not_bios(lay, &et->entries[entry - 1]);
		if (why) {
			*ret_why = why;
			return false;
		}
		h->bios_entry = entry - 1;
		h->bios = kind_of(&et->entries[entry - 1]);
		return true;
	}
	for (uint32_t i = 0; i < et->n_entries && h->bios == BOOTCODE_UEFI_ONLY; i++) {
		if (why_not_bios(lay, &et->entries[i]))
			continue;
		h->bios_entry = i;
		h->bios = kind_of(&et->entries[i]);
	}
	return true;
}

/* ---- UEFI */

static void add_volume(const struct layout *lay, uint64_t start, uint64_t size, uint32_t loaders,
		       struct hybrid *h)
{
	/* A catalog's count may say more than is there; the volume in it does not care. */
	if (!(loaders & LOADER_ALL) || size == 0 || start < SYSTEM_AREA || start >= lay->size)
		return;
	for (uint32_t i = 0; i < h->n_esp; i++)
		if (h->esp[i].start == start)
			return;
	if (h->n_esp == HYBRID_MAX_ESP)
		return;
	h->esp[h->n_esp++] = (struct hybrid_esp){
		.start = start,
		.size = num_min(size, lay->size - start),
	};
	h->archs |= loaders & LOADER_ALL;
}

/*
 * Those of the boot catalog are the ones that discs boot. Of the partitions' only what they do
 * not boot: most are the same, and the tables that name them go.
 */
static void choose_volumes(const struct layout *lay, struct hybrid *h)
{
	const struct layout_el_torito *et = &lay->el_torito;

	for (uint32_t i = 0; i < et->n_entries; i++) {
		const struct layout_boot_entry *e = &et->entries[i];

		if (e->bootable)
			add_volume(lay, (uint64_t)e->lba * BLOCK, e->size, e->loaders, h);
	}
	for (uint32_t i = 0; lay->gpt.present && i < lay->gpt.n_partitions; i++) {
		const struct layout_gpt_partition *p = &lay->gpt.partitions[i];

		add_volume(lay, p->start, p->size, p->loaders & ~h->archs, h);
	}
	for (uint32_t i = 0; lay->mbr.present && i < lay->mbr.n_partitions; i++) {
		const struct layout_mbr_partition *p = &lay->mbr.partitions[i];

		add_volume(lay, p->start, p->size, p->loaders & ~h->archs, h);
	}
}

/* ---- both */

/*
 * Somebody's files behind the disc, in a partition that the new table would not name? Not another
 * volume for UEFI, nor what is smaller: xorriso gives entries to gaps.
 */
static bool is_lost(const struct layout *lay, uint64_t start, uint64_t size, uint32_t loaders)
{
	return lay->volume.size > 0 && start >= lay->volume.size && start < lay->size &&
	       size >= MIB && !(loaders & LOADER_ALL);
}

static uint32_t find_lost(const struct layout *lay)
{
	for (uint32_t i = 0; lay->gpt.valid && i < lay->gpt.n_partitions; i++) {
		const struct layout_gpt_partition *p = &lay->gpt.partitions[i];

		if (is_lost(lay, p->start, p->size, p->loaders))
			return p->number;
	}
	for (uint32_t i = 0; lay->mbr.present && i < lay->mbr.n_partitions; i++) {
		const struct layout_mbr_partition *p = &lay->mbr.partitions[i];

		if (p->type != MBR_TYPE_EMPTY && p->type != MBR_TYPE_PROTECTIVE &&
		    is_lost(lay, p->start, p->size, p->loaders))
			return p->number;
	}
	return 0;
}

static bool lacks(uint8_t cd, uint8_t usb)
{
	return cd == BOOT_YES && usb != BOOT_YES;
}

/* A stick with a raw copy boots so, and a hybrid would not? Then auto leaves it alone. */
static bool would_lose(const struct layout *lay, const struct hybrid *h)
{
	const struct layout_boot_report *b = &lay->boot;

	return (b->bios.usb == BOOT_YES && h->bios == BOOTCODE_UEFI_ONLY) ||
	       (b->uefi_x64.usb == BOOT_YES && !(h->archs & LOADER_X64)) ||
	       (b->uefi_ia32.usb == BOOT_YES && !(h->archs & LOADER_IA32)) ||
	       (b->uefi_aa64.usb == BOOT_YES && !(h->archs & LOADER_AA64));
}

bool hybrid_spares_code(const struct layout *lay)
{
	const struct layout_boot_report *b = &lay->boot;

	return b->bios.usb == BOOT_UNKNOWN &&
	       (b->bios_reason == REASON_UNKNOWN_CODE || b->bios_reason == REASON_GRUB_UNCLEAR ||
		b->bios_reason == REASON_PARTITION_UNKNOWN);
}

static void judge(const struct layout *lay, struct hybrid *h)
{
	const struct layout_boot_report *b = &lay->boot;

	h->lost_partition = find_lost(lay);
	if (would_lose(lay, h) || h->lost_partition > 0 || hybrid_spares_code(lay))
		return;
	h->fixes_bios = h->bios != BOOTCODE_UEFI_ONLY && lacks(b->bios.cd, b->bios.usb);
	h->fixes_uefi = (h->archs & LOADER_X64 && lacks(b->uefi_x64.cd, b->uefi_x64.usb)) ||
			(h->archs & LOADER_IA32 && lacks(b->uefi_ia32.cd, b->uefi_ia32.usb)) ||
			(h->archs & LOADER_AA64 && lacks(b->uefi_aa64.cd, b->uefi_aa64.usb));
}

/* NULL, or why its first 32 KiB cannot be ours. A clause. */
static const char *why_not(const struct layout *lay)
{
	if (!lay->volume.present)
		return _("it is no ISO 9660 image");
	if (lay->size == UINT64_MAX || lay->is_partial)
		return _("only its beginning can be seen");
	if (lay->is_truncated)
		return _("it is cut short");
	if (lay->el_torito.present && (uint64_t)lay->el_torito.catalog_lba * BLOCK < SYSTEM_AREA)
		return _("its boot catalog lies where boot code and tables would go");
	if (lay->superfloppy)
		return _("a file system that is not the disc's begins at its first byte");
	if (lay->sector_size > BLOCK)
		return _("its partition table is made for sectors of 4096 bytes");
	return NULL;
}

bool hybrid_choose(const struct layout *lay, uint32_t entry, struct hybrid *ret,
		   const char **ret_why)
{
	struct hybrid h = { .n_esp = 0 };
	const char *why = why_not(lay);

	if (why) {
		*ret_why = why;
		return false;
	}
	if (!choose_bios(lay, entry, &h, ret_why))
		return false;
	choose_volumes(lay, &h);
	if (h.bios == BOOTCODE_UEFI_ONLY && h.n_esp == 0) {
		*ret_why = _("it holds nothing that boots by BIOS or UEFI");
		return false;
	}
	judge(lay, &h);
	*ret = h;
	return true;
}

/* A Windows disc's answers stay doubtful on a stick, so they do not tell that it is one already. */
static bool is_ours(const struct layout *lay)
{
	return lay->mbr.code == MBR_CODE_ISOWRITE && lay->mbr.is_protective && lay->gpt.valid;
}

bool hybrid_is_needed(const struct layout *lay)
{
	struct hybrid h;
	const char *why;

	if (lay->kind == LAYOUT_WINDOWS && is_ours(lay))
		return false;
	return hybrid_choose(lay, 0, &h, &why) && (h.fixes_bios || h.fixes_uefi);
}
