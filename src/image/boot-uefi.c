// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Does UEFI boot it? By the rules of EDK2's PartitionDxe, FatPkg and UDF driver, from which most
 * firmware comes (tianocore/edk2, MdeModulePkg/Universal/Disk/PartitionDxe; UEFI 2.10 section
 * 5.2, 5.3 and 13.3). The first of these that is there hides the others:
 *
 *   GPT         if an MBR entry of type EE begins at block 1
 *   El Torito, UDF
 *               on sticks by newer firmware only, and then of the catalog only the
 *               first 512 bytes
 *   MBR         its partitions, unless two of them overlap or one ends behind the medium
 *   FAT         without any of them
 *
 * In it any FAT volume counts, whatever its type, that holds EFI/BOOT/BOOT*.EFI.
 * Firmware differs, so a stick is looked at as each kind of firmware sees it: the
 * answer is "yes" if all of them find a loader.
 */
#include "image/boot.h"

#include <string.h>

#include "base/num.h"
#include "disk/mbr.h"

#define DISC_BLOCK 2048U
#define CATALOG_RECORD 32U
#define GPT_NO_BLOCK_IO (UINT64_C(1) << 1) /* UEFI 2.10 table 5.7 */

/* What one kind of firmware is like, and the medium. */
struct firmware {
	const struct detect *d;
	uint32_t block_size;
	bool reads_catalogs; /* and UDF */
	bool is_exact; /* the medium ends where the image does; else it is larger */
};

struct view {
	uint32_t loaders; /* enum loader_arch bits, LOADER_UNSEEN too */
	enum boot_reason by;
};

/* ---- GPT */

static bool is_in_range(const struct layout_gpt_header *h, const struct layout_gpt_partition *p)
{
	return p->first_lba <= p->last_lba && p->first_lba >= h->first_usable_lba &&
	       p->last_lba <= h->last_usable_lba;
}

/*
 * EDK2 goes through the entries in order: one out of range is dropped at once, any other is
 * compared with all that follow, in range or not, and both of a pair that overlaps are dropped.
 */
static bool gpt_partition_is_seen(const struct layout_gpt *gpt, uint32_t index)
{
	const struct layout_gpt_header *h = gpt->valid ? &gpt->primary : &gpt->backup;
	const struct layout_gpt_partition *p = &gpt->partitions[index];

	if (p->size == 0 || !is_in_range(h, p) || p->attributes & GPT_NO_BLOCK_IO)
		return false;
	for (uint32_t i = 0; i < gpt->n_partitions; i++) {
		const struct layout_gpt_partition *q = &gpt->partitions[i];
		bool is_compared = i > index || (i < index && is_in_range(h, q));

		if (is_compared && p->first_lba <= q->last_lba && q->first_lba <= p->last_lba)
			return false;
	}
	return true;
}

static bool look_at_gpt(const struct firmware *fw, struct view *ret)
{
	const struct layout *lay = fw->d->lay;
	const struct layout_gpt *gpt = &lay->gpt;

	if (!lay->mbr.is_protective || gpt->block_size != fw->block_size)
		return false;
	/* A backup is looked for in the medium's last block; from it firmware mends the primary. */
	if (!gpt->valid && !(gpt->backup.valid && gpt->backup_at_end && fw->is_exact))
		return false;
	for (uint32_t i = 0; i < gpt->n_partitions; i++)
		if (gpt_partition_is_seen(gpt, i))
			ret->loaders |= gpt->partitions[i].loaders;
	ret->by = gpt->valid ? REASON_UEFI_GPT : REASON_UEFI_EXACT;
	return true;
}

/* ---- MBR */

static bool is_counted(const struct layout_mbr_partition *p)
{
	return p->type != MBR_TYPE_EMPTY && p->len_blocks > 0;
}

static bool mbr_is_accepted(const struct firmware *fw, const struct layout_mbr *mbr)
{
	bool has_any = false;

	for (uint32_t i = 0; i < mbr->n_partitions; i++) {
		const struct layout_mbr_partition *p = &mbr->partitions[i];

		if (!is_counted(p))
			continue;
		has_any = true;
		if (fw->is_exact && p->start + p->size > fw->d->size)
			return false;
		for (uint32_t k = 0; k < i; k++) {
			const struct layout_mbr_partition *q = &mbr->partitions[k];

			if (is_counted(q) && p->start < q->start + q->size &&
			    q->start < p->start + p->size)
				return false;
		}
	}
	return mbr->present && mbr->block_size == fw->block_size && has_any;
}

static bool look_at_mbr(const struct firmware *fw, struct view *ret)
{
	const struct layout_mbr *mbr = &fw->d->lay->mbr;

	if (!mbr_is_accepted(fw, mbr))
		return false;
	for (uint32_t i = 0; i < mbr->n_partitions; i++)
		if (is_counted(&mbr->partitions[i]))
			ret->loaders |= mbr->partitions[i].loaders;
	for (uint32_t i = 0; i < mbr->n_logical; i++)
		ret->loaders |= mbr->logical[i].loaders;
	ret->by = REASON_UEFI_MBR;
	return true;
}

/* ---- El Torito and UDF */

/*
 * The part of an entry's image that EDK2 makes accessible: by its own arithmetic, in which a
 * count without emulation counts blocks of the medium, and on small blocks four times as many
 * again. Counts of 0 and 1 mean up to the volume's end, unless that lies before the image.
 * UINT64_MAX: to the medium's end.
 */
static uint64_t window_of(const struct firmware *fw, const struct layout_boot_entry *e)
{
	uint64_t volume = fw->d->lay->volume.size / DISC_BLOCK, count = e->sector_count;
	uint64_t scale = DISC_BLOCK / fw->block_size;

	if (e->emulation != EMUL_NONE)
		return UINT64_MAX;
	if (count < 2) {
		bool is_cut = fw->is_exact && volume > fw->d->size / fw->block_size;

		if (is_cut || volume < e->lba)
			return UINT64_MAX;
		count = volume - e->lba;
	}
	return count * scale * DISC_BLOCK;
}

