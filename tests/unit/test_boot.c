// SPDX-License-Identifier: GPL-3.0-or-later
/* image/boot-*, detect-boot: which links of a boot are followed, and what firmware drops. */
#include "image/detect.h"

#include "disc_util.h"
#include "disk/bootcode.h"
#include "disk/gpt.h"
#include "disk/isohybrid.h"
#include "disk/mbr.h"
#include "tap.h"

#define ESP_BLOCK 40U /* of 2048 bytes, in a disc of disc_util.h */
#define ESP_SECTOR (ESP_BLOCK * 4)
#define ESP_SECTORS 40U

static struct layout lay;

static void detect_as(struct image *img, bool is_device, uint32_t sector_size)
{
	struct source *src = image_source(img);
	struct error err = ERROR_INIT;

	src->is_block_device = is_device;
	src->sector_size = sector_size;
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	source_free(src);
}

static void detect(struct image *img)
{
	detect_as(img, false, 512);
}

static bool has(const char *code)
{
	for (uint32_t i = 0; i < lay.n_findings; i++)
		if (!strcmp(lay.findings[i].code, code))
			return true;
	return false;
}

static void check_bios(const char *answer, const char *reason)
{
	CHECK_STR(layout_answer_name(lay.boot.bios.usb), answer);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), reason);
}

static void check_uefi(const char *answer, const char *reason)
{
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), answer);
	CHECK_STR(layout_reason_name(lay.boot.uefi_reason), reason);
}

/* ---- disks with syslinux' codes: stand-ins that have their marks */

static void put_syslinux_mbr(uint8_t *mbr, enum syslinux_mbr kind)
{
	memcpy(mbr, "\x33\xc0\xfa\x8e\xd8\x8e\xd0\xbc\x00\x7c\x89\xe6\x06\x57", 14);
	if (kind == SYSLINUX_MBR_GPT)
		memcpy(mbr + 200, "Missing OS\r\n", 12);
	else
		memcpy(mbr + 200, "Missing operating system.", 25);
	if (kind == SYSLINUX_MBR_ACTIVE)
		memcpy(mbr + 240, "Multiple active partitions.", 27);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
}

static void put_syslinux_fat(uint8_t *p)
{
	put_fat(p, 40, 0);
	memcpy(p + 3, "SYSLINUX", 8);
	memcpy(p + 3 * 512, "LDLINUX SYS\x20", 12);
}

/* Sector 64: FAT with syslinux; 128: FAT without boot code. */
static struct image new_disk(enum syslinux_mbr kind)
{
	struct image img = image_new(DISC_BLOCKS);

	put_syslinux_mbr(img.p, kind);
	disc_put_mbr_entry(img.p, 0, 0, 0x0c, 64, 40);
	disc_put_mbr_entry(img.p, 1, 0, 0x0c, 128, 40);
	put_syslinux_fat(img.p + 64 * 512);
	put_fat(img.p + 128 * 512, 40, 0);
	return img;
}

static void test_active_partition(void)
{
	struct image img = new_disk(SYSLINUX_MBR_ACTIVE);
	uint8_t *first = img.p + 446, *second = img.p + 462;

	detect(&img);
	CHECK(lay.mbr.code == MBR_CODE_SYSLINUX);
	check_bios("no", "no-active");
	first[0] = 0x80;
	detect(&img);
	check_bios("yes", "syslinux");
	CHECK(!has("bios-no-active"));
	second[0] = 0x80;
	detect(&img);
	check_bios("no", "several-active");
	first[0] = 0;
	detect(&img);
	check_bios("no", "partition-unbootable");
	img.p[128 * 512 + 0x60] = 0xfa; /* somebody's code */
	detect(&img);
	check_bios("unknown", "partition-unknown");
	/* An entry over the MBR itself would start it again and again. */
	put_le32(second + 8, 0);
	detect(&img);
	check_bios("no", "partition-unbootable");
	free(img.p);
}

