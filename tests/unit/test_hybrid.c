// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/hybrid.h"

#include <stdlib.h>

#include "base/num.h"
#include "image/loaders.h"
#include "tap.h"

#define SIZE (64 * MIB)

/* What a disc is made of, in the words of the table below. */
enum {
	ISOLINUX = 1 << 0,      /* an entry for BIOS, each of the next four of them too */
	ISOLINUX_BARE = 1 << 1, /* without its boot info table */
	GRUB2 = 1 << 2,
	FLOPPY = 1 << 3,
	OTHER = 1 << 4,       /* some loader without emulation */
	EFI = 1 << 5,         /* an entry with a loader */
	EFI_FIRST = 1 << 6,   /* it comes before those for BIOS */
	EFI_AS_BIOS = 1 << 7, /* a UEFI volume, its entry says BIOS */
	ESP_IN_GPT = 1 << 8,  /* ... for IA32, which no entry has */
	ESP_IN_MBR = 1 << 9,
	STICK_BIOS = 1 << 10, /* raw copies boot */
	STICK_UEFI = 1 << 11,
	MAYBE_UEFI = 1 << 12,   /* raw copies boot somewhere */
	DISC_FIXABLE = 1 << 13, /* the report has called them fixable already */
	WINDOWS = 1 << 14,
};

static const struct {
	unsigned int disc;
	enum bootcode_kind bios;
	uint32_t bios_entry, n_esp, archs;
	bool fixes_bios, fixes_uefi, is_needed;
} choices[] = {
	{ ISOLINUX, BOOTCODE_ISOLINUX, 0, 0, 0, true, false, true },
	{ ISOLINUX | DISC_FIXABLE, BOOTCODE_ISOLINUX, 0, 0, 0, true, false, true },
	{ ISOLINUX_BARE, BOOTCODE_CDEMU, 0, 0, 0, true, false, true },
	{ GRUB2, BOOTCODE_GRUB2, 0, 0, 0, true, false, true },
	{ FLOPPY, BOOTCODE_CDEMU, 0, 0, 0, true, false, true },
	{ OTHER, BOOTCODE_CDEMU, 0, 0, 0, true, false, true },
	{ OTHER | EFI | WINDOWS, BOOTCODE_CDEMU, 0, 1, LOADER_X64, true, true, true },
	{ ISOLINUX | EFI, BOOTCODE_ISOLINUX, 0, 1, LOADER_X64, true, true, true },
	{ ISOLINUX | EFI | MAYBE_UEFI, BOOTCODE_ISOLINUX, 0, 1, LOADER_X64, true, true, true },
	{ ISOLINUX | EFI | STICK_BIOS, BOOTCODE_ISOLINUX, 0, 1, LOADER_X64, false, true, true },
	{ ISOLINUX | EFI | STICK_BIOS | STICK_UEFI, BOOTCODE_ISOLINUX, 0, 1, LOADER_X64, false,
	  false, false },
	{ ISOLINUX | EFI | EFI_FIRST, BOOTCODE_ISOLINUX, 1, 1, LOADER_X64, false, true, true },
	{ EFI, BOOTCODE_UEFI_ONLY, 0, 1, LOADER_X64, false, true, true },
	{ EFI_AS_BIOS, BOOTCODE_UEFI_ONLY, 0, 1, LOADER_X64, false, true, true },
	/* By what a raw copy boots from, which no entry for BIOS leads to: not given away. */
	{ EFI | STICK_BIOS, BOOTCODE_UEFI_ONLY, 0, 1, LOADER_X64, false, false, false },
	/* Partitions count for what the catalog does not boot. */
	{ ISOLINUX | EFI | ESP_IN_GPT, BOOTCODE_ISOLINUX, 0, 2, LOADER_X64 | LOADER_IA32, true,
	  true, true },
	{ ISOLINUX | EFI | ESP_IN_MBR, BOOTCODE_ISOLINUX, 0, 1, LOADER_X64, true, true, true },
	{ ISOLINUX | ESP_IN_MBR | STICK_UEFI, BOOTCODE_ISOLINUX, 0, 1, LOADER_X64, true, false,
	  true },
};

static struct layout_boot_entry *add_entry(struct layout *lay, uint8_t platform, uint32_t lba)
{
	struct layout_boot_entry *e = &lay->el_torito.entries[lay->el_torito.n_entries++];

	*e = (struct layout_boot_entry){
		.platform = platform, .bootable = true, .sector_count = 4, .lba = lba, .size = 8192
	};
	lay->el_torito.present = true;
	lay->el_torito.catalog_lba = 19;
	return e;
}