static bool look_at_catalog(const struct firmware *fw, struct view *ret)
{
	const struct layout_el_torito *et = &fw->d->lay->el_torito;
	uint32_t n_records = fw->block_size / CATALOG_RECORD;
	bool is_found = false;

	if (!et->present || !et->checksum_valid)
		return false;
	for (uint32_t i = 0; i < et->n_entries; i++) {
		const struct layout_boot_entry *e = &et->entries[i];

		if (!e->bootable || e->lba == 0 || e->record >= n_records)
			continue;
		is_found = true;
		ret->by = REASON_UEFI_CATALOG;
		if (e->loaders && window_of(fw, e) < e->size)
			ret->loaders |= LOADER_UNSEEN; /* cut, perhaps in front of the loader */
		else
			ret->loaders |= e->loaders;
	}
	if (is_found && et->is_last_session_only)
		ret->loaders = LOADER_UNSEEN;
	return is_found;
}

static bool look_at_disc(const struct firmware *fw, struct view *ret)
{
	const struct layout *lay = fw->d->lay;
	bool is_found =
		fw->block_size <= DISC_BLOCK && fw->reads_catalogs && look_at_catalog(fw, ret);

	if (is_found || !lay->udf || !fw->reads_catalogs || fw->block_size > DISC_BLOCK)
		return is_found;
	/* Only some of UDF is read, and what is in it was not looked at. */
	ret->loaders |= lay->udf_may_boot || look_at_mbr(fw, ret) ? LOADER_UNSEEN : 0;
	ret->by = REASON_UEFI_UDF;
	return true;
}

/* ---- all of it */

static struct view look(const struct firmware *fw)
{
	struct view view = { .loaders = 0 };

	if (look_at_gpt(fw, &view) || look_at_disc(fw, &view) || look_at_mbr(fw, &view))
		return view;
	view.loaders = fw->d->lay->superfloppy_loaders;
	view.by = REASON_UEFI_FILES;
	return view;
}

/* A stick as all kinds of firmware see it. */
struct sticks {
	uint32_t by_all, by_any; /* loaders */
	bool is_unseen;
	struct view newer, older; /* on a stick of the image's size, else on a larger one */
};

static struct sticks look_at_sticks(const struct detect *d)
{
	bool may_be_larger = !d->src->is_block_device;
	struct sticks s = { .by_all = LOADER_ALL };

	for (unsigned int i = 0; i < 4; i++) {
		struct firmware fw = { d, boot_stick_sector(d), i & 1, i & 2 };
		struct view view = look(&fw);

		if (!fw.is_exact && !may_be_larger)
			continue;
		s.by_all &= view.loaders;
		s.by_any |= view.loaders;
		if (fw.reads_catalogs)
			s.newer = view;
		else
			s.older = view;
	}
	s.is_unseen = s.by_any & LOADER_UNSEEN;
	return s;
}

static uint8_t answer(uint32_t by_all, uint32_t by_any, uint32_t arch)
{
	if (by_all & arch)
		return BOOT_YES;
	return by_any & (arch | LOADER_UNSEEN) ? BOOT_UNKNOWN : BOOT_NO;
}

static bool has_loader(const struct layout *lay)
{
	uint32_t loaders = 0;

	for (uint32_t i = 0; i < lay->el_torito.n_entries; i++)
		loaders |= lay->el_torito.entries[i].loaders;
	for (uint32_t i = 0; i < lay->gpt.n_partitions; i++)
		loaders |= lay->gpt.partitions[i].loaders;
	for (uint32_t i = 0; i < lay->mbr.n_partitions; i++)
		loaders |= lay->mbr.partitions[i].loaders;
	return loaders & LOADER_ALL;
}

static enum boot_reason reason_of(const struct layout *lay, const struct sticks *s)
{
	if (s->by_all & LOADER_ALL)
		return s->older.by;
	if (s->newer.by == REASON_UEFI_EXACT && s->by_any & LOADER_ALL)
		return REASON_UEFI_EXACT;
	if (s->newer.loaders & LOADER_ALL)
		return REASON_UEFI_CATALOG;
	if (s->older.loaders & LOADER_ALL)
		return s->newer.by == REASON_UEFI_UDF ? REASON_UEFI_UDF : REASON_UEFI_HIDDEN;
	if (s->is_unseen)
		return s->newer.by == REASON_UEFI_UDF ? REASON_UEFI_UDF : REASON_UEFI_UNSEEN;
	return has_loader(lay) ? REASON_UEFI_NOT_LED_TO : REASON_UEFI_NONE;
}

void boot_judge_uefi(struct detect *d)
{
	struct firmware cd = { d, DISC_BLOCK, true, true };
	struct layout_boot_report *b = &d->lay->boot;
	struct sticks s = look_at_sticks(d);
	struct view disc = look(&cd);

	b->uefi_x64.cd = answer(disc.loaders, disc.loaders, LOADER_X64);
	b->uefi_ia32.cd = answer(disc.loaders, disc.loaders, LOADER_IA32);
	b->uefi_aa64.cd = answer(disc.loaders, disc.loaders, LOADER_AA64);
	b->uefi_x64.usb = answer(s.by_all, s.by_any, LOADER_X64);
	b->uefi_ia32.usb = answer(s.by_all, s.by_any, LOADER_IA32);
	b->uefi_aa64.usb = answer(s.by_all, s.by_any, LOADER_AA64);
	b->uefi_reason = (uint8_t)reason_of(d->lay, &s);
}