static void test_boot_sectors(void)
{
	struct image img = new_disk(SYSLINUX_MBR_ACTIVE);
	uint8_t *sector = img.p + 64 * 512;

	img.p[446] = 0x80;
	memset(sector + 3 * 512, 0, 32); /* no LDLINUX.SYS in the root */
	detect(&img);
	check_bios("unknown", "partition-unknown");
	memcpy(sector + 3, "mkfs.fat", 8);
	memcpy(sector + 0x80, "This is not a bootable disk", 27);
	detect(&img);
	check_bios("no", "partition-unbootable");
	/* Ours, of a formatted stick. */
	memset(sector + 0x80, 0, 27);
	memcpy(sector + 0x3e, mbr_next_disk, MBR_NEXT_DISK_SIZE);
	sector[0x70] = 1;
	detect(&img);
	check_bios("no", "partition-unbootable");
	sector[0x3e] = 0;
	detect(&img);
	check_bios("unknown", "partition-unknown");
	sector[511] = 0;
	detect(&img);
	check_bios("no", "partition-unbootable");
	free(img.p);
}

static void test_numbered_partition(void)
{
	struct image img = new_disk(SYSLINUX_MBR_NUMBER);

	img.p[SYSLINUX_MBR_NUMBER_OFFSET] = 1;
	detect(&img);
	check_bios("yes", "syslinux");
	CHECK(has("bios-no-active"));
	img.p[SYSLINUX_MBR_NUMBER_OFFSET] = 2;
	detect(&img);
	check_bios("no", "partition-unbootable");
	img.p[SYSLINUX_MBR_NUMBER_OFFSET] = 5;
	detect(&img);
	check_bios("no", "no-active");
	free(img.p);
}

static void test_windows_mbr(void)
{
	struct image img = new_disk(SYSLINUX_MBR_NONE);

	memset(img.p, 0, 446);
	memcpy(img.p, "\x33\xc0\x8e\xd0\xbc\x00\x7c", 7);
	memcpy(img.p + 300, "Invalid partition table", 23);
	detect(&img);
	CHECK(lay.mbr.code == MBR_CODE_WINDOWS);
	check_bios("no", "no-active");
	img.p[446] = 0x80;
	detect(&img);
	check_bios("yes", "syslinux");
	free(img.p);
}

static void test_superfloppy(void)
{
	struct image img = image_new(DISC_BLOCKS);

	put_syslinux_fat(img.p);
	detect(&img);
	CHECK(lay.superfloppy);
	check_bios("yes", "files-syslinux");
	check_uefi("no", "no-loader");
	memset(img.p, 0, img.len);
	put_fat(img.p, 40, 1);
	detect(&img);
	check_bios("no", "files-unbootable");
	check_uefi("yes", "fat");
	/* EDK2 reads no FAT with such a media byte. */
	img.p[21] = 0x12;
	detect(&img);
	check_uefi("no", "no-loader");
	free(img.p);
}

/* ---- GRUB */

static void put_grub_mbr(uint8_t *mbr, bool is_hybrid, uint32_t core)
{
	memset(mbr, 0, 440);
	memcpy(mbr, "\xeb\x63\x90", 3);
	mbr[100] = 0xff;
	memcpy(mbr + 0x80, is_hybrid ? "\x66\x8b\x1e\xb0\x7d" : "\x66\x8b\x1e\x5c\x7c", 5);
	memcpy(mbr + 0x180, "GRUB \0Geom\0Hard Disk", 20);
	put_le32(mbr + (is_hybrid ? 432 : 92), core);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
}

static void put_grub_core(uint8_t *sector, uint32_t next, uint8_t len)
{
	memcpy(sector + 0x120, "loading\0.\0\r\n\0Geom\0Read\0 Error", 30);
	memset(sector + 500, 0, 12);
	put_le32(sector + 500, next);
	sector[508] = len;
}

static void check_grub(bool is_hybrid)
{
	struct image img = image_new(DISC_BLOCKS);

	put_grub_mbr(img.p, is_hybrid, 20);
	detect(&img);
	CHECK(lay.mbr.code == MBR_CODE_GRUB2);
	check_bios("no", "grub-absent");
	put_grub_core(img.p + 20 * 512, 21, 9);
	detect(&img);
	check_bios("yes", "grub");
	put_grub_core(img.p + 20 * 512, 21, 0);
	detect(&img);
	check_bios("no", "grub-unpatched");
	put_grub_core(img.p + 20 * 512, 2, 9);
	detect(&img);
	check_bios("no", "grub-unpatched");
	put_grub_core(img.p + 20 * 512, 100, 9);
	detect(&img);
	check_bios("unknown", "grub-unclear");
	put_grub_core(img.p + 20 * 512, 100000, 9);
	detect(&img);
	check_bios("no", "grub-unpatched");
	put_le32(img.p + (is_hybrid ? 436 : 96), 1); /* behind the end */
	detect(&img);
	check_bios("no", "grub-absent");
	memset(img.p + (is_hybrid ? 432 : 92), 0xff, 8);
	detect(&img);
	check_bios("no", "grub-absent");
	img.p[100] = 0x81; /* for a second disk only */
	detect(&img);
	check_bios("unknown", "unknown-code");
	free(img.p);
}