static void add_efi(struct layout *lay, uint8_t platform)
{
	struct layout_boot_entry *e = add_entry(lay, platform, 1000);

	e->loaders = LOADER_X64;
	e->size = 4 * MIB;
}

static void add_bios(struct layout *lay, unsigned int disc)
{
	struct layout_boot_entry *e;

	if (!(disc & (ISOLINUX | ISOLINUX_BARE | GRUB2 | FLOPPY | OTHER)))
		return;
	e = add_entry(lay, BOOT_BIOS, 100);
	e->isolinux_hybrid = disc & (ISOLINUX | ISOLINUX_BARE);
	e->boot_info_table = disc & (ISOLINUX | GRUB2);
	e->grub2_boot_info = disc & GRUB2;
	e->emulation = disc & FLOPPY ? EMUL_1_44M : EMUL_NONE;
}

static void set_report(struct layout *lay, unsigned int disc)
{
	struct layout_boot_report *b = &lay->boot;
	uint8_t no = disc & DISC_FIXABLE ? BOOT_FIXABLE : BOOT_NO;
	bool has_efi = disc & (EFI | EFI_AS_BIOS);

	b->bios.cd = lay->el_torito.n_entries && lay->el_torito.entries[0].platform == BOOT_BIOS &&
				     !(disc & EFI_AS_BIOS)
			     ? BOOT_YES
			     : BOOT_NO;
	b->bios.usb = disc & STICK_BIOS ? BOOT_YES : no;
	b->uefi_x64.cd = has_efi ? BOOT_YES : BOOT_NO;
	b->uefi_x64.usb = disc & STICK_UEFI ? BOOT_YES : disc & MAYBE_UEFI ? BOOT_UNKNOWN : no;
}

static struct layout *disc_of(unsigned int disc)
{
	struct layout *lay = calloc(1, sizeof(*lay));

	lay->kind = disc & WINDOWS ? LAYOUT_WINDOWS : LAYOUT_ISO_ELTORITO;
	lay->size = SIZE;
	lay->volume.present = true;
	lay->volume.size = SIZE;
	lay->sector_size = 2048;
	if (disc & EFI_FIRST)
		add_efi(lay, BOOT_EFI);
	add_bios(lay, disc);
	if (disc & EFI && !(disc & EFI_FIRST))
		add_efi(lay, BOOT_EFI);
	if (disc & EFI_AS_BIOS)
		add_efi(lay, BOOT_BIOS);
	if (disc & ESP_IN_GPT) {
		lay->gpt.present = true;
		lay->gpt.n_partitions = 2;
		/* The same volume as the entry's, and another. */
		lay->gpt.partitions[0].start = 1000 * 2048;
		lay->gpt.partitions[0].size = 4 * MIB;
		lay->gpt.partitions[0].loaders = LOADER_X64;
		lay->gpt.partitions[1].start = 32 * MIB;
		lay->gpt.partitions[1].size = 1 * MIB;
		lay->gpt.partitions[1].loaders = LOADER_IA32 | LOADER_UNSEEN;
	}
	if (disc & ESP_IN_MBR) {
		lay->mbr.present = true;
		lay->mbr.n_partitions = 1;
		lay->mbr.partitions[0].start = 40 * MIB;
		lay->mbr.partitions[0].size = 2 * MIB;
		lay->mbr.partitions[0].loaders = LOADER_X64;
	}
	set_report(lay, disc);
	return lay;
}

static void test_choices(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		struct layout *lay = disc_of(choices[i].disc);
		struct hybrid h = { .n_esp = 99 };
		const char *why = "";
		bool is_one = hybrid_choose(lay, 0, &h, &why);

		if (!is_one || h.bios != choices[i].bios || h.n_esp != choices[i].n_esp ||
		    h.archs != choices[i].archs || h.fixes_bios != choices[i].fixes_bios ||
		    h.fixes_uefi != choices[i].fixes_uefi ||
		    (h.bios != BOOTCODE_UEFI_ONLY && h.bios_entry != choices[i].bios_entry) ||
		    hybrid_is_needed(lay) != choices[i].is_needed) {
			tap_test_failed = 1;
			printf("# choice %zu: %d (%s) bios %d entry %u, %u volumes, archs %x, "
			       "fixes %d %d, needed %d\n",
			       i, is_one, why, h.bios, h.bios_entry, h.n_esp, h.archs, h.fixes_bios,
			       h.fixes_uefi, hybrid_is_needed(lay));
		}
		free(lay);
	}
}

