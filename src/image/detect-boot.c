// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Where will it boot, as a disc and as a stick? A prediction from what is in
 * the image by the rules that firmware follows:
 *
 *   BIOS, disc   the default entry of an El Torito catalog for x86
 *   BIOS, stick  MBR code, and the address that it was patched with must hold
 *                the image that it was made for
 *   UEFI, disc   an El Torito entry that is a FAT volume with EFI/BOOT/BOOT*.EFI
 *   UEFI, stick  the first that is there of: a GPT behind a protective MBR
 *                (UEFI 2.10 5.2.3), El Torito (newer firmware only), an MBR
 *                whose partitions do not overlap; in it a FAT with a loader
 *
 * "Unknown" is said where no rule decides: code of an unknown program, and
 * what only some firmware does.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "disk/isohybrid.h"
#include "disk/mbr.h"
#include "image/detect.h"
#include "image/loaders.h"

#define BLOCK 2048U
#define SMALL_SECTOR_RECORDS 16U /* of the catalog; EDK2 reads one 512-byte sector on sticks */

/* What a group of FAT volumes offers to UEFI. */
struct offer {
	uint32_t archs; /* loaders found */
	uint32_t maybe; /* loaders that only some firmware looks for */
	bool is_unseen; /* a volume could not be looked into */
};

static void say(char *buf, size_t size, const char *text)
{
	snprintf(buf, size, "%s", text);
}

static int add_offer(struct detect *d, uint64_t start, struct offer *offer, struct error *err)
{
	struct loaders loaders;

	if (loaders_find(d, start, &loaders, err) < 0)
		return -1;
	offer->archs |= loaders.archs;
	if (!loaders.is_complete)
		offer->is_unseen = true;
	return 0;
}

/* ------------------------------------------------------------------------------- BIOS */

static bool is_bios_entry(const struct layout_boot_entry *e)
{
	return e->platform == BOOT_BIOS && e->bootable;
}

/* A FAT volume for UEFI, entered by mistake of the mastering program, only prints a message. */
static int image_is_for_uefi(struct detect *d, const struct layout_boot_entry *e, bool *ret,
			     struct error *err)
{
	struct offer offer = { .archs = 0 };

	if (e->emulation == EMUL_NONE && add_offer(d, (uint64_t)e->lba * BLOCK, &offer, err) < 0)
		return -1;
	*ret = offer.archs != 0;
	return 0;
}

static uint8_t judge_bios_entries(const struct layout *lay, bool is_for_uefi)
{
	const struct layout_el_torito *et = &lay->el_torito;

	/* What lies behind a truncated image's end cannot be loaded. */
	if (lay->size != UINT64_MAX && (uint64_t)et->entries[0].lba * BLOCK + 512 > lay->size)
		return BOOT_NO;
	if (is_bios_entry(&et->entries[0]))
		return et->checksum_valid && !is_for_uefi ? BOOT_YES : BOOT_UNKNOWN;
	for (uint32_t i = 1; i < et->n_entries; i++)
		if (is_bios_entry(&et->entries[i]))
			return BOOT_UNKNOWN; /* few BIOSes look behind the default entry */
	return BOOT_NO;
}

static int judge_bios_disc(struct detect *d, struct error *err)
{
	struct layout *lay = d->lay;
	bool is_for_uefi;

	lay->boot.bios.cd = BOOT_NO;
	if (!lay->el_torito.present || lay->el_torito.n_entries == 0)
		return 0;
	if (image_is_for_uefi(d, &lay->el_torito.entries[0], &is_for_uefi, err) < 0)
		return -1;
	lay->boot.bios.cd = judge_bios_entries(lay, is_for_uefi);
	return 0;
}

static const struct layout_boot_entry *find_entry(const struct layout *lay, uint64_t block_512)
{
	for (uint32_t i = 0; i < lay->el_torito.n_entries; i++)
		if ((uint64_t)lay->el_torito.entries[i].lba * (BLOCK / 512) == block_512)
			return &lay->el_torito.entries[i];
	return NULL;
}