static void test_grub(void)
{
	check_grub(false);
	check_grub(true);
}

/* ---- our own code */

static void test_our_mbr(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);

	bootcode_put_mbr(img.p, BOOTCODE_ISOLINUX, 30 * 4, 4);
	detect(&img);
	CHECK(lay.mbr.code == MBR_CODE_ISOWRITE);
	check_bios("yes", "isolinux");
	bootcode_put_mbr(img.p, BOOTCODE_ISOLINUX, 31 * 4, 4);
	detect(&img);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "isolinux-absent");
	bootcode_put_mbr(img.p, BOOTCODE_UEFI_ONLY, 0, 0);
	detect(&img);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "uefi-stub");
	bootcode_put_mbr(img.p, BOOTCODE_GRUB2, 124, 1);
	detect(&img);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "grub-absent");
	put_grub_core(img.p + 124 * 512, 125, 9);
	detect(&img);
	check_bios("yes", "grub");
	/* The stub of a formatted stick. */
	memset(img.p, 0, 440);
	memcpy(img.p, mbr_next_disk, MBR_NEXT_DISK_SIZE);
	detect(&img);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "formatted");
	free(img.p);
}

static void test_our_cdemu(void)
{
	struct bootcode_disc disc = {
		.load_sectors = 4, .image_lba = 30, .catalog_lba = 24, .disc_blocks = DISC_BLOCKS
	};
	struct image img = disc_new(DISC_BIOS | DISC_MBR);
	uint8_t *cdemu = img.p + 40 * 512;

	bootcode_put_mbr(img.p, BOOTCODE_CDEMU, 40, (uint16_t)(bootcode_cdemu_size() / 512));
	detect(&img);
	check_bios("fixable", "cdemu-absent");
	bootcode_put_cdemu(cdemu, &disc);
	detect(&img);
	check_bios("yes", "cdemu");
	cdemu[200] ^= 1;
	detect(&img);
	CHECK_STR(layout_reason_name(lay.boot.bios_reason), "cdemu-other");
	CHECK(lay.boot.bios.usb != BOOT_YES);
	/* Of another disc: what it would load is not what the catalog names. */
	disc.image_lba = 29;
	bootcode_put_cdemu(cdemu, &disc);
	detect(&img);
	check_bios("fixable", "cdemu-differs");
	disc.image_lba = 30;
	disc.media = 2;
	bootcode_put_cdemu(cdemu, &disc);
	detect(&img);
	check_bios("fixable", "cdemu-differs");
	/* Where the catalog says nothing, a block is loaded. */
	disc.media = 0;
	disc.load_sectors = 0;
	bootcode_put_cdemu(cdemu, &disc);
	put_entry(image_block(&img, 24) + 32, 0x88, 0, 0, 30);
	detect(&img);
	check_bios("yes", "cdemu");
	/* An image of zeros starts nothing that could be foretold. */
	disc.load_sectors = 4;
	put_entry(image_block(&img, 24) + 32, 0x88, 0, 4, 30);
	bootcode_put_cdemu(cdemu, &disc);
	memset(image_block(&img, 30), 0, 2048);
	detect(&img);
	check_bios("unknown", "cdemu");
	free(img.p);
}

/* ---- UEFI: the tables, as EDK2 reads them */

struct range {
	uint64_t first, last, attributes;
};

