// SPDX-License-Identifier: GPL-3.0-or-later
/* image/boot-bios, detect-boot: which links of a boot are followed. UEFI: test_boot_uefi.c. */
#include "boot_util.h"
#include "disk/bootcode.h"
#include "disk/isohybrid.h"
#include "disk/mbr.h"

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