static int judge_isolinux(struct detect *d, const uint8_t *mbr, struct error *err)
{
	struct layout_boot_report *boot = &d->lay->boot;
	uint64_t target = isolinux_mbr_target(mbr);
	const struct layout_boot_entry *e = find_entry(d->lay, target);
	uint8_t head[ISOHYBRID_IMAGE_HEAD];
	int rc = detect_read(d, target * 512, head, sizeof(head), err);

	if (rc < 0)
		return -1;
	boot->bios.usb = BOOT_NO;
	if (rc == 0 && d->lay->is_partial) {
		boot->bios.usb = BOOT_UNKNOWN;
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("isolinux lies behind what can be seen of a stream"));
	} else if (rc == 0 || !isolinux_image_is_hybrid(head, sizeof(head))) {
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("the MBR's isolinux code points to a place without isolinux"));
	} else if (e && !e->boot_info_table) {
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("isolinux lacks its boot info table"));
	} else {
		boot->bios.usb = BOOT_YES;
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("the MBR's isolinux code finds isolinux"));
	}
	return 0;
}

static void judge_grub2(struct layout *lay, const uint8_t *mbr)
{
	const struct layout_boot_entry *e = find_entry(lay, grub2_mbr_target(mbr));
	struct layout_boot_report *boot = &lay->boot;

	boot->bios.usb = BOOT_UNKNOWN;
	if (!lay->volume.present) {
		say(boot->bios_why, sizeof(boot->bios_why), _("the MBR holds GRUB's code"));
	} else if (e && e->grub2_boot_info) {
		boot->bios.usb = BOOT_YES;
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("the MBR's GRUB code finds GRUB's boot image"));
	} else {
		/* It may load a GRUB from elsewhere; only the El Torito image is checked here. */
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("the MBR's GRUB code points to no boot image that could be checked"));
	}
}

static int judge_memtest(struct detect *d, const uint8_t *mbr, struct error *err)
{
	struct layout_boot_report *boot = &d->lay->boot;
	uint64_t target = grub2_mbr_target(mbr);
	uint8_t head[1024];
	int rc = target < UINT32_MAX ? detect_read(d, target * 512, head, sizeof(head), err) : 0;

	if (rc < 0)
		return -1;
	boot->bios.usb = BOOT_UNKNOWN;
	say(boot->bios_why, sizeof(boot->bios_why),
	    _("the MBR's Memtest86+ code points to no image that could be checked"));
	if (rc > 0 && linux_image_has_header(head, sizeof(head))) {
		boot->bios.usb = BOOT_YES;
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("the MBR's Memtest86+ code finds its image"));
	}
	return 0;
}

static bool has_code(const uint8_t *sector)
{
	for (size_t i = 0x5a; i < 510; i++)
		if (sector[i])
			return true;
	return false;
}

static int judge_bios_stick(struct detect *d, struct error *err)
{
	struct layout *lay = d->lay;
	struct layout_boot_report *boot = &lay->boot;
	uint8_t mbr[ISOHYBRID_MBR_SIZE];
	int rc = detect_read(d, 0, mbr, sizeof(mbr), err);

	if (rc < 0)
		return -1;
	boot->bios.usb = BOOT_NO;
	if (rc == 0)
		return 0;
	if (lay->superfloppy) {
		boot->bios.usb = has_code(mbr) ? BOOT_UNKNOWN : BOOT_NO;
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("the file system's boot sector holds code of an unknown program"));
		return 0;
	}
	switch (lay->mbr.code) {
	case MBR_CODE_ISOLINUX:
		return judge_isolinux(d, mbr, err);
	case MBR_CODE_GRUB2:
		judge_grub2(lay, mbr);
		return 0;
	case MBR_CODE_NONE:
		say(boot->bios_why, sizeof(boot->bios_why),
		    boot->bios.cd == BOOT_YES ? _("made for discs only, without MBR code")
					      : _("no MBR code"));
		return 0;
	case MBR_CODE_ISOWRITE:
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("it was formatted for files"));
		return 0;
	default:
		if (mbr_code_is_memtest(mbr))
			return judge_memtest(d, mbr, err);
		boot->bios.usb = BOOT_UNKNOWN;
		say(boot->bios_why, sizeof(boot->bios_why),
		    _("the MBR holds code that isowrite cannot judge"));
		return 0;
	}
}

/* ------------------------------------------------------------------------------- UEFI */

/*
 * max_record: firmware that reads only the start of the catalog sees no more.
 * EDK2 looks into entries of every platform, other firmware at those for EFI.
 */