/* A GPT of 32 sectors of entries, from sector 64 on usable, with a backup at the end. */
static void put_gpt(struct image *img, const struct range *ranges, size_t n, bool with_primary)
{
	uint64_t last = img->len / 512 - 1;

	for (unsigned int c = 0; c < 2; c++) {
		struct gpt_header h = { .revision = 0x10000,
					.header_size = 92,
					.n_entries = 4,
					.entry_size = 128,
					.first_usable_lba = 64,
					.last_usable_lba = last - 2 };
		uint8_t *array;

		h.my_lba = c ? last : 1;
		h.alternate_lba = c ? 1 : last;
		h.entries_lba = c ? last - 1 : 2;
		array = img->p + h.entries_lba * 512;
		memset(array, 0, 512);
		for (size_t i = 0; i < n; i++) {
			struct gpt_entry e = { .type = { 1 },
					       .first_lba = ranges[i].first,
					       .last_lba = ranges[i].last,
					       .attributes = ranges[i].attributes };

			gpt_encode_entry(array + i * 128, &e);
		}
		h.entries_crc = gpt_array_crc(&h, array);
		memset(img->p + h.my_lba * 512, 0, 512);
		if (c || with_primary)
			gpt_encode_header(img->p + h.my_lba * 512, &h);
	}
}

/* Nothing but tables leads to the loader: no boot catalog. */
static struct image new_esp_disk(void)
{
	struct image img = image_new(DISC_BLOCKS + 4);

	put_fat(image_block(&img, ESP_BLOCK), ESP_SECTORS, 1);
	disc_put_mbr_entry(img.p, 0, 0, 0xee, 1, (DISC_BLOCKS + 4) * 4 - 1);
	return img;
}

#define ESP                                                 \
	{                                                   \
		ESP_SECTOR, ESP_SECTOR + ESP_SECTORS - 1, 0 \
	}

static void check_gpt(const struct range *ranges, size_t n, const char *answer)
{
	struct image img = new_esp_disk();

	put_gpt(&img, ranges, n, true);
	detect(&img);
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), answer);
	free(img.p);
}

static void test_gpt_order(void)
{
	static const struct range disc_then_esp[] = { { 0, 260, 0 }, ESP };
	static const struct range esp_then_disc[] = { ESP, { 0, 260, 0 } };
	static const struct range both_inside[] = { { 64, 260, 0 }, ESP };
	static const struct range hidden[] = { { ESP_SECTOR, ESP_SECTOR + ESP_SECTORS - 1, 2 } };
	static const struct range outside[] = { { ESP_SECTOR, 271, 0 } };

	/* An entry out of range is dropped; but an earlier one is compared with it. */
	check_gpt(disc_then_esp, 2, "yes");
	CHECK(has("gpt-whole-disc") && !has("gpt-outside-usable") && !has("gpt-overlap"));
	check_gpt(esp_then_disc, 2, "no");
	CHECK(has("gpt-overlap"));
	check_gpt(both_inside, 2, "no");
	check_gpt(hidden, 1, "no");
	check_gpt(outside, 1, "no");
	CHECK(has("gpt-outside-usable"));
}

/* OVMF finds no loader in a partition of which only the first sector is there. */
static void test_partition_shorter_than_its_volume_is_unknown(void)
{
	static const struct range first_sector[] = { { ESP_SECTOR, ESP_SECTOR, 0 } };
	static const struct range but_the_last[] = { { ESP_SECTOR, ESP_SECTOR + ESP_SECTORS - 2,
						       0 } };
	struct image img = image_new(DISC_BLOCKS);

	check_gpt(first_sector, 1, "unknown");
	check_gpt(but_the_last, 1, "unknown");
	put_fat(image_block(&img, ESP_BLOCK), ESP_SECTORS, 1);
	disc_put_mbr_entry(img.p, 0, 0, 0xef, ESP_SECTOR, ESP_SECTORS);
	detect(&img);
	check_uefi("yes", "mbr");
	disc_put_mbr_entry(img.p, 0, 0, 0xef, ESP_SECTOR, 1);
	detect(&img);
	check_uefi("unknown", "loader-unseen");
	free(img.p);
}

/* A catalog that gives no size means up to the volume's end: so OVMF sees a piece only. */
static void test_volume_that_ends_in_the_efi_image_is_unknown(void)
{
	struct image img = disc_new(DISC_EFI);

	put_entry(image_block(&img, 24) + 32, 0x88, 0, 0, ESP_BLOCK);
	detect(&img);
	CHECK(lay.boot.uefi_x64.cd == BOOT_YES);
	put_both32(image_block(&img, 16) + 80, ESP_BLOCK + 2);
	detect(&img);
	CHECK(lay.boot.uefi_x64.cd == BOOT_UNKNOWN);
	put_both32(image_block(&img, 16) + 80, ESP_BLOCK);
	detect(&img);
	CHECK(lay.boot.uefi_x64.cd == BOOT_UNKNOWN);
	/* Behind the volume there is no end but the medium's. */
	put_both32(image_block(&img, 16) + 80, ESP_BLOCK - 2);
	detect(&img);
	CHECK(lay.boot.uefi_x64.cd == BOOT_YES);
	free(img.p);
}