static const char *refusal(struct layout *lay, uint32_t entry)
{
	struct hybrid h = { .n_esp = 99 };
	const char *why = "none";

	CHECK(!hybrid_choose(lay, entry, &h, &why));
	CHECK_U64(h.n_esp, 99);
	return why;
}

static void test_refusals(void)
{
	struct layout *lay = disc_of(ISOLINUX | EFI), *data = disc_of(0);

	CHECK_STR(refusal(data, 0), "it holds nothing that boots by BIOS or UEFI");
	lay->is_truncated = true;
	CHECK_STR(refusal(lay, 0), "it is cut short");
	lay->is_partial = true;
	CHECK_STR(refusal(lay, 0), "only its beginning can be seen");
	CHECK(!hybrid_is_needed(lay));
	lay->is_truncated = lay->is_partial = false;
	lay->superfloppy = true;
	CHECK_STR(refusal(lay, 0), "a file system that is not the disc's begins at its first byte");
	lay->superfloppy = false;
	lay->sector_size = 4096;
	CHECK_STR(refusal(lay, 0), "its partition table is made for sectors of 4096 bytes");
	lay->sector_size = 512;
	lay->volume.present = false;
	CHECK_STR(refusal(lay, 0), "it is no ISO 9660 image");
	free(lay);
	free(data);
}

static void test_boot_entry(void)
{
	struct layout *lay = disc_of(ISOLINUX | EFI);
	struct hybrid h;
	const char *why;

	add_entry(lay, BOOT_BIOS, 200)->grub2_boot_info = true;
	add_entry(lay, BOOT_BIOS, 300)->bootable = false;
	add_entry(lay, BOOT_BIOS, 400)->emulation = 9;
	add_entry(lay, BOOT_BIOS, SIZE / 2048);
	CHECK(hybrid_choose(lay, 3, &h, &why));
	CHECK_U64(h.bios_entry, 2);
	CHECK(h.bios == BOOTCODE_GRUB2);
	CHECK(hybrid_choose(lay, 1, &h, &why) && h.bios_entry == 0);
	CHECK_STR(refusal(lay, 2), "that boot entry is not for BIOS");
	CHECK_STR(refusal(lay, 4), "that boot entry is marked as not bootable");
	CHECK_STR(refusal(lay, 5), "that boot entry is of no known kind");
	CHECK_STR(refusal(lay, 6), "that boot entry's image lies beyond the end");
	CHECK_STR(refusal(lay, 7), "it has no boot entry of that number");
	free(lay);
}

/* What lies in the first 32 KiB would be written over: no hybrid would boot it. */
static void test_what_is_in_the_system_area_is_not_promised(void)
{
	struct layout *lay = disc_of(ISOLINUX | EFI);
	struct hybrid h;
	const char *why;

	lay->el_torito.entries[0].lba = 15;
	CHECK_STR(refusal(lay, 1),
		  "that boot entry's image lies where boot code and tables would go");
	CHECK(hybrid_choose(lay, 0, &h, &why));
	CHECK(h.bios == BOOTCODE_UEFI_ONLY && h.n_esp == 1);
	lay->el_torito.entries[0].lba = 16;
	lay->el_torito.entries[1].lba = 15;
	CHECK(hybrid_choose(lay, 0, &h, &why));
	CHECK(h.bios == BOOTCODE_ISOLINUX && h.n_esp == 0);
	lay->el_torito.catalog_lba = 15;
	CHECK_STR(refusal(lay, 0), "its boot catalog lies where boot code and tables would go");
	CHECK(!hybrid_is_needed(lay));
	free(lay);
}

/* Loaded elsewhere than to 0:7C00, isolinux and GRUB are entered as their catalog says. */
static void test_load_segment(void)
{
	struct layout *lay = disc_of(ISOLINUX);
	struct hybrid h;
	const char *why;

	lay->el_torito.entries[0].load_segment = 0x7c0;
	CHECK(hybrid_choose(lay, 0, &h, &why) && h.bios == BOOTCODE_ISOLINUX);
	lay->el_torito.entries[0].load_segment = 0x1000;
	CHECK(hybrid_choose(lay, 0, &h, &why) && h.bios == BOOTCODE_CDEMU);
	free(lay);
}

