// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Does a BIOS boot it? By what it does, which is SeaBIOS's way and that of the
 * specification (El Torito 1.0, BIOS boot specification 1.01):
 *
 *   disc   the boot record in block 17, the catalog's default entry, and that
 *          only if the validation entry is for x86
 *   stick  sector 0 if it ends in 55 AA and sectors have 512 bytes. Its code is
 *          started blindly; whether that finds what it was made to load is
 *          looked at here, link by link.
 */
#include "image/boot.h"

#include <string.h>

#include "base/num.h"
#include "disk/bootcode.h"
#include "disk/eltorito.h"
#include "disk/isohybrid.h"
#include "disk/mbr.h"
#include "image/loaders.h"

#define BLOCK 2048U
#define SECTOR 512U
#define USUAL_SEGMENT 0x7c0U
#define LOAD_FIRST 0x600U
#define LOAD_END 0x98000U
#define GPT_LEGACY_BOOTABLE (UINT64_C(1) << 2) /* UEFI 2.10 table 5.7, for gptmbr.bin */
#define MAX_CDEMU 24U                          /* sectors */

static void say(struct detect *d, enum boot_answer answer, enum boot_reason reason)
{
	d->lay->boot.bios.usb = (uint8_t)answer;
	d->lay->boot.bios_reason = (uint8_t)reason;
}