/* The name alone promises nothing: firmware starts programs of its own kind only. */
static void test_loader_that_is_no_program(void)
{
	struct image img = new_esp_disk();
	uint8_t *program = image_block(&img, ESP_BLOCK) + 6 * 512;

	disc_put_mbr_entry(img.p, 0, 0, 0xef, ESP_SECTOR, ESP_SECTORS);
	detect(&img);
	check_uefi("yes", "mbr");
	put_program(program, 0xaa64);
	detect(&img);
	check_uefi("no", "no-loader");
	put_program(program, 0x8664);
	program[0x40] = 0;
	detect(&img);
	check_uefi("no", "no-loader");
	/* Without a DOS header; or with one behind which nobody has looked. */
	memcpy(program, program + 0x40, 64);
	program[0] = 'P';
	detect(&img);
	check_uefi("yes", "mbr");
	memset(program, 0, 128);
	detect(&img);
	check_uefi("no", "no-loader");
	put_program(program, 0x8664);
	program[61] = 0x10;
	detect(&img);
	check_uefi("yes", "mbr");
	free(img.p);
}

static void test_gpt_protection(void)
{
	static const struct range esp[] = { ESP };
	struct image img = new_esp_disk();

	put_gpt(&img, esp, 1, true);
	put_le32(img.p + 446 + 8, 0); /* the protective entry starts at 0 */
	detect(&img);
	check_uefi("no", "not-led-to");
	put_le32(img.p + 446 + 8, 1);
	/* The backup alone: firmware looks for it in the last sector of the stick. */
	put_gpt(&img, esp, 1, false);
	detect(&img);
	check_uefi("unknown", "gpt-backup");
	detect_as(&img, true, 512);
	check_uefi("yes", "gpt-backup");
	free(img.p);
}

static void test_gpt_hides_mbr(void)
{
	static const struct range other[] = { { 64, 100, 0 } };
	struct image img = new_esp_disk();

	disc_put_mbr_entry(img.p, 0, 0, 0xee, 1, 63);
	disc_put_mbr_entry(img.p, 1, 0, 0xef, ESP_SECTOR, ESP_SECTORS);
	detect(&img);
	check_uefi("yes", "mbr");
	put_gpt(&img, other, 1, true);
	detect(&img);
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), "no");
	CHECK(has("gpt-hides-mbr"));
	free(img.p);
}

static void test_mbr_rules(void)
{
	struct image img = image_new(DISC_BLOCKS);

	put_fat(image_block(&img, ESP_BLOCK), ESP_SECTORS, 1);
	disc_put_mbr_entry(img.p, 0, 0, 0x0c, ESP_SECTOR, ESP_SECTORS);
	detect(&img);
	check_uefi("yes", "mbr");
	disc_put_mbr_entry(img.p, 1, 0x80, 0x00, 0, 256); /* type 00 does not count */
	detect(&img);
	check_uefi("yes", "mbr");
	disc_put_mbr_entry(img.p, 1, 0x80, 0x17, 0, 256);
	detect(&img);
	check_uefi("no", "not-led-to");
	/* One that ends behind the medium: on a device that is final. */
	disc_put_mbr_entry(img.p, 1, 0, 0x83, 208, 1000);
	detect_as(&img, true, 512);
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), "no");
	free(img.p);
}

/* Newer firmware takes the boot catalog before the MBR, and then looks no further. */
static void test_catalog_hides_mbr(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);

	memset(image_block(&img, 24) + 64, 0, 64); /* the entry for UEFI */
	detect(&img);
	check_uefi("unknown", "hidden-by-catalog");
	CHECK(lay.boot.uefi_x64.cd == BOOT_NO);
	free(img.p);
}

static void test_catalog_window(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI);

	/* 5 blocks of 2048 of the 10 that the volume has are made accessible on a disc. */
	put_entry(image_block(&img, 24) + 96, 0x88, 0, 5, ESP_BLOCK);
	detect(&img);
	CHECK(lay.boot.uefi_x64.cd == BOOT_UNKNOWN);
	put_entry(image_block(&img, 24) + 96, 0x88, 0, 1, ESP_BLOCK);
	detect(&img);
	CHECK(lay.boot.uefi_x64.cd == BOOT_YES);
	free(img.p);
}