/* More volumes than have room, some twice; one whose count reaches beyond the end, one there. */
static void test_many_volumes(void)
{
	struct layout *lay = disc_of(ISOLINUX);
	struct hybrid h;
	const char *why;

	for (uint32_t i = 0; i < 8; i++) {
		struct layout_boot_entry *e = add_entry(lay, BOOT_EFI, 1000 + i / 2 * 1000);

		e->loaders = LOADER_X64;
		e->size = i == 2 || i == 3 ? SIZE : MIB;
		if (i >= 6)
			e->lba = SIZE / 2048;
	}
	CHECK(hybrid_choose(lay, 0, &h, &why));
	CHECK_U64(h.n_esp, 3);
	CHECK_U64(h.esp[1].start, 2000 * 2048);
	CHECK_U64(h.esp[1].size, SIZE - 2000 * 2048);
	CHECK_U64(h.esp[2].size, MIB);
	for (uint32_t i = 0; i < 8; i++) {
		struct layout_boot_entry *e = add_entry(lay, BOOT_EFI, 10000 + i * 1000);

		e->loaders = LOADER_X64;
		e->size = MIB;
	}
	CHECK(hybrid_choose(lay, 0, &h, &why));
	CHECK_U64(h.n_esp, HYBRID_MAX_ESP);
	free(lay);
}

/* Code that may well boot a stick was put there by somebody, who knows it better than we do. */
static void test_unknown_boot_code_is_left_alone(void)
{
	static const uint8_t spared[] = { REASON_UNKNOWN_CODE, REASON_GRUB_UNCLEAR,
					  REASON_PARTITION_UNKNOWN };
	struct layout *lay = disc_of(ISOLINUX | EFI);
	struct hybrid h;
	const char *why;

	lay->boot.bios.usb = BOOT_UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(spared); i++) {
		lay->boot.bios_reason = spared[i];
		CHECK(hybrid_spares_code(lay) && !hybrid_is_needed(lay));
		/* Who asks for it gets it. */
		CHECK(hybrid_choose(lay, 0, &h, &why) && h.bios == BOOTCODE_ISOLINUX);
	}
	/* Ours of another version is none of these. */
	lay->boot.bios_reason = REASON_CDEMU_OTHER;
	CHECK(!hybrid_spares_code(lay) && hybrid_is_needed(lay));
	lay->boot.bios_reason = REASON_UNKNOWN_CODE;
	lay->boot.bios.usb = BOOT_NO;
	CHECK(!hybrid_spares_code(lay) && hybrid_is_needed(lay));
	free(lay);
}

/* As sticks have where a system keeps files behind its disc: auto takes no entry away. */
static void test_partition_behind_the_disc_is_not_lost(void)
{
	struct layout *lay = disc_of(ISOLINUX | EFI);
	struct layout_mbr_partition *p = &lay->mbr.partitions[0];
	struct hybrid h;
	const char *why;

	lay->volume.size = SIZE / 2;
	lay->mbr.present = true;
	lay->mbr.n_partitions = 1;
	*p = (struct layout_mbr_partition){
		.number = 2, .type = 0x83, .start = SIZE / 2, .size = 8 * MIB
	};
	CHECK(!hybrid_is_needed(lay));
	CHECK(hybrid_choose(lay, 0, &h, &why));
	CHECK_U64(h.lost_partition, 2);
	/* None: it is in the disc, a gap, a volume for UEFI, or no partition. */
	p->start -= 2048;
	CHECK(hybrid_is_needed(lay));
	p->start += 2048;
	p->size = 4096;
	CHECK(hybrid_is_needed(lay));
	p->size = 8 * MIB;
	p->loaders = LOADER_X64;
	CHECK(hybrid_is_needed(lay));
	p->loaders = 0;
	p->type = 0;
	CHECK(hybrid_is_needed(lay));
	lay->mbr.present = false;
	lay->gpt.present = lay->gpt.valid = true;
	lay->gpt.n_partitions = 1;
	lay->gpt.partitions[0] =
		(struct layout_gpt_partition){ .number = 3, .start = SIZE / 2, .size = 8 * MIB };
	CHECK(!hybrid_is_needed(lay));
	free(lay);
}

int main(void)
{
	RUN(test_unknown_boot_code_is_left_alone);
	RUN(test_partition_behind_the_disc_is_not_lost);
	RUN(test_choices);
	RUN(test_refusals);
	RUN(test_boot_entry);
	RUN(test_what_is_in_the_system_area_is_not_promised);
	RUN(test_load_segment);
	RUN(test_many_volumes);
	return tap_done();
}