static int offer_el_torito(struct detect *d, uint32_t max_record, struct offer *ret,
			   struct error *err)
{
	const struct layout_el_torito *et = &d->lay->el_torito;
	struct offer other = { .archs = 0 };

	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < et->n_entries; i++) {
		const struct layout_boot_entry *e = &et->entries[i];

		if (e->bootable && e->record < max_record &&
		    add_offer(d, (uint64_t)e->lba * BLOCK, e->platform == BOOT_EFI ? ret : &other,
			      err) < 0)
			return -1;
	}
	ret->maybe = other.archs;
	return 0;
}

/* Firmware drops entries outside the usable area, then all that overlap. */
static bool gpt_partition_is_seen(const struct layout_gpt *gpt, uint32_t index)
{
	const struct layout_gpt_header *h = gpt->valid ? &gpt->primary : &gpt->backup;
	const struct layout_gpt_partition *p = &gpt->partitions[index];

	if (p->size == 0 || p->first_lba < h->first_usable_lba || p->last_lba > h->last_usable_lba)
		return false;
	for (uint32_t i = 0; i < gpt->n_partitions; i++) {
		const struct layout_gpt_partition *q = &gpt->partitions[i];

		if (i == index || q->first_lba < h->first_usable_lba ||
		    q->last_lba > h->last_usable_lba)
			continue;
		if (p->first_lba <= q->last_lba && q->first_lba <= p->last_lba)
			return false;
	}
	return true;
}

static int offer_gpt(struct detect *d, struct offer *ret, struct error *err)
{
	const struct layout_gpt *gpt = &d->lay->gpt;

	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < gpt->n_partitions; i++)
		if (gpt_partition_is_seen(gpt, i) &&
		    add_offer(d, gpt->partitions[i].start, ret, err) < 0)
			return -1;
	return 0;
}

/* UEFI 2.10 5.2.1: overlapping partitions make the whole table invalid; type 00 does not count. */
static bool mbr_is_accepted(const struct layout_mbr *mbr)
{
	for (uint32_t i = 0; i < mbr->n_partitions; i++) {
		const struct layout_mbr_partition *p = &mbr->partitions[i];

		for (uint32_t k = 0; k < i; k++) {
			const struct layout_mbr_partition *q = &mbr->partitions[k];

			if (p->type != MBR_TYPE_EMPTY && q->type != MBR_TYPE_EMPTY &&
			    p->start < q->start + q->size && q->start < p->start + p->size)
				return false;
		}
	}
	return mbr->present;
}

static int offer_mbr(struct detect *d, struct offer *ret, struct error *err)
{
	const struct layout_mbr *mbr = &d->lay->mbr;

	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; mbr_is_accepted(mbr) && i < mbr->n_partitions; i++)
		if (mbr->partitions[i].type != MBR_TYPE_EMPTY &&
		    mbr->partitions[i].type != MBR_TYPE_PROTECTIVE &&
		    add_offer(d, mbr->partitions[i].start, ret, err) < 0)
			return -1;
	return 0;
}

static uint8_t answer(const struct offer *offer, uint32_t arch)
{
	if (offer->archs & arch)
		return BOOT_YES;
	return offer->maybe & arch || offer->is_unseen ? BOOT_UNKNOWN : BOOT_NO;
}

/* A FAT without a table, or the tables' offers by the firmware's order. */
struct stick {
	struct offer table; /* what all firmware sees */
	struct offer el_torito; /* what only newer firmware sees, before the MBR */
	const char *by; /* for the reason */
};

static int look_at_stick(struct detect *d, struct stick *ret, struct error *err)
{
	const struct layout *lay = d->lay;
	bool is_gpt = lay->mbr.is_protective && (lay->gpt.valid || lay->gpt.backup.valid);

	memset(ret, 0, sizeof(*ret));
	if (lay->superfloppy) {
		ret->by = _("a FAT volume at the start");
		return add_offer(d, 0, &ret->table, err);
	}
	if (is_gpt) {
		ret->by = _("a GPT partition");
		return offer_gpt(d, &ret->table, err);
	}
	ret->by = _("an MBR partition");
	if (offer_mbr(d, &ret->table, err) < 0)
		return -1;
	return offer_el_torito(d, SMALL_SECTOR_RECORDS, &ret->el_torito, err);
}