static void test_catalog_platforms(void)
{
	struct image img = disc_new(DISC_EFI);

	/* Firmware does not look at the platform; a BIOS does, and starts mkfs.fat's excuse. */
	put_validation(image_block(&img, 24), 0, "");
	memcpy(image_block(&img, ESP_BLOCK) + 0x80, "This is not a bootable disk", 27);
	detect(&img);
	CHECK(lay.boot.uefi_x64.cd == BOOT_YES && has("el-torito-platform"));
	CHECK(lay.boot.bios.cd == BOOT_NO);
	CHECK_U64(lay.el_torito.entries[0].size, ESP_SECTORS * 512);
	free(img.p);
	/* A BIOS looks at the default entry only. */
	img = disc_new(DISC_BIOS | DISC_EFI);
	put_validation(image_block(&img, 24), 0xef, "");
	put_section(image_block(&img, 24) + 64, 0x91, 0, 1, "");
	put_entry(image_block(&img, 24) + 32, 0x88, 0, 40, 40);
	put_entry(image_block(&img, 24) + 96, 0x88, 0, 4, 30);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_NO);
	/* But what auto makes of it boots by both. */
	CHECK_STR(layout_answer_name(lay.boot.bios.usb), "fixable");
	CHECK(has("el-torito-default"));
	free(img.p);
}

static void test_garbage_is_unknown(void)
{
	struct image img = disc_new(DISC_BIOS);

	put_entry(image_block(&img, 24) + 32, 0x88, 0, 0, 30); /* nothing is to be loaded */
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	put_entry(image_block(&img, 24) + 32, 0x88, 0, 4, 50);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	put_entry(image_block(&img, 24) + 32, 0x88, 0, 4, 5000); /* behind the end */
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_NO);
	free(img.p);
}

/* Loaded elsewhere it hangs: tried under SeaBIOS. */
static void test_isolinux_at_another_address_is_unknown(void)
{
	struct image img = disc_new(DISC_BIOS);
	uint8_t *entry = image_block(&img, 24) + 32;

	entry[2] = 0xc0;
	entry[3] = 0x07;
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_YES);
	entry[3] = 0x90;
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	free(img.p);
}

/* An entry that leads to the volume's descriptor, a text or a program is no promise. */
static void test_what_is_no_code_is_unknown(void)
{
	struct image img = disc_new(DISC_BIOS);
	uint8_t *entry = image_block(&img, 24) + 32, *image = image_block(&img, 50);

	put_entry(entry, 0x88, 0, 4, 16);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	put_entry(entry, 0x88, 0, 4, 50);
	memcpy(image, "This is a text and not a program.\n", 34);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	memcpy(image, "MZ\x90", 3);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	memcpy(image, "\xfa\x33\xc0\x8e", 4);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_YES);
	/* A disk that is emulated has a boot sector. */
	put_entry(entry, 0x88, 2, 1, 50);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	image[0x60] = 0xfa;
	image[510] = 0x55;
	image[511] = 0xaa;
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_YES);
	free(img.p);
}

/* BIOSes reach no farther than the end of its first partition says, in cylinders: tried. */
static void test_emulated_disk_without_a_geometry_is_unknown(void)
{
	struct image img = disc_new(DISC_BIOS);
	uint8_t *entry = image_block(&img, 24) + 32, *disk = image_block(&img, 50);

	put_entry(entry, 0x88, 4, 1, 50);
	put_syslinux_mbr(disk, SYSLINUX_MBR_ACTIVE);
	disc_put_mbr_entry(disk, 0, 0x80, 0x0c, 16, 48);
	memcpy(disk + 446 + 5, "\x03\x10\x00", 3); /* 1 cylinder, 4 heads, 16 sectors */
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_YES);
	disk[446 + 6] = 15;
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	disk[446 + 6] = 0;
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	free(img.p);
}

