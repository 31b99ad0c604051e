// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The boot report: where will it boot, as a disc and as a stick? A prediction by the rules that
 * firmware follows (boot-bios.c, boot-uefi.c), and what writing it as a hybrid would add:
 *
 *   yes      under all firmware that these rules describe
 *   no       under none
 *   fixable  a plain copy does not, or only under some; `isowrite write` makes it boot
 *   unknown  under some only, or no rule decides
 *
 * "Yes" is a promise. What is not seen, or only likely, is unknown.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "disk/mbr.h"
#include "image/boot.h"
#include "image/hybrid.h"

#define N_ANSWERS 4

/* BIOS, then UEFI; arch is 0 for BIOS. */
struct answer {
	uint8_t *cd, *usb;
	uint32_t arch;
	const char *name;
};

static void list_answers(struct layout_boot_report *b, struct answer ret[N_ANSWERS])
{
	ret[0] = (struct answer){ &b->bios.cd, &b->bios.usb, 0, _("BIOS") };
	ret[1] = (struct answer){ &b->uefi_x64.cd, &b->uefi_x64.usb, LOADER_X64, _("UEFI x64") };
	ret[2] =
		(struct answer){ &b->uefi_ia32.cd, &b->uefi_ia32.usb, LOADER_IA32, _("UEFI ia32") };
	ret[3] =
		(struct answer){ &b->uefi_aa64.cd, &b->uefi_aa64.usb, LOADER_AA64, _("UEFI aa64") };
}

uint32_t boot_stick_sector(const struct detect *d)
{
	if (d->src->is_block_device)
		return d->src->sector_size;
	if (d->lay->gpt.valid && d->lay->mbr.is_protective && d->lay->gpt.block_size == 4096)
		return 4096;
	return d->lay->mbr.present && d->lay->mbr.block_size == 4096 ? 4096 : 512;
}

/* ---- what is known by more than the rules */

/* Half an image may get as far as its boot loader, which is of no use. */
static void doubt_truncated(struct layout_boot_report *b)
{
	struct answer a[N_ANSWERS];

	list_answers(b, a);
	for (size_t i = 0; i < N_ANSWERS; i++) {
		if (*a[i].cd == BOOT_YES)
			*a[i].cd = BOOT_UNKNOWN;
		if (*a[i].usb == BOOT_YES)
			*a[i].usb = BOOT_UNKNOWN;
	}
	b->bios_reason = b->uefi_reason = REASON_TRUNCATED;
}

/*
 * What a plain copy does not boot, or not everywhere, and a hybrid would: where auto makes one,
 * also what not even the disc boots (an image for BIOS behind the catalog's first entry).
 */
static int find_fixable(struct detect *d, struct error *err)
{
	struct layout *lay = d->lay;
	uint8_t image = BOOT_NO;
	struct answer a[N_ANSWERS];
	struct hybrid h;
	const char *why;

	/* Hybrids are made for sectors of 512 bytes, and not from what is only seen in part. */
	lay->boot.is_hybrid_needed = d->src->access == SOURCE_RANDOM &&
				     boot_stick_sector(d) == 512 && hybrid_is_needed(lay);
	if (!lay->boot.is_hybrid_needed || !hybrid_choose(lay, 0, &h, &why))
		return 0;
	/* isolinux and GRUB are entered as they want to be, whatever the catalog would load. */
	if (h.bios == BOOTCODE_ISOLINUX || h.bios == BOOTCODE_GRUB2)
		image = BOOT_YES;
	else if (h.bios == BOOTCODE_CDEMU &&
		 boot_judge_image(d, &lay->el_torito.entries[h.bios_entry], &image, err) < 0)
		return -1;
	list_answers(&lay->boot, a);
	for (size_t i = 0; i < N_ANSWERS; i++)
		if (*a[i].usb != BOOT_YES &&
		    (a[i].arch ? (h.archs & a[i].arch) != 0 : image == BOOT_YES))
			*a[i].usb = BOOT_FIXABLE;
	return 0;
}

/* Their loaders start; whether they find the disc that they came from, nobody has shown. */
static void doubt_windows(struct layout_boot_report *b)
{
	struct answer a[N_ANSWERS];

	list_answers(b, a);
	for (size_t i = 0; i < N_ANSWERS; i++) {
		if (*a[i].usb == BOOT_NO)
			continue;
		*a[i].usb = BOOT_UNKNOWN;
		if (a[i].arch)
			b->uefi_reason = REASON_WINDOWS;
		else
			b->bios_reason = REASON_WINDOWS;
	}
}

/* ---- findings */

/* Said before anything is erased: who boots the disc today will miss the stick. */
static void tell_of_discs(struct layout *lay)
{
	bool boots_disc = false, boots_stick = false, may_boot = false, is_fixable = false;
	char names[64] = "";
	struct answer a[N_ANSWERS];
	size_t used = 0;

	list_answers(&lay->boot, a);
	for (size_t i = 0; i < N_ANSWERS; i++) {
		boots_disc |= *a[i].cd == BOOT_YES;
		boots_stick |= *a[i].usb == BOOT_YES;
		may_boot |= *a[i].usb == BOOT_UNKNOWN;
		if (*a[i].usb != BOOT_FIXABLE || used >= sizeof(names))
			continue;
		is_fixable = true;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", a[i].name);
	}
	if (lay->kind == LAYOUT_WINDOWS && boots_disc)
		layout_add_finding(lay, LAYOUT_WARNING, "windows-disc",
				   _("A Windows disc: whether its setup finds its files when it is "
				     "started from a stick with a copy of it is not known."));
	else if (is_fixable)
		layout_add_finding(
			lay, LAYOUT_INFO, "disc-only",
			_("A plain copy on a stick would not boot by %s, or not with all "
			  "firmware; written as hybrid, as auto does, it would."),
			names);
	else if (boots_disc && hybrid_spares_code(lay))
		layout_add_finding(
			lay, LAYOUT_INFO, "unknown-code",
			_("Whether its own boot code starts a stick by BIOS is not known; it "
			  "stays, unless --mode=hybrid puts another in its place."));
	else if (boots_disc && !boots_stick && may_boot)
		layout_add_finding(lay, LAYOUT_WARNING, "disc-only",
				   _("Made for discs: a stick with this image boots with some "
				     "firmware only."));
	else if (boots_disc && !boots_stick)
		layout_add_finding(lay, LAYOUT_WARNING, "disc-only",
				   _("Made for discs: a stick with this image is not expected to "
				     "boot."));
}