/* What cannot be read lies behind the end, or behind what can be seen. */
static void say_absent(struct detect *d, uint64_t off, enum boot_reason reason)
{
	if (num_is_within(off, SECTOR, d->size))
		say(d, BOOT_UNKNOWN, REASON_UNSEEN);
	else
		say(d, BOOT_NO, reason);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

/* ---- as a disc */

static uint16_t segment_of(uint16_t stored)
{
	return stored ? stored : USUAL_SEGMENT;
}

/* Where the catalog says nothing, cdemu loads a block. */
static uint16_t count_of(uint16_t stored)
{
	return stored ? stored : BLOCK / SECTOR;
}

/*
 * Is there free memory where the image is loaded to? Below lie the BIOS's data, above, on most
 * machines from 608 KiB at the latest, its extended data and cdemu; what becomes of them, and
 * whether the rest of the image is enough, nobody can tell.
 */
static bool is_loadable(const struct layout_boot_entry *e)
{
	uint32_t start = segment_of(e->load_segment) * 16U;

	return start >= LOAD_FIRST && start + count_of(e->sector_count) * SECTOR <= LOAD_END;
}

/* No processor gets far in a text, a volume descriptor or a program for an operating system. */
static bool is_no_code(const uint8_t *head)
{
	size_t n_text = 0;

	while (n_text < 32 &&
	       ((head[n_text] >= ' ' && head[n_text] <= '~') || head[n_text] == '\n' ||
		head[n_text] == '\r' || head[n_text] == '\t'))
		n_text++;
	return n_text == 32 || memcmp(head + 1, "CD001", 5) == 0 || memcmp(head, "MZ", 2) == 0 ||
	       memcmp(head, "\177ELF", 4) == 0;
}

/* BIOSes take the geometry from where the first partition ends, and reach no farther than that. */
static bool is_disk_reached(const uint8_t *head)
{
	uint64_t heads, sectors, cylinders;
	const struct mbr_entry *p;
	struct mbr mbr;

	if (!mbr_decode(head, &mbr) || !mbr_entry_is_used(&mbr.entries[0]))
		return false;
	p = &mbr.entries[0];
	heads = p->chs_last[0] + 1U;
	sectors = p->chs_last[1] & 0x3f;
	cylinders = (p->chs_last[2] | (p->chs_last[1] & 0xc0U) << 2) + 1;
	return (uint64_t)p->start_lba + p->len_blocks <= cylinders * heads * sectors;
}

/* An emulated disk begins with a boot sector; what is there of a loader that we know? */
static int check_emulated(struct detect *d, const struct layout_boot_entry *e, const uint8_t *head,
			  bool *ret_is_likely, struct error *err)
{
	enum boot_sector kind = boot_sector_of(head);

	*ret_is_likely = kind != BOOT_SECTOR_NONE;
	if (e->emulation == EMUL_HDD) {
		*ret_is_likely = *ret_is_likely && is_disk_reached(head);
		return 0;
	}
	if (kind != BOOT_SECTOR_SYSLINUX)
		return 0;
	if (loaders_find_file(d, (uint64_t)e->lba * BLOCK, "LDLINUX SYS", ret_is_likely, err) < 0)
		return -1;
	*ret_is_likely = *ret_is_likely && (head[0] == 0xeb || head[0] == 0xe9);
	return 0;
}

/*
 * What is loaded without emulation may be anything; the loaders that we know are made for the
 * usual address.
 */
static bool is_likely_code(const struct layout_boot_entry *e, const uint8_t *head)
{
	if (e->isolinux_hybrid || grub2_image_is_cdboot(head, BLOCK))
		return segment_of(e->load_segment) == USUAL_SEGMENT;
	return !is_no_code(head);
}

int boot_judge_image(struct detect *d, const struct layout_boot_entry *e, uint8_t *ret,
		     struct error *err)
{
	uint64_t start = (uint64_t)e->lba * BLOCK;
	uint8_t head[BLOCK];
	struct boot_info info;
	bool is_likely;
	int rc;

	*ret = BOOT_NO;
	if (e->emulation > EMUL_HDD || !num_is_within(start, SECTOR, d->size))
		return 0;
	rc = detect_read(d, start, head, sizeof(head), err);
	if (rc < 0)
		return -1;
	*ret = BOOT_UNKNOWN;
	if (rc == 0)
		return 0;
	/* What becomes of garbage nobody can tell. */
	if (is_zero(head, sizeof(head)))
		return 0;
	if (e->emulation == EMUL_NONE && e->loaders & LOADER_ALL) {
		/* A FAT volume for UEFI, listed for BIOS by mistake. */
		if (boot_sector_of(head) == BOOT_SECTOR_NONE)
			*ret = BOOT_NO;
		return 0;
	}
	if (e->emulation != EMUL_NONE && check_emulated(d, e, head, &is_likely, err) < 0)
		return -1;
	if (e->emulation == EMUL_NONE)
		is_likely = is_likely_code(e, head);
	if (!is_loadable(e) || !is_likely)
		return 0;
	boot_info_decode(head, &info);
	*ret = grub2_image_is_cdboot(head, sizeof(head)) && info.file_len == 0 ? BOOT_NO : BOOT_YES;
	return 0;
}

static int judge_disc(struct detect *d, struct error *err)
{
	const struct layout_el_torito *et = &d->lay->el_torito;
	const struct layout_boot_entry *e = &et->entries[0];
	uint8_t *answer = &d->lay->boot.bios.cd;

	*answer = BOOT_NO;
	if (!et->present || et->n_entries == 0 || !et->has_key || e->platform != BOOT_BIOS ||
	    !e->bootable)
		return 0;
	if (boot_judge_image(d, e, answer, err) < 0)
		return -1;
	/* Some look at the checksum, some load a block where the catalog says none. */
	if (*answer == BOOT_YES &&
	    (!et->checksum_valid || e->sector_count == 0 || et->is_last_session_only))
		*answer = BOOT_UNKNOWN;
	return 0;
}

/* ---- as a stick: disc images made hybrid */

static int judge_isolinux(struct detect *d, uint64_t sector, struct error *err)
{
	uint64_t per_block = BLOCK / SECTOR;
	uint8_t head[ISOHYBRID_IMAGE_HEAD];
	bool is_patched = false;
	int rc = sector < UINT32_MAX ? detect_read(d, sector * SECTOR, head, sizeof(head), err) : 0;

	if (rc < 0)
		return -1;
	if (rc == 0) {
		say_absent(d, sector * SECTOR, REASON_ISOLINUX_ABSENT);
		return 0;
	}
	if (!isolinux_image_is_hybrid(head, sizeof(head))) {
		say(d, BOOT_NO, REASON_ISOLINUX_ABSENT);
		return 0;
	}
	if (sector % per_block == 0 &&
	    detect_boot_info(d, (uint32_t)(sector / per_block), &is_patched, err) < 0)
		return -1;
	if (is_patched)
		say(d, BOOT_YES, REASON_ISOLINUX);
	else
		say(d, BOOT_NO, REASON_ISOLINUX_UNPATCHED);
	return 0;
}

/* sector: of GRUB's core, whose first sector names the blocks of the rest. */
static int judge_grub(struct detect *d, uint64_t sector, struct error *err)
{
	uint8_t core[SECTOR];
	uint64_t next;
	uint16_t len;
	int rc = sector < UINT64_MAX / SECTOR
			 ? detect_read(d, sector * SECTOR, core, sizeof(core), err)
			 : 0;

	if (rc < 0)
		return -1;
	if (rc == 0)
		say_absent(d, sector < UINT64_MAX / SECTOR ? sector * SECTOR : UINT64_MAX,
			   REASON_GRUB_ABSENT);
	else if (!grub2_core_begins(core, &next, &len))
		say(d, BOOT_NO, REASON_GRUB_ABSENT);
	else if (next == sector + 1 && len > 0)
		say(d, BOOT_YES, REASON_GRUB);
	else if (len == 0 || next <= 2 || next >= d->size / SECTOR)
		say(d, BOOT_NO, REASON_GRUB_UNPATCHED);
	else
		say(d, BOOT_UNKNOWN, REASON_GRUB_UNCLEAR);
	return 0;
}

static int judge_grub_code(struct detect *d, const uint8_t *mbr, struct error *err)
{
	uint64_t sector;

	if (grub2_mbr_core(mbr, &sector))
		return judge_grub(d, sector, err);
	say(d, BOOT_UNKNOWN, REASON_UNKNOWN_CODE);
	return 0;
}

static int judge_memtest(struct detect *d, const uint8_t *mbr, struct error *err)
{
	uint64_t sector = grub2_mbr_target(mbr);
	uint8_t head[1024];
	int rc = sector < UINT32_MAX ? detect_read(d, sector * SECTOR, head, sizeof(head), err) : 0;

	if (rc < 0)
		return -1;
	if (rc == 0)
		say_absent(d, sector < UINT32_MAX ? sector * SECTOR : UINT64_MAX,
			   REASON_MEMTEST_ABSENT);
	else if (linux_image_has_header(head, sizeof(head)))
		say(d, BOOT_YES, REASON_MEMTEST);
	else
		say(d, BOOT_NO, REASON_MEMTEST_ABSENT);
	return 0;
}

/* ---- as a stick: our own code */

static const struct layout_boot_entry *find_entry(const struct layout *lay,
						  const struct bootcode_disc *disc)
{
	for (uint32_t i = 0; i < lay->el_torito.n_entries; i++) {
		const struct layout_boot_entry *e = &lay->el_torito.entries[i];

		if (e->lba == disc->image_lba && e->emulation == disc->media &&
		    segment_of(e->load_segment) == segment_of(disc->load_segment) &&
		    count_of(e->sector_count) == count_of(disc->load_sectors) &&
		    e->platform == disc->platform && e->system_type == disc->system_type)
			return e;
	}
	return NULL;
}

static int judge_cdemu(struct detect *d, const struct bootcode_mbr *ours, struct error *err)
{
	uint8_t code[MAX_CDEMU * SECTOR], answer;
	size_t len = (size_t)num_min(ours->count, MAX_CDEMU) * SECTOR;
	const struct layout_boot_entry *e;
	struct bootcode_disc disc;
	int rc = ours->lba < UINT32_MAX ? detect_read(d, ours->lba * SECTOR, code, len, err) : 0;

	if (rc < 0)
		return -1;
	if (rc == 0 || !bootcode_is_like_cdemu(code, len)) {
		say(d, BOOT_NO, REASON_CDEMU_ABSENT);
		return 0;
	}
	if (!bootcode_get_cdemu(code, len, &disc)) {
		say(d, BOOT_UNKNOWN, REASON_CDEMU_OTHER);
		return 0;
	}
	e = find_entry(d->lay, &disc);
	if (!e) {
		say(d, BOOT_NO, REASON_CDEMU_DIFFERS);
		return 0;
	}
	if (boot_judge_image(d, e, &answer, err) < 0)
		return -1;
	say(d, answer, REASON_CDEMU);
	return 0;
}

static int judge_ours(struct detect *d, const uint8_t *mbr, struct error *err)
{
	struct bootcode_mbr ours;

	if (!bootcode_get_mbr(mbr, &ours)) {
		say(d, BOOT_NO, REASON_FORMATTED);
		return 0;
	}
	switch (ours.kind) {
	case BOOTCODE_ISOLINUX:
		return judge_isolinux(d, ours.lba, err);
	case BOOTCODE_GRUB2:
		return judge_grub(d, ours.lba, err);
	case BOOTCODE_CDEMU:
		return judge_cdemu(d, &ours, err);
	case BOOTCODE_UEFI_ONLY:
		break;
	}
	say(d, BOOT_NO, REASON_UEFI_STUB);
	return 0;
}

/* ---- as a stick: disks */

/* Reasons for a boot sector, of a partition or of the whole medium. */
struct sector_reasons {
	enum boot_reason syslinux, none, unknown;
};

static int judge_boot_sector(struct detect *d, uint64_t start, const struct sector_reasons *why,
			     struct error *err)
{
	uint8_t sector[SECTOR];
	bool is_there = false;
	int rc = detect_read(d, start, sector, sizeof(sector), err);

	if (rc < 0)
		return -1;
	if (rc == 0) {
		say_absent(d, start, why->none);
		return 0;
	}
	switch (boot_sector_of(sector)) {
	case BOOT_SECTOR_NONE:
		say(d, BOOT_NO, why->none);
		return 0;
	case BOOT_SECTOR_SYSLINUX:
		if (loaders_find_file(d, start, "LDLINUX SYS", &is_there, err) < 0)
			return -1;
		break;
	case BOOT_SECTOR_UNKNOWN:
		break;
	}
	if (is_there)
		say(d, BOOT_YES, why->syslinux);
	else
		say(d, BOOT_UNKNOWN, why->unknown);
	return 0;
}

static int judge_partition(struct detect *d, uint64_t start, struct error *err)
{
	static const struct sector_reasons why = { REASON_SYSLINUX, REASON_PARTITION_UNBOOTABLE,
						   REASON_PARTITION_UNKNOWN };

	/* An entry that begins with the MBR itself would start it again and again. */
	if (start > 0)
		return judge_boot_sector(d, start, &why, err);
	say(d, BOOT_NO, REASON_PARTITION_UNBOOTABLE);
	return 0;
}

static int judge_active(struct detect *d, struct error *err)
{
	const struct layout_mbr *mbr = &d->lay->mbr;
	const struct layout_mbr_partition *active = NULL;

	for (uint32_t i = 0; i < mbr->n_partitions; i++) {
		if (!mbr->partitions[i].active)
			continue;
		if (active) {
			say(d, BOOT_NO, REASON_SEVERAL_ACTIVE);
			return 0;
		}
		active = &mbr->partitions[i];
	}
	if (active)
		return judge_partition(d, active->start, err);
	say(d, BOOT_NO, REASON_NO_ACTIVE);
	return 0;
}

static int judge_numbered(struct detect *d, uint8_t number, struct error *err)
{
	const struct layout_mbr *mbr = &d->lay->mbr;

	for (uint32_t i = 0; i < mbr->n_partitions; i++)
		if (mbr->partitions[i].number == number)
			return judge_partition(d, mbr->partitions[i].start, err);
	for (uint32_t i = 0; i < mbr->n_logical; i++)
		if (mbr->logical[i].number == number)
			return judge_partition(d, mbr->logical[i].start, err);
	say(d, BOOT_NO, REASON_NO_ACTIVE);
	return 0;
}

static int judge_gpt_active(struct detect *d, struct error *err)
{
	const struct layout_gpt *gpt = &d->lay->gpt;
	const struct layout_gpt_partition *active = NULL;

	for (uint32_t i = 0; gpt->valid && gpt->block_size == SECTOR && i < gpt->n_partitions;
	     i++) {
		if (!(gpt->partitions[i].attributes & GPT_LEGACY_BOOTABLE))
			continue;
		if (active) {
			say(d, BOOT_NO, REASON_SEVERAL_ACTIVE);
			return 0;
		}
		active = &gpt->partitions[i];
	}
	if (active)
		return judge_partition(d, active->start, err);
	say(d, BOOT_NO, REASON_NO_ACTIVE);
	return 0;
}

static int judge_syslinux(struct detect *d, const uint8_t *mbr, struct error *err)
{
	switch (mbr_code_is_syslinux(mbr)) {
	case SYSLINUX_MBR_NUMBER:
		return judge_numbered(d, mbr[SYSLINUX_MBR_NUMBER_OFFSET], err);
	case SYSLINUX_MBR_GPT:
		return judge_gpt_active(d, err);
	case SYSLINUX_MBR_ACTIVE:
	case SYSLINUX_MBR_NONE:
		break;
	}
	return judge_active(d, err);
}

static int judge_code(struct detect *d, const uint8_t *mbr, struct error *err)
{
	switch (d->lay->mbr.code) {
	case MBR_CODE_ISOLINUX:
		return judge_isolinux(d, isolinux_mbr_target(mbr), err);
	case MBR_CODE_GRUB2:
		return judge_grub_code(d, mbr, err);
	case MBR_CODE_MEMTEST:
		return judge_memtest(d, mbr, err);
	case MBR_CODE_ISOWRITE:
		return judge_ours(d, mbr, err);
	case MBR_CODE_SYSLINUX:
		return judge_syslinux(d, mbr, err);
	case MBR_CODE_WINDOWS:
		return judge_active(d, err);
	case MBR_CODE_NONE:
		say(d, BOOT_NO,
		    d->lay->boot.bios.cd == BOOT_NO ? REASON_NO_CODE : REASON_MADE_FOR_DISCS);
		return 0;
	default:
		say(d, BOOT_UNKNOWN, REASON_UNKNOWN_CODE);
		return 0;
	}
}

static int judge_stick(struct detect *d, struct error *err)
{
	static const struct sector_reasons why = { REASON_FILES_SYSLINUX, REASON_FILES_UNBOOTABLE,
						   REASON_FILES_UNKNOWN };
	uint8_t mbr[ISOHYBRID_MBR_SIZE];
	int rc;

	if (boot_stick_sector(d) != SECTOR) {
		say(d, BOOT_NO, REASON_BIG_SECTORS);
		return 0;
	}
	if (d->lay->superfloppy)
		return judge_boot_sector(d, 0, &why, err);
	rc = detect_read(d, 0, mbr, sizeof(mbr), err);
	if (rc < 0)
		return -1;
	if (rc > 0 && mbr[510] == 0x55 && mbr[511] == 0xaa && !d->lay->mbr.present) {
		/* Code without a table that makes sense is started all the same. */
		say(d, BOOT_UNKNOWN, REASON_UNKNOWN_CODE);
		return 0;
	}
	return judge_code(d, mbr, err);
}

int boot_judge_bios(struct detect *d, struct error *err)
{
	return judge_disc(d, err) < 0 || judge_stick(d, err) < 0 ? -1 : 0;
}
