// SPDX-License-Identifier: GPL-3.0-or-later
/* image/boot-uefi: tables and catalogs as EDK2 reads them, and what it drops. */
#include "boot_util.h"
#include "disk/gpt.h"
#include "disk/mbr.h"

#define ESP_BLOCK 40U /* of 2048 bytes, in a disc of disc_util.h */
#define ESP_SECTOR (ESP_BLOCK * 4)
#define ESP_SECTORS 40U

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

/* An entry that says diskette, with a larger volume in it: the hybrid's copy was cut. */
static void test_efi_image_that_is_called_a_diskette(void)
{
	struct image img = image_new(2000), disc = disc_new(DISC_EFI);

	memcpy(img.p, disc.p, disc.len);
	free(disc.p);
	put_both32(image_block(&img, 16) + 80, 2000);
	put_fat(image_block(&img, ESP_BLOCK), 6000, 1);
	put_entry(image_block(&img, 24) + 32, 0x88, 1, 40, ESP_BLOCK);
	detect(&img);
	CHECK_U64(lay.el_torito.entries[0].size, 6000 * 512);
	check_uefi("fixable", "catalog");
	/* More than there is of the image is no volume that could be copied. */
	put_fat(image_block(&img, ESP_BLOCK), 9000, 1);
	detect(&img);
	CHECK_STR(layout_answer_name(lay.boot.uefi_x64.usb), "unknown");
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

int main(void)
{
	RUN(test_gpt_order);
	RUN(test_partition_shorter_than_its_volume_is_unknown);
	RUN(test_volume_that_ends_in_the_efi_image_is_unknown);
	RUN(test_efi_image_that_is_called_a_diskette);
	RUN(test_loader_that_is_no_program);
	RUN(test_gpt_protection);
	RUN(test_gpt_hides_mbr);
	RUN(test_mbr_rules);
	RUN(test_catalog_hides_mbr);
	RUN(test_catalog_window);
	RUN(test_catalog_platforms);
	return tap_done();
}