static void judge_arch(const struct offer *disc, const struct stick *stick, uint32_t arch,
		       uint8_t *ret_cd, uint8_t *ret_usb)
{
	*ret_cd = answer(disc, arch);
	*ret_usb = answer(&stick->table, arch);
	/* Firmware that ignores El Torito on sticks would find nothing. */
	if (*ret_usb == BOOT_NO && answer(&stick->el_torito, arch) != BOOT_NO)
		*ret_usb = BOOT_UNKNOWN;
}

static void give_uefi_reason(struct layout *lay, const struct offer *disc,
			     const struct stick *stick)
{
	char *why = lay->boot.uefi_why;
	size_t size = sizeof(lay->boot.uefi_why);

	if (stick->table.archs)
		snprintf(why, size, _("%s holds a UEFI boot loader"), stick->by);
	else if (stick->el_torito.archs)
		say(why, size, _("only firmware that reads boot catalogs on sticks"));
	else if (stick->el_torito.maybe)
		say(why, size, _("only firmware that tries boot images for BIOS too"));
	else if (stick->table.is_unseen || stick->el_torito.is_unseen)
		say(why, size, _("the boot partition could not be looked at"));
	else if (disc->archs)
		say(why, size, _("the partition tables lead to no UEFI boot loader"));
	else
		say(why, size, _("no UEFI boot loader"));
}

/* Said before anything is erased: who boots the disc today will miss the stick. */
static void warn_about_discs(struct layout *lay)
{
	const struct layout_boot_report *b = &lay->boot;
	bool boots_disc = b->bios.cd == BOOT_YES || b->uefi_x64.cd == BOOT_YES ||
			  b->uefi_ia32.cd == BOOT_YES || b->uefi_aa64.cd == BOOT_YES;
	bool may_boot_stick = b->uefi_x64.usb != BOOT_NO || b->uefi_ia32.usb != BOOT_NO ||
			      b->uefi_aa64.usb != BOOT_NO;

	if (!boots_disc || b->bios.usb != BOOT_NO || b->uefi_x64.usb == BOOT_YES ||
	    b->uefi_ia32.usb == BOOT_YES || b->uefi_aa64.usb == BOOT_YES)
		return;
	if (may_boot_stick)
		layout_add_finding(lay, LAYOUT_WARNING, "disc-only",
				   _("Made for discs: a stick with this image boots by UEFI only "
				     "where the firmware reads boot catalogs on sticks, and not by "
				     "BIOS."));
	else
		layout_add_finding(lay, LAYOUT_WARNING, "disc-only",
				   _("Made for discs: a stick with this image is not expected to "
				     "boot."));
}

/* Half an image may get as far as its boot loader, which is of no use. */
static void doubt_all(struct layout_boot_report *boot)
{
	uint8_t *answers[] = {
		&boot->bios.cd,      &boot->bios.usb,      &boot->uefi_x64.cd,
		&boot->uefi_x64.usb, &boot->uefi_ia32.cd,  &boot->uefi_ia32.usb,
		&boot->uefi_aa64.cd, &boot->uefi_aa64.usb,
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (*answers[i] == BOOT_YES)
			*answers[i] = BOOT_UNKNOWN;
	say(boot->bios_why, sizeof(boot->bios_why), _("the image is truncated"));
	say(boot->uefi_why, sizeof(boot->uefi_why), _("the image is truncated"));
}

int detect_boot(struct detect *d, struct error *err)
{
	struct layout_boot_report *boot = &d->lay->boot;
	struct stick stick;
	struct offer disc;

	if (judge_bios_disc(d, err) < 0 || judge_bios_stick(d, err) < 0 ||
	    offer_el_torito(d, UINT32_MAX, &disc, err) < 0 || look_at_stick(d, &stick, err) < 0)
		return -1;
	judge_arch(&disc, &stick, LOADER_X64, &boot->uefi_x64.cd, &boot->uefi_x64.usb);
	judge_arch(&disc, &stick, LOADER_IA32, &boot->uefi_ia32.cd, &boot->uefi_ia32.usb);
	judge_arch(&disc, &stick, LOADER_AA64, &boot->uefi_aa64.cd, &boot->uefi_aa64.usb);
	give_uefi_reason(d->lay, &disc, &stick);
	if (d->lay->is_truncated)
		doubt_all(boot);
	else
		warn_about_discs(d->lay);
	return 0;
}