static void tell_of_active(struct layout *lay)
{
	if (lay->boot.bios.usb != BOOT_YES || !lay->mbr.present)
		return;
	for (uint32_t i = 0; i < lay->mbr.n_partitions; i++)
		if (lay->mbr.partitions[i].active)
			return;
	layout_add_finding(lay, LAYOUT_INFO, "bios-no-active",
			   _("No partition of the MBR is active; some BIOSes do not offer to boot "
			     "such a stick."));
}

static bool gpt_is_legal(const struct layout_gpt *gpt)
{
	for (uint32_t i = 0; i < gpt->n_partitions; i++) {
		const struct layout_gpt_partition *p = &gpt->partitions[i];

		if (p->first_lba < gpt->primary.first_usable_lba ||
		    p->last_lba > gpt->primary.last_usable_lba)
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (p->first_lba <= gpt->partitions[k].last_lba &&
			    gpt->partitions[k].first_lba <= p->last_lba)
				return false;
	}
	return true;
}

static bool boots_stick_by_uefi(const struct layout_boot_report *b)
{
	return b->uefi_x64.usb == BOOT_YES || b->uefi_ia32.usb == BOOT_YES ||
	       b->uefi_aa64.usb == BOOT_YES;
}

static bool mbr_has_loader(const struct layout_mbr *mbr)
{
	for (uint32_t i = 0; i < mbr->n_partitions; i++)
		if (mbr->partitions[i].loaders & LOADER_ALL)
			return true;
	return false;
}

static void tell_of_tables(struct layout *lay)
{
	const struct layout_gpt *gpt = &lay->gpt;

	/* What the installers of Debian have: their GPT is there for old Macs only. */
	if (gpt->valid && !lay->mbr.is_protective && !gpt_is_legal(gpt) &&
	    boots_stick_by_uefi(&lay->boot))
		layout_add_finding(lay, LAYOUT_INFO, "gpt-illegal",
				   _("Its GPT is unprotected and its partitions overlap; a few "
				     "strict UEFI machines do not show such a stick, and "
				     "--mode=hybrid writes a legal one."));
	if (lay->mbr.is_protective && gpt->valid && mbr_has_loader(&lay->mbr) &&
	    !boots_stick_by_uefi(&lay->boot))
		layout_add_finding(lay, LAYOUT_INFO, "gpt-hides-mbr",
				   _("The UEFI boot loader is in an MBR partition that the GPT "
				     "hides from firmware."));
}

static void tell_of_default_entry(struct layout *lay)
{
	const struct layout_el_torito *et = &lay->el_torito;

	for (uint32_t i = 1; i < et->n_entries && et->entries[0].platform != BOOT_BIOS; i++) {
		if (et->entries[i].platform != BOOT_BIOS || !et->entries[i].bootable)
			continue;
		layout_add_finding(lay, LAYOUT_INFO, "el-torito-default",
				   _("Entry %" PRIu32
				     " of the boot catalog is for BIOS, but hardly "
				     "any looks behind the first one, which is not."),
				   i + 1);
		return;
	}
}

static void tell_of_platforms(struct layout *lay)
{
	const struct layout_el_torito *et = &lay->el_torito;
	bool has_other = false;

	for (uint32_t i = 0; i < et->n_entries; i++) {
		if (!et->entries[i].bootable || !(et->entries[i].loaders & LOADER_ALL))
			continue;
		if (et->entries[i].platform == BOOT_EFI)
			return;
		has_other = true;
	}
	if (has_other)
		layout_add_finding(lay, LAYOUT_INFO, "el-torito-platform",
				   _("The boot catalog does not say that its UEFI image is for "
				     "UEFI; some firmware passes over it."));
}

static void tell_of_sectors(const struct detect *d)
{
	if (d->src->is_block_device && boot_stick_sector(d) == 4096 && d->lay->volume.present)
		layout_add_finding(d->lay, LAYOUT_WARNING, "big-sectors",
				   _("This device has sectors of 4096 bytes: hardly any firmware "
				     "boots a disc image from it, and Linux cannot mount one."));
}

int detect_boot(struct detect *d, struct error *err)
{
	struct layout *lay = d->lay;

	if (boot_judge_bios(d, err) < 0)
		return -1;
	boot_judge_uefi(d);
	if (lay->is_truncated)
		doubt_truncated(&lay->boot);
	if (find_fixable(d, err) < 0)
		return -1;
	if (lay->kind == LAYOUT_WINDOWS)
		doubt_windows(&lay->boot);
	if (!lay->is_truncated)
		tell_of_discs(lay);
	tell_of_active(lay);
	tell_of_tables(lay);
	tell_of_default_entry(lay);
	tell_of_platforms(lay);
	tell_of_sectors(d);
	return 0;
}