static void test_emulated_diskette_with_half_a_loader_is_unknown(void)
{
	struct image img = disc_new(DISC_BIOS);
	uint8_t *entry = image_block(&img, 24) + 32, *diskette = image_block(&img, 50);

	put_entry(entry, 0x88, 2, 1, 50);
	put_syslinux_fat(diskette);
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_YES);
	diskette[0] = 0; /* no jump over the fields */
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	diskette[0] = 0xeb;
	memset(diskette + 3 * 512, 0, 32); /* no LDLINUX.SYS */
	detect(&img);
	CHECK(lay.boot.bios.cd == BOOT_UNKNOWN);
	free(img.p);
}

/* Over the BIOS's data, or beyond base memory: a BIOS may survive that, or not. */
static void test_image_that_does_not_fit_is_unknown(void)
{
	static const struct {
		uint16_t segment, sectors;
		uint8_t answer;
	} cases[] = {
		{ 0x5f, 4, BOOT_UNKNOWN },
		{ 0x60, 4, BOOT_YES },
		{ 0, 1154, BOOT_YES },
		{ 0, 1155, BOOT_UNKNOWN },
		{ 0x9000, 64, BOOT_YES },
		{ 0x9000, 65, BOOT_UNKNOWN },
		{ 0xffff, 0xffff, BOOT_UNKNOWN },
	};
	struct image img = disc_new(DISC_BIOS);
	uint8_t *entry = image_block(&img, 24) + 32;

	image_block(&img, 30)[64] = 0; /* not isolinux, which wants one address only */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_entry(entry, 0x88, 0, cases[i].sectors, 30);
		entry[2] = cases[i].segment & 0xff;
		entry[3] = (uint8_t)(cases[i].segment >> 8);
		detect(&img);
		CHECK(lay.boot.bios.cd == cases[i].answer);
	}
	free(img.p);
}

/* ---- media */

static void test_big_sectors(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI | DISC_MBR);

	detect_as(&img, true, 4096);
	check_bios("no", "big-sectors");
	check_uefi("no", "not-led-to");
	CHECK(!lay.is_truncated && !lay.boot.is_hybrid_needed);
	CHECK(has("big-sectors"));
	free(img.p);
}

static void test_stream(void)
{
	struct image img = disc_new(DISC_BIOS | DISC_EFI);
	struct source *src = image_stream(&img);
	struct error err = ERROR_INIT;

	/* Nothing is promised that needs the whole image. */
	CHECK(detect_layout(src, DETECT_BUDGET, &lay, &err) == 0);
	CHECK_STR(layout_answer_name(lay.boot.bios.usb), "no");
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), "unknown");
	CHECK(!lay.boot.is_hybrid_needed && has("disc-only"));
	source_free(src);
	free(img.p);
}

static void test_words(void)
{
	for (uint8_t i = REASON_NONE + 1; i < REASON_MAX; i++) {
		CHECK(strlen(layout_reason_name(i)) > 0 && strlen(layout_reason_text(i)) > 0);
		for (uint8_t k = REASON_NONE; k < i; k++)
			CHECK(strcmp(layout_reason_name(i), layout_reason_name(k)) != 0);
	}
	CHECK_STR(layout_reason_name(255), "none");
	CHECK_STR(layout_reason_text(REASON_MAX), "");
}

int main(void)
{
	RUN(test_active_partition);
	RUN(test_boot_sectors);
	RUN(test_numbered_partition);
	RUN(test_windows_mbr);
	RUN(test_superfloppy);
	RUN(test_grub);
	RUN(test_our_mbr);
	RUN(test_our_cdemu);
	RUN(test_gpt_order);
	RUN(test_partition_shorter_than_its_volume_is_unknown);
	RUN(test_volume_that_ends_in_the_efi_image_is_unknown);
	RUN(test_loader_that_is_no_program);
	RUN(test_gpt_protection);
	RUN(test_gpt_hides_mbr);
	RUN(test_mbr_rules);
	RUN(test_catalog_hides_mbr);
	RUN(test_catalog_window);
	RUN(test_catalog_platforms);
	RUN(test_garbage_is_unknown);
	RUN(test_isolinux_at_another_address_is_unknown);
	RUN(test_what_is_no_code_is_unknown);
	RUN(test_emulated_disk_without_a_geometry_is_unknown);
	RUN(test_emulated_diskette_with_half_a_loader_is_unknown);
	RUN(test_image_that_does_not_fit_is_unknown);
	RUN(test_big_sectors);
	RUN(test_stream);
	RUN(test_words);
	return tap_done();
}
